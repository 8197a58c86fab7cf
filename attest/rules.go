package attest

import "bartizan/finding"

// The rules of refusals, by what is to be done about them.
const (
	ruleBundle    = "provenance/bundle-refused"
	ruleSignature = "provenance/signature-invalid"
	ruleSigner    = "provenance/signer-untrusted"
	ruleLog       = "provenance/log-evidence-invalid"
	ruleStatement = "provenance/statement-refused"
	ruleNames     = "provenance/name-refused"
	ruleTree      = "provenance/tree-refused"
	ruleBytes     = "provenance/bytes-differ"
	rulePolicy    = "provenance/policy-refused"
	ruleRecords   = "provenance/records-broken"
	ruleManifest  = "provenance/manifest-refused"
	ruleProof     = "provenance/record-unproven"
	ruleLimit     = "provenance/limit-exceeded"
	ruleLineage   = "provenance/lineage-refused"
)

// Rules declares the rules of refusals. All of them block.
func Rules() []finding.Rule {
	out := append([]finding.Rule(nil), rules...)
	for i := range out {
		out[i].Severity, out[i].Confidence = finding.High, finding.ConfidenceHigh
		out[i].Evidence = map[string]string{"code": "the stable reason code", "name": "the file, field or key that it is about"}
	}
	return out
}

// rules is read-only.
var rules = []finding.Rule{
	{
		ID: ruleBundle, Title: "The signature bundle cannot be used",
		Help:        "The file given as a bundle is no sigstore bundle as its specification has it. Nothing in it was believed. Two readers must not be able to understand it differently, so a key that stands twice, base64 of another alphabet or a second signature is refused too.",
		References:  []string{"CWE-20"},
		Remediation: "Fetch the bundle again, or have the signer sign again.",
	},
	{
		ID: ruleSignature, Title: "The signature does not verify",
		Help:        "The signature is not that of the key over these bytes: the bundle was changed after signing, or another key signed.",
		References:  []string{"CWE-347"},
		Remediation: "Do not load it. Ask whoever published it for the bundle and the key by another way.",
	},
	{
		ID: ruleSigner, Title: "The signer is not one that is trusted here",
		Help:        "A signature may be there, but by a key, certificate, identity or method that was not asked for.",
		References:  []string{"CWE-295"},
		Remediation: "Name the right key, chain or identity, or do not load it.",
	},
	{
		ID: ruleLog, Title: "The evidence of log and time does not hold",
		Help:        "A keyless signature is as good as the log entry and the time that go with it; they are missing, about something else, or do not verify.",
		References:  []string{"CWE-347", "CVE-2022-36056"},
		Remediation: "Do not load it. Have it signed again.",
	},
	{
		ID: ruleStatement, Title: "What was signed is no valid statement",
		Help:        "The signature may be genuine, but what it signs is badly formed, contradicts itself, or speaks about something else.",
		References:  []string{"CWE-345"},
		Remediation: "Have it signed again with a released signer.",
	},
	{
		ID: ruleNames, Title: "A signed name cannot be used safely",
		Help:        "A name leads out of the root, is not in its shortest form, or means the same file as another. No file was opened for it.",
		References:  []string{"CWE-22"},
		Remediation: "Rename the file and sign again; if you did not sign it, treat the signer as hostile.",
	},
	{
		ID: ruleTree, Title: "The tree holds what cannot be vouched for",
		Help:        "Links, devices, pipes and sockets have no bytes of their own that a signature could fix.",
		References:  []string{"CWE-59"},
		Remediation: "Replace links by the files they lead to.",
	},
	{
		ID: ruleBytes, Title: "The bytes are not those that were vouched for",
		Help:        "A file is missing, was added, or differs from what was signed.",
		References:  []string{"CWE-353", "AML.T0010"},
		Remediation: "Do not load it. Fetch it again; if it still differs, ask who changed it.",
	},
	{
		ID: rulePolicy, Title: "The policy forbids what the signer did",
		Help:        "The signature is genuine, but leaves out of it what could be loaded, or uses what this verifier does not accept.",
		References:  []string{"CWE-345"},
		Remediation: "Sign without the exception, or change the verifier's own flags on purpose.",
	},
	{
		ID: ruleManifest, Title: "The manifest or the records cannot be used",
		Help:        "The manifest is badly formed or contradicts itself, or a file cannot be cut into records in one way only: what two readers would understand differently is refused, since a record could hide in it.",
		References:  []string{"CWE-20"},
		Remediation: "Make the manifest again with bartizan manifest create; mend the file at the row that is named.",
	},
	{
		ID: ruleProof, Title: "The proof does not show what is claimed of the record",
		Help:        "The proof is for another record, another file or another version, or says the opposite: a record that should be absent is there, or the other way round.",
		References:  []string{"CWE-354"},
		Remediation: "Ask for a proof against the root that you believe, for the record in its exact form.",
	},
	{
		ID: ruleLimit, Title: "More than is read",
		Help:        "More files, larger files, deeper folders, smaller shards or more members than any verifier reads. The limits stand before anything is allocated or opened.",
		References:  []string{"CWE-400"},
		Remediation: "Pack many small files into archives, take larger shards, or sign parts of the tree on their own.",
	},
	{
		ID: ruleLineage, Title: "The lineage does not hold",
		Help:        "Something would be made of itself, two statements of equal standing contradict each other, or a thing was made of what is tainted or of what nobody vouches for. What is tainted and what is only unknown are told apart by the code.",
		References:  []string{"AML.T0010"},
		Remediation: "bartizan lineage walk REF --up names the statement or the missing one. Mend or replace what is named; do not deploy what came of it before.",
	},
	{
		ID: ruleRecords, Title: "Inference records do not hold together",
		Help:        "Records are missing, doubled, changed, or signed by a key that is not certified for them.",
		References:  []string{"CWE-354"},
		Remediation: "Keep the log as it is, and find out what the replica did since the last batch that verifies.",
	},
}

// Finding gives the finding for a refusal of the subject id.
func (e *Error) Finding(id string) finding.Finding {
	m, known := meanings[e.Code]
	if !known {
		m.rule = ruleStatement
	}
	evidence := map[string]any{"code": string(e.Code)}
	if e.Name != "" {
		evidence["name"] = e.Name
	}
	for _, r := range Rules() {
		if r.ID == m.rule {
			return r.New(finding.Place{Path: id}, e.Error(), evidence)
		}
	}
	return finding.Finding{}
}
