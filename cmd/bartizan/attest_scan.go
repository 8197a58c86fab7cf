package main

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"

	"bartizan/attest"
	"bartizan/attest/statement"
	"bartizan/attest/tree"
	"bartizan/cmd/internal/input"
	"bartizan/finding"
	"bartizan/subject"
)

type attestScanCmd struct {
	Subject []string `required:"" sep:"none" placeholder:"MODEL" help:"What was scanned: a folder, a file, or sha256:HEX=NAME."`
	Report  string   `required:"" placeholder:"FILE" help:"The report of bartizan scan --digest --format json."`
	URL     string   `placeholder:"URL" help:"Where the scan ran or is shown."`
	Ignore  []string `env:"-" sep:"none" placeholder:"PATH" help:"A path within the folders that is no part of them, as for bartizan sign."`
	attestFlags
}

// Help is what `bartizan attest scan --help` says below the usage.
func (attestScanCmd) Help() string {
	return `The statement is an in-toto test-result (docs/predicates.md): each file is a test, clean is passed, review warned, block failed; the report is named by its digest.

    bartizan scan ./model --digest --format json --output scan.json
    bartizan attest scan --subject ./model --report scan.json --key signer --bundle scan.sigstore.json

The report must be about these very bytes: every file of the subject must be in it, by its name and digest. Whatever else it says of that folder, or of the same bytes elsewhere, counts too. A scan that was cut short, or a report that contradicts itself, cannot be attested.
`
}

func (c *attestScanCmd) Run(e *env) error {
	raw, err := input.AtMost(c.Report, maxReport)
	if err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	return c.attest(e, subject.Model, c.Subject, func() (*statement.Statement, error) {
		report, err := readScan(c.Report, raw)
		if err != nil {
			return nil, err
		}
		r := &thingReader{ctx: e.ctx, ignore: c.Ignore, bundle: c.Bundle}
		var subjects []statement.Descriptor
		covered := map[*finding.SubjectReport]bool{}
		for _, arg := range c.Subject {
			t, err := r.read(arg)
			if err != nil {
				if len(attest.Refusals(err)) > 0 {
					return nil, err
				}
				return nil, fmt.Errorf("--subject %s: %w", arg, err)
			}
			if err := report.cover(arg, &t, covered); err != nil {
				return nil, err
			}
			subjects = append(subjects, t.Descriptor)
		}
		result := report.result(covered)
		result.URL = c.URL
		evidence, err := r.evidence(c.Report)
		if err != nil {
			return nil, fmt.Errorf("--report: %w", err)
		}
		if evidence.Digest["sha256"] != sha256Hex(raw) {
			return nil, attest.Refuse(attest.OMSFileChanged, c.Report, "the report changed while it was read")
		}
		result.Evidence = []statement.Descriptor{evidence.WithRole(statement.RoleReport)}
		return statement.New(result, subjects...)
	})
}

// cover finds what the report says of a subject, and refuses where it does not
// speak of all of its bytes.
func (s *scanReport) cover(arg string, t *thing, into map[*finding.SubjectReport]bool) error {
	switch {
	case len(t.files) == 0:
		return s.coverDigest(arg, t.Digest["sha256"], into)
	case len(t.files) == 1 && t.files[0].Name == tree.Only:
		if !s.coverFile(t.Digest["sha256"], into) {
			return s.missing(arg, nil)
		}
		return nil
	}
	found := false
	for _, prefix := range s.prefixes(t) {
		if !s.below(prefix, t) {
			continue
		}
		found = true
		// All that was scanned in the folder counts, also what no signature covers
		// (.github) and what has another digest by now.
		for i := range s.Subjects {
			if strings.HasPrefix(s.Subjects[i].ID, prefix) {
				into[&s.Subjects[i]] = true
			}
		}
	}
	if !found {
		return s.missing(arg, t)
	}
	s.elsewhere(t, into)
	return nil
}

// elsewhere takes in what is worse than clean and is said of a file's bytes under
// another name: the same bytes are no better here.
func (s *scanReport) elsewhere(t *thing, into map[*finding.SubjectReport]bool) {
	digests := make(map[string]bool, len(t.files))
	for i := range t.files {
		digests["sha256:"+hex.EncodeToString(t.files[i].Digest)] = true
	}
	for i := range s.Subjects {
		if r := &s.Subjects[i]; r.Verdict != finding.Clean && digests[r.Digest] {
			into[r] = true
		}
	}
}

