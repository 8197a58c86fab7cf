package finding

import (
	"sort"
	"strings"
)

// MaxDistinct is how many distinct findings one subject keeps. Past it the
// worst stay, the rest are counted under the reason "findings-truncated".
const MaxDistinct = 1000

// MaxReasons is how many reasons one subject keeps; a last one says that there
// were more.
const MaxReasons = 100

// Collector gathers what is found in one subject: it folds repetitions of the
// same fact into one finding with a count, and keeps the reasons why coverage
// is not complete. The zero value is ready; it is not safe for concurrent use.
type Collector struct {
	findings []Finding
	index    map[string]int
	reasons  []string
	seen     map[string]struct{}
	coverage Coverage
	dropped  int
	blocked  bool
	formats  []string
	listings []Listing
	facts    []Fact
	keep     bool
	floor    int // once the cap is reached, nothing kept is milder than this
}

// Fact is something that a detector saw and that can only be judged beside what
// is in other subjects: a chat template, which ought to be the same everywhere.
type Fact struct {
	Kind  string
	Place Place
	Text  string
}

// FactChatTemplate is the kind of a model's chat template.
const FactChatTemplate = "chat-template"

// maxFacts and maxFactText bound what facts keep.
const (
	maxFacts    = 16
	maxFactText = 1 << 20
)

// KeepFacts asks for facts; without it they are dropped.
func (c *Collector) KeepFacts() { c.keep = true }

// Fact records a fact where they are asked for.
func (c *Collector) Fact(f Fact) {
	if c.keep && len(c.facts) < maxFacts && len(f.Text) <= maxFactText {
		c.facts = append(c.facts, f)
	}
}

// Facts gives the facts so far.
func (c *Collector) Facts() []Fact { return c.facts }

// Listing records a program within the subject as pseudo-code.
func (c *Collector) Listing(path, text string) {
	c.listings = append(c.listings, Listing{Path: path, Text: text})
}

// Add records a finding. The same rule at the same path with the same evidence
// is the same fact: its count rises and its last place moves.
func (c *Collector) Add(f Finding) {
	if f.Count == 0 {
		f.Count = 1
	}
	if f.Blocks() {
		c.blocked = true
	}
	key := identity(&f)
	if i, ok := c.index[key]; ok {
		c.merge(&c.findings[i], f)
		return
	}
	if len(c.findings) >= MaxDistinct {
		c.dropped += f.Count
		c.replaceMildest(key, f)
		return
	}
	if c.index == nil {
		c.index = map[string]int{}
	}
	c.index[key] = len(c.findings)
	c.findings = append(c.findings, f)
}

func (c *Collector) merge(into *Finding, f Finding) {
	into.Count += f.Count
	last := f.Place
	if f.Last != nil {
		last = *f.Last
	}
	into.Last = &last
	if f.Severity > into.Severity {
		into.Severity = f.Severity
	}
	if f.Confidence > into.Confidence {
		into.Confidence = f.Confidence
	}
}

// replaceMildest keeps a graver finding that comes after the cap, so that a
// flood of mild ones cannot hide it. Graver is what blocks, then the severity.
func (c *Collector) replaceMildest(key string, f Finding) {
	if gravity(&f) <= c.floor {
		return
	}
	mildest := 0
	for i := range c.findings {
		if gravity(&c.findings[i]) < gravity(&c.findings[mildest]) {
			mildest = i
		}
	}
	c.floor = gravity(&c.findings[mildest])
	if gravity(&f) <= c.floor {
		return
	}
	delete(c.index, identity(&c.findings[mildest]))
	c.findings[mildest] = f
	c.index[key] = mildest
}

func gravity(f *Finding) int {
	g := int(f.Severity) + 1
	if f.Blocks() {
		g += int(Critical) + 1
	}
	return g
}

// Incomplete records that something was not seen. The code is a stable word,
// the detail is for people and may be empty.
func (c *Collector) Incomplete(code, detail string) { c.lower(Incomplete, code, detail) }

// Unsupported records that the subject's kind is not understood.
func (c *Collector) Unsupported(code, detail string) { c.lower(Unsupported, code, detail) }

func (c *Collector) lower(to Coverage, code, detail string) {
	if to > c.coverage {
		c.coverage = to
	}
	reason := code
	if detail != "" {
		reason += ": " + detail
	}
	if _, twice := c.seen[reason]; twice {
		return
	}
	if len(c.reasons) >= MaxReasons {
		reason = "reasons-truncated"
		if _, said := c.seen[reason]; said {
			return
		}
	}
	if c.seen == nil {
		c.seen = map[string]struct{}{}
	}
	c.seen[reason] = struct{}{}
	c.reasons = append(c.reasons, reason)
}

// Merge takes over what another collection found. Its coverage counts only
// where coverage says so: what was looked into on a guess, and turned out to be
// nothing, leaves no gap.
func (c *Collector) Merge(o *Collector, coverage bool) {
	for _, f := range o.findings {
		c.Add(f)
	}
	c.dropped += o.dropped
	c.listings = append(c.listings, o.listings...)
	for _, f := range o.facts {
		c.Fact(f)
	}
	if !coverage {
		return
	}
	for _, r := range o.reasons {
		code, detail, _ := strings.Cut(r, ": ")
		c.lower(o.coverage, code, detail)
	}
}

// Reviews says whether a finding so far makes the verdict at least review.
func (c *Collector) Reviews() bool {
	for i := range c.findings {
		if c.findings[i].Reviews() {
			return true
		}
	}
	return false
}

// Limited says whether a reason so far is a spent limit ("…-limit").
func (c *Collector) Limited() bool {
	for _, r := range c.reasons {
		if code, _, _ := strings.Cut(r, ":"); strings.HasSuffix(code, "-limit") {
			return true
		}
	}
	return false
}

// Format records a format that was recognised, for inventories.
func (c *Collector) Format(name string) {
	for _, f := range c.formats {
		if f == name {
			return
		}
	}
	c.formats = append(c.formats, name)
}

// Blocked says whether a finding so far makes the verdict block.
func (c *Collector) Blocked() bool { return c.blocked }

// Len is the number of distinct findings so far.
func (c *Collector) Len() int { return len(c.findings) }

// Result closes the collection: findings in order of path, offset and rule,
// with fingerprints; coverage, its reasons, and the verdict.
func (c *Collector) Result(id string) Result {
	if c.dropped > 0 {
		c.Incomplete("findings-truncated", "")
	}
	for i := range c.findings {
		c.findings[i].Fingerprint = Fingerprint(id, &c.findings[i])
	}
	sort.SliceStable(c.findings, func(i, j int) bool { return before(&c.findings[i], &c.findings[j]) })
	return Result{
		Verdict: VerdictOf(c.findings, c.coverage), Coverage: c.coverage,
		Reasons: c.reasons, Findings: c.findings, Formats: c.formats, Listings: c.listings,
	}
}

// Result is what examining one subject gave.
type Result struct {
	Verdict  Verdict
	Coverage Coverage
	Reasons  []string
	Findings []Finding
	Formats  []string
	Listings []Listing
}

func before(a, b *Finding) bool {
	if a.Place.Path != b.Place.Path {
		return a.Place.Path < b.Place.Path
	}
	if x, y := offset(a), offset(b); x != y {
		return x < y
	}
	if a.Place.Line != b.Place.Line {
		return a.Place.Line < b.Place.Line
	}
	if a.Rule != b.Rule {
		return a.Rule < b.Rule
	}
	return a.Fingerprint < b.Fingerprint
}

func offset(f *Finding) int64 {
	if f.Place.Offset == nil {
		return -1
	}
	return *f.Place.Offset
}
