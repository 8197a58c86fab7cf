package claims

import (
	"strings"
	"time"

	"bartizan/attest/oms"
	"bartizan/attest/statement"
	"bartizan/record/lineage"
)

// claim makes the claims of one statement.
func (r *Reader) claim(d *document) error {
	c := &claimant{b: r.builder, s: d.statement, id: d.evidence.Statement}
	switch d.statement.PredicateType {
	case statement.SLSAProvenanceType, oms.PredicateType, oms.LegacyPredicateType, statement.DatasetManifestType,
		statement.TestResultType, statement.VSAType, statement.ApprovalType:
	default:
		r.sum.Skipped["statement "+clip(d.statement.PredicateType)]++
		return nil
	}
	c.ev = r.builder.Evidence(d.evidence)
	switch d.statement.PredicateType {
	case statement.SLSAProvenanceType:
		return c.provenance()
	case statement.DatasetManifestType:
		return c.manifest()
	case statement.TestResultType:
		return c.test()
	case statement.VSAType:
		return c.summary()
	case statement.ApprovalType:
		return c.approval()
	}
	if d.model == nil { // a bare statement, which no signature holds together
		return c.subjectsOnly()
	}
	return r.tree(c, d)
}

// claimant makes the claims of one statement.
type claimant struct {
	b  *lineage.Builder
	s  *statement.Statement
	ev uint32
	id string // digest of the statement
}

// subjects names what the statement is about.
func (c *claimant) subjects(kind lineage.Kind, sure int, described bool) ([]lineage.Ref, error) {
	out := make([]lineage.Ref, 0, len(c.s.Subject))
	for i := range c.s.Subject {
		t := thing(&c.s.Subject[i], kind, sure)
		t.Described = described
		ref, err := c.b.Thing(c.ev, t)
		if err != nil {
			return nil, err
		}
		out = append(out, ref)
	}
	return out, nil
}

func (c *claimant) subjectsOnly() error {
	_, err := c.subjects(lineage.Artifact, lineage.Guess, true)
	return err
}

// provenance: dependencies were used by a run, which produced the subjects. The
// run is known by its builder and invocation; without an invocation by this
// statement. Builder dependencies are not what the thing is made of.
func (c *claimant) provenance() error {
	p, err := statement.ParseSLSAProvenance(c.s)
	if err != nil {
		return err
	}
	kind, sure := lineage.Artifact, lineage.Guess
	if p.Training() {
		kind, sure = lineage.Model, lineage.Role
	}
	subjects, err := c.subjects(kind, sure, true)
	if err != nil {
		return err
	}
	key := "run:" + c.id
	if id := p.RunDetails.Metadata.InvocationID; id != "" {
		key = lineage.NameKey("run", p.RunDetails.Builder.ID, id)
	}
	self := lineage.Thing{Keys: []string{key}, Kind: lineage.Run, Sure: lineage.Definite, Described: true, Name: p.RunDetails.Metadata.InvocationID}
	if end := p.RunDetails.Metadata.FinishedOn; !end.IsZero() {
		self.Version = end.UTC().Format(time.RFC3339Nano)
	}
	run, err := c.b.Thing(c.ev, self)
	if err != nil {
		return err
	}
	used, err := c.dependencies(p.BuildDefinition.ResolvedDependencies)
	if err != nil {
		return err
	}
	if err := c.b.Inputs(c.ev, run, used); err != nil {
		return err
	}
	for _, s := range subjects {
		if err := c.b.Edge(c.ev, run, s, lineage.Produced); err != nil {
			return err
		}
	}
	return nil
}

// dependencies names inputs. One that has neither digest nor URI, but content of
// its own, is within the statement.
func (c *claimant) dependencies(list []statement.Descriptor) ([]lineage.Ref, error) {
	var used []lineage.Ref
	for i := range list {
		if len(list[i].Digest) == 0 && list[i].URI == "" {
			continue
		}
		kind, sure := kindOf(&list[i])
		ref, err := c.b.Thing(c.ev, thing(&list[i], kind, sure))
		if err != nil {
			return nil, err
		}
		used = append(used, ref)
	}
	return used, nil
}

// manifest: a dataset with its version, and the version that it was made from.
func (c *claimant) manifest() error {
	m, err := statement.ParseDatasetManifest(c.s)
	if err != nil {
		return err
	}
	t := thing(&c.s.Subject[0], lineage.Dataset, lineage.Definite)
	t.Described, t.Tree = true, true
	t.Keys = append(t.Keys, lineage.NameKey("manifest", m.Manifest.Digest["sha256"]))
	if m.Name != "" {
		t.Name, t.Version = m.Name, m.Version
	}
	set, err := c.b.Thing(c.ev, t)
	if err != nil || len(m.Parent)+len(m.ParentManifest) == 0 {
		return err
	}
	before := lineage.Thing{Kind: lineage.Dataset, Sure: lineage.Role}
	before.Keys, before.Weak = digestKeys(m.Parent)
	if sum := m.ParentManifest["sha256"]; sum != "" {
		before.Keys, before.Weak = append(before.Keys, lineage.NameKey("manifest", sum)), false
	}
	if len(before.Keys) == 0 {
		return nil
	}
	parent, err := c.b.Thing(c.ev, before)
	if err != nil {
		return err
	}
	return c.b.Edge(c.ev, parent, set, lineage.Derived)
}

