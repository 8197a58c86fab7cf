package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/digest"
	"bartizan/attest/manifest/merkle"
	"bartizan/attest/manifest/records"
	"bartizan/attest/tree"
	"bartizan/subject"
)

type manifestDiffCmd struct {
	Before     string `arg:"" name:"a" help:"The manifest of the older version."`
	After      string `arg:"" name:"b" help:"The manifest of the newer version."`
	DataBefore string `placeholder:"PATH" help:"The data of the older version, to count records exactly (with --data-after)."`
	DataAfter  string `placeholder:"PATH" help:"The data of the newer version."`
	saltFlag
	reportFlags
}

// Help is what `bartizan manifest diff --help` says below the usage.
func (manifestDiffCmd) Help() string {
	return `Says what changed between two versions, as far as their manifests show it.

    bartizan manifest diff loans-1.json loans-2.json
    bartizan manifest diff loans-1.json loans-2.json --data-before ./loans-1 --data-after ./loans-2

Files that were added, removed, altered or renamed (the same bytes under another name), and whether the newer names the older as its parent. Of records the manifests alone tell how many there were and are, and whether they are the same ones; a file that was altered and has the same records was only written anew. How many records were added and removed exactly takes the data of both.

What differs is no fault: exit 0. Exit 1 says that a manifest is malformed or the data is not its own.
`
}

func (c *manifestDiffCmd) Run(e *env) error {
	if (c.DataBefore == "") != (c.DataAfter == "") {
		return usagef("--data-before and --data-after: give both")
	}
	reading, err := c.options()
	if err != nil {
		return err
	}
	d := &diffing{cmd: c, reading: reading}
	if err = d.run(e.ctx); err != nil {
		return reportOn(e, &c.reportFlags, subject.Dataset, c.After, nil, err)
	}
	report, err := claim(subject.Subject{Kind: subject.Kind(d.after.Kind), ID: c.After, Size: -1}, nil)
	if err != nil {
		return err
	}
	if c.Format == "table" {
		return c.print(e, d)
	}
	if report.Detail, err = d.detail(); err != nil {
		return err
	}
	report.Digest, report.Size = d.after.Root.String(), d.after.Size()
	return c.printReports(e, report)
}

// diffing is one comparison.
type diffing struct {
	cmd           *manifestDiffCmd
	reading       records.Options
	before, after *manifest.Manifest
	*manifest.Difference
	parent         string // named, other, none
	added, removed uint64 // records, where exact
	exact          bool
}

func (d *diffing) run(ctx context.Context) (err error) {
	if d.before, err = manifestAt(d.cmd.Before); err != nil {
		return fmt.Errorf("%s: %w", d.cmd.Before, err)
	}
	if d.after, err = manifestAt(d.cmd.After); err != nil {
		return fmt.Errorf("%s: %w", d.cmd.After, err)
	}
	d.Difference = manifest.Diff(d.before, d.after)
	switch err := d.after.CheckParent(d.before); {
	case err == nil:
		d.parent = "named"
	case len(attest.Refusals(err)) == 0:
		return err
	case d.after.Parent == nil:
		d.parent = "none"
	default:
		d.parent = "other"
	}
	if d.cmd.DataBefore == "" {
		return nil
	}
	return d.count(ctx)
}

// count compares the records themselves.
func (d *diffing) count(ctx context.Context) error {
	if d.Records == nil {
		return usagef("--data-before: one of the manifests does not commit to records")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(tightGC))
	before, err := d.read(ctx, d.before, d.cmd.DataBefore)
	if err != nil {
		return err
	}
	after, err := d.read(ctx, d.after, d.cmd.DataAfter)
	if err != nil {
		return err
	}
	d.added, d.removed = merkle.Compare(before, after)
	d.exact = true
	return nil
}

