package statement

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Digests are the digests of one thing by algorithm, the DigestSet of in-toto
// (spec/v1/digest_set.md): {"sha256": "…"}, in lower-case hexadecimal.
type Digests map[string]string

// algorithm is what is known of one.
type algorithm struct {
	lengths []int // of the hexadecimal text
	binds   bool  // nobody can make a second thing with the digest of a first that he made as well
}

// algorithms is read only: the names of in-toto's DigestSet, and blake3.
// gitCommit, gitTree, gitBlob and gitTag are SHA-1 (40) or SHA-256 (64); git
// itself refuses the known way of making SHA-1 collisions, and nothing else
// names a commit, so that they bind where there is nothing better.
var algorithms = map[string]algorithm{
	"sha224": {[]int{56}, true}, "sha256": {[]int{64}, true}, "sha384": {[]int{96}, true}, "sha512": {[]int{128}, true},
	"sha512_224": {[]int{56}, true}, "sha512_256": {[]int{64}, true},
	"sha3_224": {[]int{56}, true}, "sha3_256": {[]int{64}, true}, "sha3_384": {[]int{96}, true}, "sha3_512": {[]int{128}, true},
	"blake2b": {[]int{128}, true}, "blake2s": {[]int{64}, true}, "blake3": {[]int{64}, true},
	"sm3": {[]int{64}, true}, "dirHash": {[]int{64}, true}, "dirHash1": {[]int{64}, true},
	"gitCommit": {[]int{40, 64}, true}, "gitTree": {[]int{40, 64}, true}, "gitBlob": {[]int{40, 64}, true}, "gitTag": {[]int{40, 64}, true},
	"sha1": {[]int{40}, false}, "md5": {[]int{32}, false}, "ripemd160": {[]int{40}, false}, "gost": {[]int{64}, false},
}

// SHA256 gives the digests of a thing of which sha256 is known, as hexadecimal.
func SHA256(hex string) Digests { return Digests{"sha256": hex} }

// Match says whether both are of the same thing: they have at least one digest
// in common that binds (not MD5, SHA-1, RIPEMD-160 or an algorithm that is not
// known), and every known digest that both have is the same. That is stricter
// than in-toto's "any acceptable field matches": one statement whose digests
// contradict a thing is not about that thing.
func (d Digests) Match(other Digests) bool {
	bound := false
	for name, value := range d {
		known, is := algorithms[name]
		if !is || other[name] == "" {
			continue
		}
		if other[name] != value {
			return false
		}
		bound = bound || known.binds
	}
	return bound
}

// Binds says whether at least one of the digests is of an algorithm that binds.
func (d Digests) Binds() bool {
	for name := range d {
		if algorithms[name].binds {
			return true
		}
	}
	return false
}

// String gives "algorithm:hex", of sha256 where it is there, else of the first
// by name that binds, else of the first by name.
func (d Digests) String() string {
	if v := d["sha256"]; v != "" {
		return "sha256:" + v
	}
	names := d.names()
	for _, n := range names {
		if algorithms[n].binds {
			return n + ":" + d[n]
		}
	}
	if len(names) > 0 {
		return names[0] + ":" + d[names[0]]
	}
	return ""
}

// ParseDigest reads "sha256:…", "gitCommit:…" and the other known algorithms.
func ParseDigest(text string) (Digests, error) {
	name, value, ok := strings.Cut(text, ":")
	if _, known := algorithms[name]; !ok || !known {
		return nil, fmt.Errorf("%q is no digest: write it as sha256:HEX", clip(text))
	}
	d := Digests{name: value}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d Digests) names() []string {
	names := make([]string, 0, len(d))
	for n := range d {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (d Digests) check() error {
	if len(d) > MaxDigests {
		return fmt.Errorf("%d digests, more than %d", len(d), MaxDigests)
	}
	for name, value := range d {
		if name == "" || len(name) > MaxName || value == "" || len(value) > MaxName {
			return errors.New("a digest without algorithm or value, or too long")
		}
		known, is := algorithms[name]
		if !is {
			continue // "consumers MUST ignore unrecognized algorithms"
		}
		if !known.fits(value) {
			return fmt.Errorf("the digest %s is not lower-case hexadecimal of %s characters", name, lengths(known.lengths))
		}
	}
	return nil
}

func (a algorithm) fits(value string) bool {
	for _, n := range a.lengths {
		if len(value) == n {
			return isHex(value)
		}
	}
	return false
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func lengths(all []int) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = fmt.Sprint(n)
	}
	return strings.Join(texts, " or ")
}
