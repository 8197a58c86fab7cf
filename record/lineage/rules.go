package lineage

import "bartizan/finding"

const (
	ruleTainted  = "provenance/lineage-tainted"
	ruleConflict = "provenance/lineage-conflict"
	rulePartial  = "provenance/inputs-partial"
)

// Rules declares the rules of what is shown and does not refuse.
func Rules() []finding.Rule {
	evidence := map[string]string{
		"contradiction": "name-reused, inputs-differ, digests-differ, partial-inputs, circular or cut-short",
		"nodes":         "the digests that it is about",
	}
	return []finding.Rule{
		{
			ID: ruleTainted, Title: "Something that this was made of is tainted",
			Help:     "A dataset, model, run or file upstream failed a scan, an evaluation or a gate by a verified statement, or was named as tainted. Taint spreads over every claim, verified or not: that a thing was not made of it would have to be shown.",
			Severity: finding.High, Confidence: finding.ConfidenceHigh,
			References:  []string{"AML.T0020", "CWE-345"},
			Remediation: "Do not deploy it. Make it again without the tainted input, or show by a statement that the finding about the input was wrong.",
			Evidence: map[string]string{
				"code": "LINEAGE_TAINTED", "origin": "the digest of the tainted thing", "path": "the shortest way from it, first and last nodes of a long one",
			},
		},
		{
			ID: ruleConflict, Title: "Claims about this lineage contradict each other",
			Help:     "One name and version stands for several digests, a less trusted statement gives a run other inputs, joins the digests of two things, or makes a thing of itself, or there are more such claims than are shown. A dataset that was swapped under its name looks so. Which claim is true cannot be told from the claims.",
			Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
			References:  []string{"CWE-345", "AML.T0020"},
			Remediation: "Find out which of the digests is meant, and have the others' statements withdrawn. Refer to datasets by digest.",
			Evidence:    evidence,
		},
		{
			ID: rulePartial, Title: "A run names some files of a tree and not the others",
			Help:     "The manifest of a tree lists files that the run's attestation leaves out. It may not have used them; if it did, nothing says so, and what is wrong with them does not reach what the run made.",
			Severity: finding.Low, Confidence: finding.ConfidenceMedium,
			References:  []string{"CWE-345"},
			Remediation: "Attest datasets by their root, not by single files.",
			Evidence:    evidence,
		},
	}
}

// Finding shows a conflict at a subject.
func (g *Graph) Finding(c *Conflict, id string) finding.Finding {
	nodes := make([]string, 0, len(c.Nodes))
	for _, n := range c.Nodes[:min(len(c.Nodes), maxFound)] {
		nodes = append(nodes, g.ID(n))
	}
	rule := Rules()[1]
	if c.Kind == PartialInputs {
		rule = Rules()[2]
	}
	return rule.New(finding.Place{Path: id}, c.Detail, map[string]any{"contradiction": c.Kind.String(), "nodes": nodes})
}

// TaintFinding shows why a subject is tainted.
func (g *Graph) TaintFinding(why *Why, id, message string) finding.Finding {
	path := make([]string, 0, len(why.Path))
	for i, n := range why.Path {
		if i < maxFound || i >= len(why.Path)-maxFound {
			path = append(path, g.ID(n))
		}
	}
	rule := Rules()[0]
	return rule.New(finding.Place{Path: id}, message, map[string]any{"code": "LINEAGE_TAINTED", "origin": g.ID(why.Origin), "path": path})
}
