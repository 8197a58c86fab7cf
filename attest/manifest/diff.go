package manifest

import (
	"sort"

	"bartizan/attest/manifest/digest"
)

// Difference is what two manifests alone show to differ.
type Difference struct {
	Added   []string
	Removed []string
	Altered []Altered
	Renamed []Renamed // the same bytes under another name
	// Unchanged counts files of the same name and bytes.
	Unchanged int
	// Records is nil where one of the two has none.
	Records *RecordDifference
}

// Altered is a file of which the bytes differ.
type Altered struct {
	Name           string
	Before, After  digest.Hex // SHA-256
	SameRecords    bool       // the same records all the same: in another order or another writing
	KnownOfRecords bool       // both have a record root with the same salt
}

// Renamed is a file that is there under another name.
type Renamed struct{ From, To string }

// RecordDifference is what can be said of records without them.
type RecordDifference struct {
	Before, After uint64 // how many there are
	// Comparable says that both are of the same salt; else nothing of the rest is known.
	Comparable bool
	// Same says that both have the same records equally often, under the same
	// headers and schemas.
	Same bool
	// At least so many were added and removed: what the counts alone demand.
	// How many exactly takes the records of both.
	MinAdded, MinRemoved uint64
}

// Diff compares two manifests, before and after.
func Diff(before, after *Manifest) *Difference {
	d := &Difference{}
	old := make(map[string]*File, len(before.Files))
	for i := range before.Files {
		old[before.Files[i].Name] = &before.Files[i]
	}
	var added []*File
	for i := range after.Files {
		f := &after.Files[i]
		was, ok := old[f.Name]
		delete(old, f.Name)
		switch {
		case !ok:
			added = append(added, f)
		case was.SHA256 == f.SHA256 && was.BLAKE3 == f.BLAKE3:
			d.Unchanged++
		default:
			a := Altered{Name: f.Name, Before: was.SHA256, After: f.SHA256}
			a.KnownOfRecords, a.SameRecords = sameRecords(before, after, f.Name)
			d.Altered = append(d.Altered, a)
		}
	}
	removed := make([]*File, 0, len(old))
	for _, f := range old {
		removed = append(removed, f)
	}
	sort.Slice(removed, func(i, j int) bool { return removed[i].Name < removed[j].Name })
	d.pair(removed, added)
	d.Records = diffRecords(before.Records, after.Records)
	return d
}

// pair finds files that only changed their names: of several with the same bytes
// the first goes with the first.
func (d *Difference) pair(removed, added []*File) {
	type content struct{ sha256, blake3 digest.Hex }
	free := map[content][]*File{}
	for _, f := range removed {
		key := content{f.SHA256, f.BLAKE3}
		free[key] = append(free[key], f)
	}
	moved := map[string]bool{}
	for _, f := range added {
		key := content{f.SHA256, f.BLAKE3}
		if from := free[key]; len(from) > 0 {
			free[key] = from[1:]
			moved[from[0].Name] = true
			d.Renamed = append(d.Renamed, Renamed{From: from[0].Name, To: f.Name})
			continue
		}
		d.Added = append(d.Added, f.Name)
	}
	for _, f := range removed {
		if !moved[f.Name] {
			d.Removed = append(d.Removed, f.Name)
		}
	}
}

func sameRecords(before, after *Manifest, name string) (known, same bool) {
	if !comparable(before.Records, after.Records) {
		return false, false
	}
	a, b := before.Records.File(name), after.Records.File(name)
	if a == nil || b == nil {
		return false, false
	}
	return true, a.Root == b.Root
}

// comparable says whether equal records have equal digests in both.
func comparable(a, b *Records) bool {
	if a == nil || b == nil || (a.Salt == nil) != (b.Salt == nil) {
		return false
	}
	return a.Salt == nil || *a.Salt == *b.Salt
}

func diffRecords(before, after *Records) *RecordDifference {
	if before == nil || after == nil {
		return nil
	}
	d := &RecordDifference{Before: before.Count, After: after.Count, Comparable: comparable(before, after)}
	d.Same = d.Comparable && before.Root == after.Root
	if d.Same {
		return d
	}
	if after.Count > before.Count {
		d.MinAdded = after.Count - before.Count
	} else {
		d.MinRemoved = before.Count - after.Count
	}
	return d
}