// read gives the tree over all records of a version, which is that of its manifest.
func (d *diffing) read(ctx context.Context, m *manifest.Manifest, data string) (*merkle.Tree, error) {
	if err := sameSalt(m.Records, d.reading.Salt); err != nil {
		return nil, err
	}
	root, err := tree.Open(data)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	p := proving{manifestProveCmd: &manifestProveCmd{}, manifest: m}
	files, err := p.manifestFiles(root)
	if err != nil {
		return nil, err
	}
	read, err := records.ReadListed(ctx, root, files, d.reading)
	if err != nil {
		return nil, err
	}
	set := records.NewSet(read, d.reading.Salt)
	return set.Tree, p.agrees(set)
}

// maxRows bounds each list of a report; counts are always whole.
const maxRows = 1000

func capped[T any](all []T) []T { return append([]T{}, all[:min(len(all), maxRows)]...) }

func (d *diffing) detail() (map[string]any, error) {
	before, err := d.before.Digest()
	if err != nil {
		return nil, err
	}
	after, err := d.after.Digest()
	if err != nil {
		return nil, err
	}
	altered := []map[string]any{}
	for _, a := range capped(d.Altered) {
		row := map[string]any{"name": a.Name, "before": digest.SHA256(a.Before).String(), "after": digest.SHA256(a.After).String()}
		if a.KnownOfRecords {
			row["same_records"] = a.SameRecords
		}
		altered = append(altered, row)
	}
	renamed := []map[string]any{}
	for _, r := range capped(d.Renamed) {
		renamed = append(renamed, map[string]any{"from": r.From, "to": r.To})
	}
	out := map[string]any{
		"before": before.String(), "after": after.String(), "parent": d.parent,
		"added": capped(d.Added), "removed": capped(d.Removed), "altered": altered, "renamed": renamed,
		"counts": map[string]any{"added": len(d.Added), "removed": len(d.Removed), "altered": len(d.Altered), "renamed": len(d.Renamed), "unchanged": d.Unchanged},
	}
	if r := d.Records; r != nil {
		row := map[string]any{"before": r.Before, "after": r.After, "comparable": r.Comparable, "same": r.Same, "min_added": r.MinAdded, "min_removed": r.MinRemoved}
		if d.exact {
			row["added"], row["removed"] = d.added, d.removed
		}
		out["records"] = row
	}
	return out, nil
}

// print writes the difference for people.
func (c *manifestDiffCmd) print(e *env, d *diffing) error {
	out, err := openOutput(c.Output, e.out)
	if err != nil {
		return err
	}
	defer out.discard()
	if _, err := out.Write([]byte(d.text())); err != nil {
		return err
	}
	return out.commit()
}

func (d *diffing) text() string {
	var b strings.Builder
	for _, name := range d.Added {
		fmt.Fprintf(&b, "added    %s\n", text(name))
	}
	for _, name := range d.Removed {
		fmt.Fprintf(&b, "removed  %s\n", text(name))
	}
	for _, a := range d.Altered {
		same := ""
		if a.SameRecords {
			same = "  (the same records, written anew)"
		}
		fmt.Fprintf(&b, "altered  %s%s\n", text(a.Name), same)
	}
	for _, r := range d.Renamed {
		fmt.Fprintf(&b, "renamed  %s -> %s\n", text(r.From), text(r.To))
	}
	fmt.Fprintf(&b, "%d added, %d removed, %d altered, %d renamed, %d unchanged\n", len(d.Added), len(d.Removed), len(d.Altered), len(d.Renamed), d.Unchanged)
	if r := d.Records; r != nil {
		fmt.Fprintf(&b, "%s\n", d.recordText(r))
	}
	switch d.parent {
	case "named":
		b.WriteString("the newer names the older as its parent\n")
	case "other":
		b.WriteString("the newer names another parent\n")
	}
	return b.String()
}

func (d *diffing) recordText(r *manifest.RecordDifference) string {
	line := fmt.Sprintf("records: %d before, %d after", r.Before, r.After)
	switch {
	case d.exact:
		return line + fmt.Sprintf("; %d added, %d removed", d.added, d.removed)
	case r.Same:
		return line + "; the same ones"
	case !r.Comparable:
		return line + "; salted differently, so no more can be said"
	}
	return line + fmt.Sprintf("; at least %d added and %d removed (exactly: with the data of both)", r.MinAdded, r.MinRemoved)
}
