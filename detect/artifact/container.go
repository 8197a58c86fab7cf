package artifact

import (
	"context"
	"path"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/detect/container"
	"bartizan/finding"
)

// forgetEvery is how many bytes of a mapped archive are walked between two
// releases of its pages.
const forgetEvery = 8 << 20

// archive lets the engine walk a container: each member becomes a child.
type archive struct{ container.Format }

// containers adapts every container format.
func containers() []format.Format {
	var out []format.Format
	for i, f := range container.Formats() {
		a := format.Format(archive{f})
		if i == 0 {
			a = firstArchive{archive{f}}
		}
		out = append(out, a)
	}
	return out
}

// firstArchive brings the rules, which all containers share.
type firstArchive struct{ archive }

func (firstArchive) Rules() []finding.Rule { return container.Rules() }

func (archive) Rules() []finding.Rule { return nil }

func (a archive) Match(p *format.Probe) bool {
	return (p.Hint == "" || p.Hint == a.Name()) && a.Format.Match(p.Head, p.Tail, p.Size)
}

func (a archive) Scan(ctx context.Context, art *format.Artifact) error {
	in := container.In{Blob: art.Blob, Path: art.Path, Budget: art.Budget, Out: art.Out}
	var torch torchArchive
	var seen int64
	err := a.Walk(ctx, in, func(ctx context.Context, m *container.Member) error {
		if m.Offset > seen+forgetEvery { // what lies behind need not stay resident
			art.Blob.Forget(seen, m.Offset)
			seen = m.Offset
		}
		if hint := legacyMember(a.Name(), m); hint != "" && m.Kind != container.File {
			art.Incomplete("link-member", m.Label()+" is a link, under a name that torch.load unpickles")
		}
		if m.Kind != container.File {
			return nil
		}
		if art.Budget.Spent() {
			art.Out.Incomplete("budget-limit", "the rest was not opened")
			return nil
		}
		blob, release, err := m.Open(ctx)
		if err != nil {
			return err
		}
		defer release()
		return art.Child(ctx, format.Child{Name: m.Name, Label: m.Label(), Blob: blob, Hint: legacyMember(a.Name(), m),
			Probed: m.Probed() || torch.storage(m.Name)})
	})
	torch.check(art)
	return err
}

// legacyMember is the hint for the members that torch.load unpickles of a tar,
// its oldest format, whatever they hold.
func legacyMember(archive string, m *container.Member) string {
	if archive != "tar" {
		return ""
	}
	for _, name := range append([]string{m.Name}, m.Aliases...) {
		switch path.Clean(name) {
		case "storages", "tensors", "pickle":
			return "pickle"
		}
	}
	return ""
}

// torchArchive notices the members of a zip in which torch.save keeps raw
// numbers: they have no format of their own, and are trusted only beside the
// pickle that describes them.
type torchArchive struct {
	pickles, raw map[string]bool
	kind         string // of an archive whose analysis is still to come
}

// storage says whether a member is raw data by the place it has in the archive.
func (t *torchArchive) storage(name string) bool {
	dir, base := path.Split(name)
	if t.pickles == nil {
		t.pickles, t.raw = map[string]bool{}, map[string]bool{}
	}
	switch {
	case base == "metadata.json" && dir == "":
		t.kind = "keras"
	case base == "archive_format" || path.Base(dir) == "models" && strings.HasSuffix(base, ".json"):
		t.kind = "torch-export"
	case base == "MANIFEST.json" && path.Base(dir) == "MAR-INF":
		t.kind = "torch-model-archive"
	case base == "schema.json" && dir == "":
		t.kind = "skops"
	}
	if base == "data.pkl" || base == "constants.pkl" {
		t.pickles[dir] = true
		return false
	}
	switch parent, last := path.Split(strings.TrimSuffix(dir, "/")); last {
	case "data", "constants":
		if strings.Trim(base, "0123456789") != "" {
			return false // torch numbers what it stores
		}
		t.raw[parent] = true
		return true
	case ".data":
		t.raw[parent] = true
		return base == "serialization_id"
	}
	return false
}

// check takes the trust back where no pickle describes the raw members.
func (t *torchArchive) check(a *format.Artifact) {
	if t.kind == "" && strings.HasSuffix(lowerBase(a.Name), ".keras") {
		t.kind = "keras"
	}
	if t.kind != "" {
		a.Out.Unsupported("format-not-analysed", a.Path+": "+t.kind)
	}
	for dir := range t.raw {
		if !t.pickles[dir] {
			a.Out.Unsupported("unknown-format", "raw data without the pickle that describes it")
		}
	}
}
