package attest

// Code is a stable reason for a refusal. Codes are never renamed or reused:
// pipelines act on them. [Codes] lists them with their meaning.
type Code string

// What can be wrong with a bundle and the envelope in it.
const (
	BundleMalformed    Code = "BUNDLE_MALFORMED"
	BundleMediaType    Code = "BUNDLE_MEDIA_TYPE"
	MethodMismatch     Code = "METHOD_MISMATCH"
	KeyMismatch        Code = "KEY_MISMATCH"
	KeyUnsupported     Code = "KEY_UNSUPPORTED"
	DSSEPayloadType    Code = "DSSE_PAYLOAD_TYPE"
	DSSESignatureCount Code = "DSSE_SIGNATURE_COUNT"
	DSSESigInvalid     Code = "DSSE_SIG_INVALID"
	MessageSigInvalid  Code = "MESSAGE_SIG_INVALID"
	CertUntrusted      Code = "CERT_UNTRUSTED"
	IdentityMismatch   Code = "IDENTITY_MISMATCH"
	LogEntryMissing    Code = "LOG_ENTRY_MISSING"
	LogEntryMismatch   Code = "LOG_ENTRY_MISMATCH"
	LogProofInvalid    Code = "LOG_PROOF_INVALID"
	LogUntrusted       Code = "LOG_UNTRUSTED"
	SCTInvalid         Code = "SCT_INVALID"
	TimestampMissing   Code = "TIMESTAMP_MISSING"
	TimestampInvalid   Code = "TIMESTAMP_INVALID"
	TrustRootMalformed Code = "TRUST_ROOT_MALFORMED"
	ArtifactMismatch   Code = "ARTIFACT_MISMATCH"
)

// What can be wrong with a statement.
const (
	StatementMalformed Code = "STATEMENT_MALFORMED"
	StatementType      Code = "STATEMENT_TYPE"
	PredicateType      Code = "PREDICATE_TYPE"
	ReportMismatch     Code = "REPORT_MISMATCH"
)

// What can be wrong with a signed tree. Manifests use the same codes.
const (
	OMSEmpty            Code = "OMS_EMPTY"
	OMSNameEscapesRoot  Code = "OMS_NAME_ESCAPES_ROOT"
	OMSNameInvalid      Code = "OMS_NAME_INVALID"
	OMSNameDuplicate    Code = "OMS_NAME_DUPLICATE"
	OMSNameCollision    Code = "OMS_NAME_COLLISION"
	OMSAlgorithm        Code = "OMS_ALGORITHM"
	OMSRootMismatch     Code = "OMS_ROOT_MISMATCH"
	OMSDigestMismatch   Code = "OMS_DIGEST_MISMATCH"
	OMSFileMissing      Code = "OMS_FILE_MISSING"
	OMSFileUnsigned     Code = "OMS_FILE_UNSIGNED"
	OMSFileChanged      Code = "OMS_FILE_CHANGED"
	OMSFileSpecial      Code = "OMS_FILE_SPECIAL"
	OMSSymlink          Code = "OMS_SYMLINK"
	OMSShardsInvalid    Code = "OMS_SHARDS_INVALID"
	OMSLimit            Code = "OMS_LIMIT"
	PolicyIgnore        Code = "POLICY_IGNORE_FORBIDDEN"
	PolicyPredicate     Code = "POLICY_PREDICATE_FORBIDDEN"
	PolicyHash          Code = "POLICY_HASH_FORBIDDEN"
	ManifestMalformed   Code = "MANIFEST_MALFORMED"
	ManifestRootInvalid Code = "MANIFEST_ROOT_MISMATCH"
	ManifestParent      Code = "MANIFEST_PARENT_MISMATCH"
	RecordMalformed     Code = "RECORD_MALFORMED"
	RecordUnproven      Code = "RECORD_PROOF_INVALID"
)

// What can be wrong with lineage and inference records.
const (
	LineageMalformed   Code = "LINEAGE_MALFORMED"
	LineageCycle       Code = "LINEAGE_CYCLE"
	LineageConflict    Code = "LINEAGE_CONFLICT"
	LineageTainted     Code = "LINEAGE_TAINTED"
	LineageUnknown     Code = "LINEAGE_UNKNOWN"
	InferenceMalformed Code = "INFERENCE_MALFORMED"
	InferenceCert      Code = "INFERENCE_CERT_INVALID"
	InferenceSig       Code = "INFERENCE_SIG_INVALID"
	InferenceRoot      Code = "INFERENCE_ROOT_MISMATCH"
	InferenceGap       Code = "INFERENCE_GAP"
	InferenceReplay    Code = "INFERENCE_REPLAY"
	InferenceTruncated Code = "INFERENCE_TRUNCATED"
	InferenceFork      Code = "INFERENCE_FORK"
	InferenceModel     Code = "INFERENCE_MODEL_MISMATCH"
	InferenceRevoked   Code = "INFERENCE_KEY_REVOKED"
)
