package attest

import "sort"

// Meaning says what a code stands for and which rule its findings carry.
type Meaning struct {
	Code Code
	Rule string // id of one of Rules
	Text string
}

// Codes lists every code in order.
func Codes() []Meaning {
	out := make([]Meaning, 0, len(meanings))
	for code, m := range meanings {
		out = append(out, Meaning{Code: code, Rule: m.rule, Text: m.text})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Code < out[j].Code })
	return out
}

type meaning struct{ rule, text string }

// meanings is read-only.
var meanings = map[Code]meaning{
	BundleMalformed:    {ruleBundle, "the bundle is no sigstore bundle: not JSON, a key twice, a field missing or of the wrong kind, base64 of another alphabet"},
	BundleMediaType:    {ruleBundle, "the bundle's media type is none that is known"},
	MethodMismatch:     {ruleSigner, "the bundle was signed by another method than the one asked for"},
	KeyMismatch:        {ruleSigner, "the bundle names another key than the one given"},
	KeyUnsupported:     {ruleSigner, "the key is of a kind that the specification does not know"},
	DSSEPayloadType:    {ruleBundle, "the envelope's payload is no in-toto statement by its type"},
	DSSESignatureCount: {ruleBundle, "the envelope has no signature, or more than one"},
	DSSESigInvalid:     {ruleSignature, "the signature is not that of the key over the payload"},
	MessageSigInvalid:  {ruleSignature, "the signature is not that of the key over the file"},
	CertUntrusted:      {ruleSigner, "no trusted chain leads from the signing certificate to a root that was given, or the certificate may not sign"},
	IdentityMismatch:   {ruleSigner, "the certificate was issued to somebody else, or by another issuer"},
	LogEntryMissing:    {ruleLog, "the bundle lacks the transparency log entry or the proof that its method needs"},
	LogEntryMismatch:   {ruleLog, "the log entry is about another signature, certificate or file"},
	LogProofInvalid:    {ruleLog, "the inclusion proof, checkpoint or promise of the log does not verify"},
	LogUntrusted:       {ruleLog, "the trusted root does not know the log of the entry, or not its key at that time"},
	SCTInvalid:         {ruleSigner, "no certificate transparency log of the trusted root has promised to publish the signing certificate"},
	TimestampMissing:   {ruleLog, "nothing trusted says when the signature was made"},
	TimestampInvalid:   {ruleLog, "no trusted time lies within the certificate's validity"},
	TrustRootMalformed: {ruleSigner, "the trusted root cannot be read"},
	ArtifactMismatch:   {ruleBytes, "the signature is about another file"},

	StatementMalformed: {ruleStatement, "the signed payload is no statement: not JSON, a key twice, a field missing or of the wrong kind"},
	StatementType:      {ruleStatement, "the statement's type is not in-toto Statement v1"},
	PredicateType:      {ruleStatement, "the statement says something else than what was asked for"},
	ReportMismatch:     {ruleStatement, "the report that was given as evidence is not about the subject, or contradicts itself"},

	OMSEmpty:            {ruleStatement, "nothing is signed"},
	OMSNameEscapesRoot:  {ruleNames, "a name leads out of the root"},
	OMSNameInvalid:      {ruleNames, "a name is empty, not in its shortest form, too long, or holds what no name may hold"},
	OMSNameDuplicate:    {ruleNames, "a name stands twice"},
	OMSNameCollision:    {ruleNames, "two names are one on file systems that fold case or compose characters"},
	OMSAlgorithm:        {ruleStatement, "a digest algorithm that is unknown, or not the one declared"},
	OMSRootMismatch:     {ruleStatement, "the subject's digest is not that of the listed resources"},
	OMSDigestMismatch:   {ruleBytes, "a file's bytes are not those that were signed"},
	OMSFileMissing:      {ruleBytes, "a signed file is missing"},
	OMSFileUnsigned:     {ruleBytes, "a file is there that nobody signed"},
	OMSFileChanged:      {ruleBytes, "a file changed while it was read"},
	OMSFileSpecial:      {ruleTree, "a device, pipe or socket lies in the tree"},
	OMSSymlink:          {ruleTree, "a symbolic link lies in the tree"},
	OMSShardsInvalid:    {ruleStatement, "the shards of a file overlap, leave a gap, or do not fit the shard size"},
	OMSLimit:            {ruleLimit, "more files, deeper folders or more data than is read"},
	PolicyIgnore:        {rulePolicy, "what is left out of the signature could be loaded"},
	PolicyPredicate:     {rulePolicy, "the policy does not accept this kind of statement"},
	PolicyHash:          {rulePolicy, "the policy does not accept this digest algorithm"},
	ManifestMalformed:   {ruleManifest, "the manifest cannot be read"},
	ManifestRootInvalid: {ruleManifest, "the manifest's root is not that of its files"},
	ManifestParent:      {ruleManifest, "the manifest names another parent"},
	RecordMalformed:     {ruleManifest, "the file cannot be cut into records"},
	RecordUnproven:      {ruleProof, "the proof does not show what it claims of the record"},

	LineageMalformed:   {ruleLineage, "the lineage cannot be read"},
	LineageCycle:       {ruleLineage, "something would be made of itself"},
	LineageConflict:    {ruleLineage, "two statements contradict each other"},
	LineageTainted:     {ruleLineage, "something that it was made of is tainted"},
	LineageUnknown:     {ruleLineage, "what it was made of is not wholly known"},
	InferenceMalformed: {ruleRecords, "the log of inference records cannot be read"},
	InferenceCert:      {ruleRecords, "the replica's key is not certified for this"},
	InferenceSig:       {ruleSignature, "a batch is not signed by the replica's key"},
	InferenceRoot:      {ruleRecords, "a batch's records are not those that were signed"},
	InferenceGap:       {ruleRecords, "records are missing"},
	InferenceReplay:    {ruleRecords, "a record or batch stands twice, or with another answer"},
	InferenceTruncated: {ruleRecords, "the end of the log is missing"},
	InferenceModel:     {ruleRecords, "a record is about another model or configuration"},
	InferenceFork:      {ruleRecords, "two logs of one replica tell different stories of the same sequence"},
	InferenceRevoked:   {ruleRecords, "the replica's key was revoked"},
}