// about makes a node of the statement itself, downstream of its subjects.
func (c *claimant) about(kind lineage.Kind, r lineage.Relation, name string, describes bool) (self lineage.Ref, subjects []lineage.Ref, err error) {
	if subjects, err = c.subjects(lineage.Artifact, lineage.Guess, describes); err != nil {
		return 0, nil, err
	}
	self, err = c.b.Thing(c.ev, lineage.Thing{Keys: []string{c.id}, Kind: kind, Sure: lineage.Definite, Described: true, Name: name})
	if err != nil {
		return 0, nil, err
	}
	for _, s := range subjects {
		if err := c.b.Edge(c.ev, s, self, r); err != nil {
			return 0, nil, err
		}
	}
	return self, subjects, nil
}

func (c *claimant) test() error {
	t, err := statement.ParseTestResult(c.s)
	if err != nil {
		return err
	}
	self, subjects, err := c.about(lineage.Evaluation, lineage.Evaluated, string(t.Result), false)
	if err != nil {
		return err
	}
	used, err := c.dependencies(t.Configuration)
	if err != nil {
		return err
	}
	for _, u := range used {
		if err := c.b.Edge(c.ev, u, self, lineage.Used); err != nil {
			return err
		}
	}
	if t.Result == statement.Failed {
		c.mark(subjects, "a test result is FAILED"+first(t.FailedTests))
	}
	return nil
}

func first(tests []string) string {
	if len(tests) == 0 {
		return ""
	}
	return ": " + clip(tests[0])
}

// summary: a gate that passed a thing vouches for it, as a summary is meant to be
// relied on in place of what was summed up.
func (c *claimant) summary() error {
	v, err := statement.ParseVSA(c.s)
	if err != nil {
		return err
	}
	passed := v.VerificationResult == statement.Passed
	_, subjects, err := c.about(lineage.Decision, lineage.Decided, string(v.VerificationResult)+" for "+clip(v.ResourceURI), passed)
	if err != nil {
		return err
	}
	if !passed {
		c.mark(subjects, "a verification summary is FAILED for "+clip(v.ResourceURI))
	}
	return nil
}

func (c *claimant) mark(subjects []lineage.Ref, reason string) {
	for _, s := range subjects {
		c.b.Mark(c.ev, s, reason)
	}
}

func (c *claimant) approval() error {
	a, err := statement.ParseApproval(c.s)
	if err != nil {
		return err
	}
	name := string(a.Verdict) + " by " + a.Approver.ID + " to " + a.Purpose
	if a.Environment != "" {
		name += " in " + a.Environment
	}
	_, _, err = c.about(lineage.Approval, lineage.Approved, clip(name), false)
	return err
}

// deployment: a replica's certificate says which model answers under its key.
func (r *Reader) deployment(d *document) error {
	ev := r.builder.Evidence(d.evidence)
	r.count(d)
	return r.deploy(ev, d.certificate.Digest().String(), d.certificate.Model.String(), d.certificate.Replica, true)
}

func (r *Reader) deploy(ev uint32, certificate, model, replica string, described bool) error {
	m, err := r.builder.Thing(ev, lineage.Thing{Keys: []string{model}, Kind: lineage.Model, Sure: lineage.Role})
	if err != nil {
		return err
	}
	to, err := r.builder.Thing(ev, lineage.Thing{
		Keys: []string{certificate}, Kind: lineage.Deployment, Sure: lineage.Definite, Described: described, Name: replica,
	})
	if err != nil {
		return err
	}
	return r.builder.Edge(ev, m, to, lineage.Deployed)
}

// takeBatches makes the claims of inference batches, when all certificates are
// there.
func (r *Reader) takeBatches() error {
	for _, d := range r.batches {
		if d.evidence.Assurance != lineage.Verified {
			signer, err := r.certs.certified(d)
			if err == nil {
				d.evidence.Assurance, d.evidence.Signer, d.evidence.Problem = lineage.Verified, signer, ""
			} else {
				d.evidence.Problem = err.Error()
			}
		}
		r.count(d)
		if err := r.answered(d); err != nil {
			return named(d.source, err)
		}
	}
	r.batches = nil
	return nil
}

func (r *Reader) answered(d *document) error {
	ev := r.builder.Evidence(d.evidence)
	b := d.batch
	if err := r.deploy(ev, b.Certificate, b.Model, b.Replica, true); err != nil {
		return err
	}
	from, err := r.builder.Thing(ev, lineage.Thing{Keys: []string{b.Certificate}, Kind: lineage.Deployment, Sure: lineage.Definite})
	if err != nil {
		return err
	}
	t := thing(&d.statement.Subject[0], lineage.Batch, lineage.Definite)
	t.Described = true
	// Batches without records have the same root: each is known by its statement.
	if b.Count == 0 || strings.TrimSpace(t.Name) == "" {
		t.Keys = []string{d.evidence.Statement}
	}
	batch, err := r.builder.Thing(ev, t)
	if err != nil {
		return err
	}
	return r.builder.Edge(ev, from, batch, lineage.Answered)
}
