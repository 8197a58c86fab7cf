// Package oms signs and verifies models and datasets as OpenSSF Model Signing
// v1.0 has it (https://github.com/ossf/model-signing-spec): a detached sigstore
// bundle whose DSSE envelope holds an in-toto statement that lists every file,
// or every shard of every file, with its digest.
//
// A verification has two halves. [Authenticate] decides who signed what, on the
// evidence of the bundle and of the key, certificates or identity that the
// caller trusts; it opens no file of the tree. [Model.Check] decides whether a
// tree consists of those bytes and of nothing else, on the evidence of digests
// that it computes. Only a caller who does both may load the tree, and only the
// bytes that were hashed: see package load.
//
// The signer is not trusted beyond their signature. An accepted key cannot make
// the verifier open a file outside the root, leave what could be loaded out of
// the signature, or list one file with two digests.
//
// What it cannot see: whether what was signed is any good; files under .git and
// .github; empty files that were added to a tree that is signed by shards,
// since the format does not list empty files there.
package oms

import (
	"path"

	"bartizan/attest/bundle"
	"bartizan/attest/hashing"
	"bartizan/attest/loadable"
	"bartizan/attest/tree"
)

// PredicateType and LegacyPredicateType name the statements: of the
// specification, and of releases before it, which list files as subjects.
const (
	PredicateType       = "https://model_signing/signature/v1.0"
	LegacyPredicateType = "https://model_signing/Digests/v0.1"
)

// MaxResources is how many files or shards one statement may list.
const MaxResources = 1_000_000

// Methods of serialization.
const (
	methodFiles  = "files"
	methodShards = "shards"
)

// DefaultIgnores are paths that are never signed: what Git keeps, which no
// loader reads.
func DefaultIgnores() []string {
	return []string{gitFolder, ".gitattributes", githubFolder, ".gitignore"}
}

const gitFolder, githubFolder = ".git", ".github"

// MayBeBundle says whether a bundle within the tree may have that name: it is
// not signed, and its text is not all fixed by the signature, so no loader may
// go by the name; but for JSON, as which it says nothing to any of them.
func MayBeBundle(name string) bool {
	return !loadable.Name(name) || path.Ext(name) == ".json"
}

// Resource is one file, or one shard of one, with the digest that was signed.
type Resource struct {
	Name string
	// Start and End are the bytes of a shard; 0 and -1 for a whole file.
	Start, End int64
	Digest     []byte
}

// Whole says that the resource is a whole file.
func (r *Resource) Whole() bool { return r.End < 0 }

// Model is what a bundle vouches for.
type Model struct {
	// Name is what the signer called it; it decides nothing.
	Name string
	// Root is the subject's digest: SHA-256 over the resources' digests in their
	// order. Datasets and models are known by it elsewhere.
	Root [32]byte
	// Algorithm is that of every resource's digest.
	Algorithm hashing.Algorithm
	// ShardSize is 0 where whole files are signed.
	ShardSize int64
	Resources []Resource
	// Ignored are the paths that the signer left out.
	Ignored []string
	// Legacy says that the statement is of a release before the specification,
	// whose root digest nobody signed.
	Legacy bool
	Signer Signer

	entries []tree.Entry // as they were when Describe hashed them
}

// Signer is who vouches, as far as the method proves it.
type Signer struct {
	Method bundle.Method
	// Key is the fingerprint of the key that verified, for the method key; of the
	// leaf certificate for the others.
	Key string
	// Kind is that of the key, as keys.Public names it.
	Kind string
	// Identity and Issuer are proven by the keyless method; Identity is the
	// subject of the leaf for the method certificate.
	Identity, Issuer string
}

// pathSet is a set of files and folders.
type pathSet map[string]bool

func newPathSet(paths []string) pathSet {
	s := make(pathSet, len(paths))
	for _, p := range paths {
		s[p] = true
	}
	return s
}

// holds says whether name is one of the paths or lies below one.
func (s pathSet) holds(name string) bool {
	if len(s) == 0 {
		return false
	}
	for ; name != "."; name = path.Dir(name) {
		if s[name] {
			return true
		}
	}
	return s["."]
}
