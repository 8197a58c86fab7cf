package statement

import (
	"bartizan/attest"
)

// FolderDigests are the digests of a folder: sha256 is its root as OpenSSF Model
// Signing has it, by which it is joined elsewhere and which covers no names;
// dirHash1 is in-toto's digest of its files with their names (Go's
// dirhash.Hash1 in hexadecimal), which tells folders from files.
func FolderDigests(root, dirHash1 string) Digests {
	d := SHA256(root)
	if dirHash1 != "" {
		d[dirHash] = dirHash1
	}
	return d
}

// dirHash is the name that in-toto's example of the digest has, dirHashTitle that
// of its heading; both are read.
const dirHash, dirHashTitle = "dirHash1", "dirHash"

// Folder says whether the digests are those of a folder: one of them is of an
// algorithm that has no other use.
func (d Digests) Folder() bool {
	return d[dirHash] != "" || d[dirHashTitle] != "" || d["gitTree"] != ""
}

// model signatures name a root over files, or the files of a tree one by one.
const (
	modelSignature       = "https://model_signing/signature/v1.0"
	legacyModelSignature = "https://model_signing/Digests/v0.1"
)

// ofRoot says of which predicates the subject's sha256 is a root over several
// things and never the digest of a file; read only.
var ofRoot = map[string]string{
	modelSignature:       "a model signature: bartizan verify checks it, file by file",
	legacyModelSignature: "a model signature: bartizan verify checks it, file by file",
	DatasetManifestType:  "about a dataset by the root over its files: give the folder",
	InferenceBatchType:   "about a batch of records by the root over them: bartizan inference verify checks it",
}

func mismatch(format string, args ...any) error {
	return attest.Refuse(attest.ArtifactMismatch, "", format, args...)
}

// AboutFile decides whether one of the subjects is the file with these digests,
// as [Digests.Match] does; ARTIFACT_MISMATCH where none is. A subject that has a
// digest of folders is none: a file can be made whose sha256 is the root of a
// folder, by writing the digests of its files one after another.
func (s *Statement) AboutFile(d Digests) error {
	if what, is := ofRoot[s.PredicateType]; is {
		return mismatch("the statement is %s", what)
	}
	folder := false
	for i := range s.Subject {
		switch named := s.Subject[i].Digest; {
		case named.Folder():
			folder = folder || named["sha256"] != "" && named["sha256"] == d["sha256"]
		case named.Match(d):
			return nil
		}
	}
	if folder {
		return mismatch("the subject with this digest is a folder, and this is a file")
	}
	return mismatch("no subject of the statement is this file")
}

// AboutFolder decides whether one of the subjects is the folder with these
// [FolderDigests]: every digest that both have is the same, and one of them
// covers the names. ARTIFACT_MISMATCH where none is.
func (s *Statement) AboutFolder(d Digests) error {
	if what := ofRoot[s.PredicateType]; s.PredicateType == modelSignature || s.PredicateType == legacyModelSignature {
		return mismatch("the statement is %s", what)
	}
	if d[dirHash] == "" {
		return mismatch("this folder has no digest that covers names")
	}
	folder := make(Digests, len(d)+1)
	for name, value := range d {
		folder[name] = value
	}
	folder[dirHashTitle] = d[dirHash]
	bare, renamed := false, false
	for i := range s.Subject {
		named := s.Subject[i].Digest
		covers := named[dirHash] != "" || named[dirHashTitle] != ""
		if covers && named.Match(folder) {
			return nil
		}
		if named["sha256"] != "" && named["sha256"] == d["sha256"] {
			bare, renamed = bare || !covers, renamed || covers
		}
	}
	switch {
	case renamed:
		return mismatch("the subject has the same bytes under other names")
	case bare:
		return mismatch("the statement names no digest that covers names: it was made from a bare root; have the folder itself attested")
	}
	return mismatch("no subject of the statement is this folder")
}