// prefixes gives the folders in which the report has the subject's first file.
func (s *scanReport) prefixes(t *thing) []string {
	name, digest := t.files[0].Name, "sha256:"+hex.EncodeToString(t.files[0].Digest)
	seen := map[string]bool{}
	var out []string
	for i := range s.Subjects {
		r := &s.Subjects[i]
		prefix, ok := strings.CutSuffix(r.ID, name)
		if !ok || r.Digest != digest || prefix != "" && !strings.HasSuffix(prefix, "/") || seen[prefix] {
			continue
		}
		seen[prefix] = true
		out = append(out, prefix)
	}
	return out
}

// below says whether the report has every file of the subject in a folder, by
// name and digest.
func (s *scanReport) below(prefix string, t *thing) bool {
	for i := range t.files {
		digest, any := "sha256:"+hex.EncodeToString(t.files[i].Digest), false
		for _, r := range s.byID[prefix+t.files[i].Name] {
			any = any || r.Digest == digest
		}
		if !any {
			return false
		}
	}
	return true
}

// coverFile takes in everything that is said of a file's bytes.
func (s *scanReport) coverFile(digest string, into map[*finding.SubjectReport]bool) bool {
	found := false
	for i := range s.Subjects {
		if r := &s.Subjects[i]; digest != "" && r.Digest == "sha256:"+digest {
			into[r], found = true, true
		}
	}
	return found
}

// coverDigest finds what was given by its digest alone: a file, or the folder that
// the whole report is about, of which all counts.
func (s *scanReport) coverDigest(arg, digest string, into map[*finding.SubjectReport]bool) error {
	if s.coverFile(digest, into) {
		return nil
	}
	if digest == "" || s.root() != digest {
		return s.missing(arg, nil)
	}
	for i := range s.Subjects {
		into[&s.Subjects[i]] = true
	}
	return nil
}

// missing says what to do about a subject that the report does not cover.
func (s *scanReport) missing(arg string, t *thing) error {
	for i := range s.Subjects {
		if s.Subjects[i].Digest == "" {
			return mismatch(s.path, "it has no digests: scan again with --digest")
		}
	}
	if t != nil {
		for i := range t.files {
			digest, any := "sha256:"+hex.EncodeToString(t.files[i].Digest), false
			for j := range s.Subjects {
				any = any || s.Subjects[j].Digest == digest
			}
			if !any {
				return mismatch(s.path, "it says nothing of the bytes of %s in %s: scan again", t.files[i].Name, arg)
			}
		}
	}
	return mismatch(s.path, "it is not about %s: scan that, and give the report of it", arg)
}

// result turns verdicts into a test result: one test a file.
func (s *scanReport) result(covered map[*finding.SubjectReport]bool) *statement.TestResult {
	t := &statement.TestResult{Result: statement.Passed, Configuration: s.scanner()}
	worst := finding.Clean
	for r := range covered {
		worst = max(worst, r.Verdict)
		switch r.Verdict {
		case finding.Clean:
			t.PassedTests = append(t.PassedTests, r.ID)
		case finding.Review:
			t.WarnedTests = append(t.WarnedTests, r.ID)
		default:
			t.FailedTests = append(t.FailedTests, r.ID)
		}
	}
	for _, list := range []*statement.List[string]{&t.PassedTests, &t.WarnedTests, &t.FailedTests} {
		sort.Strings(*list)
		*list = slices.Compact(*list)
	}
	switch worst {
	case finding.Review:
		t.Result = statement.Warned
	case finding.Block:
		t.Result = statement.Failed
	}
	return t
}

// scanner describes what scanned: the tool by name and version, its data by digest.
func (s *scanReport) scanner() []statement.Descriptor {
	out := []statement.Descriptor{{
		Name: s.Tool.Name, URI: "pkg:generic/" + url.PathEscape(s.Tool.Name) + "@" + url.PathEscape(s.Tool.Version),
	}}
	names := make([]string, 0, len(s.Tool.Packs))
	for name := range s.Tool.Packs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if d, err := statement.ParseDigest(s.Tool.Packs[name]); err == nil {
			out = append(out, statement.Descriptor{Name: "packs/" + name, Digest: d})
		}
	}
	return out
}
