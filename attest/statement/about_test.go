package statement

import (
	"strings"
	"testing"
	"time"

	"bartizan/attest"
)

func TestAbout(t *testing.T) {
	root, names, other := hexOf("a", 64), hexOf("b", 64), hexOf("c", 64)
	file, folder := SHA256(root), FolderDigests(root, names)
	for name, c := range map[string]struct {
		subject      Digests
		file, folder string // part of the refusal, "" where it is about that
	}{
		"a file, or a bare root": {SHA256(root), "", "no digest that covers names"},
		"a folder":               {folder, "is a folder", ""},
		"dirHash by its title":   {Digests{"sha256": root, "dirHash": names}, "is a folder", ""},
		"dirHash alone":          {Digests{"dirHash1": names}, "no subject", ""},
		"renamed":                {FolderDigests(root, other), "is a folder", "under other names"},
		"renamed, by title":      {Digests{"sha256": root, "dirHash": other}, "is a folder", "under other names"},
		"titles that contradict": {Digests{"dirHash1": names, "dirHash": other}, "no subject", "no subject"},
		"changed":                {FolderDigests(other, names), "no subject", "no subject"},
		"another":                {SHA256(other), "no subject", "no subject"},
		"a tree of git":          {Digests{"sha256": root, "gitTree": hexOf("1", 40)}, "is a folder", "no digest that covers names"},
		"by MD5 beside":          {Digests{"sha256": root, "md5": hexOf("1", 32)}, "", "no digest that covers names"},
	} {
		s := &Statement{PredicateType: "https://example.org/p", Subject: []Descriptor{{Digest: sha("d")}, {Digest: c.subject}}}
		holds(t, name+", as file", s.AboutFile(file), c.file)
		holds(t, name+", as folder", s.AboutFolder(folder), c.folder)
	}
	for _, root := range []string{modelSignature, legacyModelSignature, DatasetManifestType, InferenceBatchType} {
		holds(t, root, (&Statement{PredicateType: root, Subject: []Descriptor{{Digest: file}}}).AboutFile(file), "the statement is ")
	}
	holds(t, "a model signature as folder", (&Statement{PredicateType: modelSignature, Subject: []Descriptor{{Digest: folder}}}).AboutFolder(folder), "bartizan verify")
	holds(t, "a folder without names", (&Statement{PredicateType: "https://example.org/p", Subject: []Descriptor{{Digest: folder}}}).AboutFolder(SHA256(root)), "this folder has no digest")
}

func holds(t *testing.T, name string, err error, refused string) {
	t.Helper()
	switch {
	case refused == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case refused != "" && (attest.CodeOf(err) != attest.ArtifactMismatch || !strings.Contains(err.Error(), refused)):
		t.Errorf("%s: %v: want %q", name, err, refused)
	}
}

// Every kind that is known is read as itself, and an empty one is refused.
func TestKnown(t *testing.T) {
	for _, typ := range []string{SLSAProvenanceType, TestResultType, VSAType, DatasetManifestType, ApprovalType, InferenceBatchType} {
		p, err := Known(&Statement{PredicateType: typ, Subject: []Descriptor{{Digest: sha("a")}}, Predicate: []byte(`{}`)})
		if attest.CodeOf(err) != attest.StatementMalformed || p != nil {
			t.Errorf("%s: %v %v", typ, p, err)
		}
		p, err = Known(&Statement{PredicateType: typ, Subject: []Descriptor{{Digest: sha("a")}}})
		if attest.CodeOf(err) != attest.StatementMalformed || p != nil {
			t.Errorf("%s without a predicate: %v %v", typ, p, err)
		}
	}
	s := &Statement{PredicateType: TestResultType, Subject: []Descriptor{{Digest: sha("a")}}, Predicate: []byte(`{"result":"WARNED","configuration":[]}`)}
	if p, err := Known(s); err != nil || ResultOf(p) != "WARNED" {
		t.Errorf("%v %v", p, err)
	}
	if p, err := Known(&Statement{PredicateType: "https://example.org/p"}); p != nil || err != nil || ResultOf(p) != "" {
		t.Errorf("%v %v", p, err)
	}
}

// Nobody approves their own request by writing themselves otherwise.
func TestSelfApprovalBySpelling(t *testing.T) {
	for name, ok := range map[string]bool{
		"josé@example.org": false, "JOSÉ@example.org": false, " josé@example.org\t": false, "jose\u0301@example.org": false,
		"josé@example\u200b.org": false, "\ufeffjosé@example.org": false, "ｊｏｓé@example.org": false, "jo\u00adsé@example.org": false,
		"ana@example.org": true, "jose@example.org": true, "": true,
	} {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		a := &Approval{
			Verdict: Approved, Purpose: "deploy", Requester: name, Approver: Person{ID: "josé@example.org"},
			ApprovedOn: At(now), Expires: At(now.Add(time.Hour)),
		}
		if _, err := New(a, Descriptor{Digest: sha("a")}); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	a := &Approval{Verdict: Approved, Purpose: "deploy", Approver: Person{ID: "\u200b"}, ApprovedOn: At(time.Unix(1, 0)), Expires: At(time.Unix(2, 0))}
	if _, err := New(a, Descriptor{Digest: sha("a")}); err == nil {
		t.Error("approved by nobody that shows")
	}
}
