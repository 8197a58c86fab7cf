package tree

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"bartizan/attest"
)

// folded is a name with the form in which colliding names are equal.
type folded struct{ key, name string }

// checkTogether finds duplicates and collisions among names that are clean.
//
// The folded names are sorted as paths, with the slash before every other byte:
// then equal ones are neighbours, and whatever lies below a name follows it.
func checkTogether(names []string, found *refusals) {
	all := make([]folded, len(names))
	caser := cases.Fold()
	for i, name := range names {
		all[i] = folded{fold(caser, name), name}
	}
	slices.SortFunc(all, func(a, b folded) int {
		if c := comparePaths(a.key, b.key); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	for i := 1; i < len(all); i++ {
		if err := collide(all[i-1], all[i]); err != nil && !found.add(err) {
			return
		}
	}
}

// collide says why two neighbours cannot both be.
func collide(a, b folded) error {
	rest, below := strings.CutPrefix(b.key, a.key)
	switch {
	case a.name == b.name:
		return attest.Refuse(attest.OMSNameDuplicate, Show(b.name), "the name stands twice")
	case a.key == b.key:
		return attest.Refuse(attest.OMSNameCollision, Show(b.name), "the same file as %s where case or Unicode form does not count", Show(a.name))
	case below && rest[0] == '/':
		return attest.Refuse(attest.OMSNameCollision, Show(b.name), "%s is a file and cannot be its folder", Show(a.name))
	}
	return nil
}

// comparePaths orders by bytes, but the slash before all others.
func comparePaths(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		if a[i] == '/' || b[i] != '/' && a[i] < b[i] {
			return -1
		}
		return 1
	}
	return len(a) - len(b)
}

// fold is canonical caseless matching of the Unicode Standard (3.13, D145),
// composed: full case folding, so that "straße" is "STRASSE" as in ext4 and
// APFS. Names that are their own form cost nothing.
func fold(caser cases.Caser, name string) string {
	if isPlain(name) {
		return name
	}
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return norm.NFC.String(caser.String(norm.NFD.String(name)))
		}
	}
	return strings.ToLower(name)
}

// isPlain says that a name is its own folded form: ASCII without upper case.
func isPlain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return true
}
