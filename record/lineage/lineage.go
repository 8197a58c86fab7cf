// Package lineage answers what a thing was made of, and what was made of it:
// from an answer back to the data, and from a dataset to every answer.
//
// A [Graph] has nodes, which are digests with a kind (dataset, run, model,
// deployment, inference batch, and what stands around them), and edges, which
// are claims: used, produced, deployed, answered. An edge always leads from what
// was there before to what came of it. Every edge carries its evidence: the
// digest of the statement that says so, the signer's key, and whether the
// signature verified with the keys that were given.
//
// Three things are decided here, on claims alone:
//
//   - A graph has no cycle. Claims that make a thing of itself are refused whole,
//     with LINEAGE_CYCLE and the cycle's names, and so are equally trusted claims
//     that give one run two sets of inputs (LINEAGE_CONFLICT).
//   - What stands up or down of a thing ([Walker]).
//   - Whether a thing is clean, tainted or unknown ([Graph.Assess]): taint spreads
//     downstream over every edge, whoever claims it; and whatever is not described
//     by a verified statement, or comes by an edge that no verified statement
//     claims, is unknown, which counts as tainted and is shown apart.
//
// What it cannot see: an input that no statement names. A run whose attestation
// leaves out a file that was used looks complete, unless the manifest of the
// folder that the file lies in is there: then a run that names some of its files
// and not others is shown ([PartialInputs]).
//
// The graph does not know where it comes from. The folder package below reads
// attestations and OpenLineage events into a [Builder]; a registry can fill the
// same builder. [Graph.Encode] and [Decode] are its file form, a cache without
// signatures: who can write that file can say anything.
package lineage

import "fmt"

// Kind is what a node is.
type Kind uint8

// The kinds. Artifact is a thing of which no claim says more.
const (
	Artifact Kind = iota
	File
	Code
	Dataset
	Model
	Run
	Deployment
	Batch
	Evaluation
	Approval
	Decision
	kinds
)

var kindNames = [kinds]string{"artifact", "file", "code", "dataset", "model", "run", "deployment", "batch", "evaluation", "approval", "decision"}

// String gives the word that reports use.
func (k Kind) String() string { return word(kindNames[:], uint8(k)) }

// ParseKind reads what String gives.
func ParseKind(s string) (Kind, bool) {
	for i, n := range kindNames {
		if n == s {
			return Kind(i), true
		}
	}
	return 0, false
}

// Relation is what an edge says of its ends.
type Relation uint8

// The relations, read from the earlier thing to the later one.
const (
	Used      Relation = iota // a run used it
	Produced                  // a run produced it
	Derived                   // it is the version before
	PartOf                    // a file is part of a tree
	UsedPart                  // a run used a file of this tree
	Started                   // a run started another
	Deployed                  // a model was deployed
	Answered                  // a deployment or model answered a batch
	Evaluated                 // it was evaluated or scanned
	Approved                  // it was approved
	Decided                   // a gate decided about it
	relations
)

var relationNames = [relations]string{"used", "produced", "derived", "part-of", "used-part", "started", "deployed", "answered", "evaluated", "approved", "decided"}

// String gives the word that reports use.
func (r Relation) String() string { return word(relationNames[:], uint8(r)) }

// Assurance is how much stands behind a claim.
type Assurance uint8

// Assurances, in rising order.
const (
	// Unverified: unsigned, or signed by a key that was not given.
	Unverified Assurance = iota
	// Declared: from a source without signatures, such as OpenLineage.
	Declared
	// Verified: the signature verified with a key or root that was given, or a
	// digest proves it without one (that a tree with this root holds this file).
	Verified
	assurances
)

var assuranceNames = [assurances]string{"unverified", "declared", "verified"}

// String gives the word that reports use.
func (a Assurance) String() string { return word(assuranceNames[:], uint8(a)) }

// State is what a node amounts to.
type State uint8

// States, in rising order: unknown counts as tainted, and is shown apart.
const (
	Clean State = iota
	Unknown
	Tainted
	states
)

var stateNames = [states]string{"clean", "unknown", "tainted"}

// String gives the word that reports use.
func (s State) String() string { return word(stateNames[:], uint8(s)) }

func word(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%d?", i)
}

// Evidence is the statement behind claims.
type Evidence struct {
	// Statement is the digest of the signed payload, "sha256:…".
	Statement string
	// Type is the statement's predicate type, or that of the event.
	Type string
	// Signer names the key that verified it, or the one it claims.
	Signer string
	// Source is the file that it was read from.
	Source    string
	Assurance Assurance
	// Problem says why it did not verify, where it did not.
	Problem string
}

// Limits of a graph. They bound what a hostile folder can make of memory.
const (
	MaxNodes = 16_000_000
	MaxEdges = 64_000_000
	MaxText  = 2048 // bytes of a key, name, version or reason
)
