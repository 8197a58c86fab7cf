package pickle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/symbol"
	"bartizan/detect/input"
	"bartizan/finding"
)

const (
	// maxStreams bounds the streams of one artefact.
	maxStreams = 10_000
	// afterMissing is how many streams to go on through after one that needs the
	// memo of those before it.
	afterMissing = 16
	// maxReadings bounds the ways in which one stream is read.
	maxReadings = 64
	// legacyStreams is how many streams torch.load reads of a legacy file.
	legacyStreams = 5
)

// torchMagic is the first stream of a legacy torch file (torch/serialization.py MAGIC_NUMBER).
var torchMagic = []byte("\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.")

// scanner examines one artefact: its streams, and the readings of each.
type scanner struct {
	ctx     context.Context
	a       *format.Artifact
	m       *machine
	events  events
	hidden  []hidden
	listing *listing
	full    bool
	// missing says that the last stream failed, after it resolved a name or for
	// a memo key that it never stored: with the memo of the one before it may not.
	missing bool
	// guessed says that nothing but their run made the bytes a stream: where they
	// fail and do nothing, they are none.
	guessed bool
	// frameEnd is where its frame ends behind its STOP, or 0.
	frameEnd int
	// ends is where the other readings of the last stream ended.
	ends []int
}

func newScanner(ctx context.Context, a *format.Artifact, m *machine, db *symbol.DB, t *trace) *scanner {
	s := &scanner{ctx: ctx, a: a, m: m}
	s.events = events{path: a.Path, seen: map[eventKey]struct{}{}, trace: t, tar: legacyTar(a)}
	m.ctx, m.db, m.events, m.listing = ctx, db, &s.events, nil
	m.script = scriptMember(a)
	if m.symIndex == nil {
		m.symIndex = map[string]uint32{}
	}
	return s
}

// scan goes through the streams of data. It records what it found in the artefact.
func (s *scanner) scan(data []byte) error {
	legacy := bytes.HasPrefix(data, torchMagic) || len(data) > 2 && bytes.HasPrefix(data[2:], torchMagic)
	pos, streams := 0, 0
	starts := []int{0}
	seen := map[int]bool{}
	for len(starts) > 0 {
		at := starts[0]
		starts = starts[1:]
		if seen[at] || at >= len(data) {
			continue
		}
		if len(seen) == maxStreams {
			s.a.Incomplete("stream-limit", fmt.Sprintf("more than %d streams", maxStreams))
			pos = len(data) // more of the same: the rest is not looked at
			break
		}
		if legacy && streams == legacyStreams {
			pos = len(data) // raw storages: nobody unpickles them
			break
		}
		seen[at] = true
		end, ok, err := s.stream(data[at:], at, len(seen)-1)
		if err != nil {
			s.report() // what was found before the time was over counts
			return err
		}
		if ok {
			streams++
		}
		if s.missing {
			streams += afterMissing
		}
		if ok {
			pos = max(pos, at+end)
			starts = append(starts, at+end)
			if s.frameEnd > 0 {
				starts = append(starts, at+s.frameEnd)
			}
			for _, e := range s.ends {
				starts = append(starts, at+e)
			}
		}
	}
	if streams > 1 && len(seen) > 1 {
		if err := s.through(data, streams-1); err != nil {
			s.report()
			return err
		}
	}
	if err := s.rest(data, pos); err != nil {
		return err
	}
	s.report()
	return s.children()
}

// stream examines the stream that starts at base. ok is false where nothing can
// follow it.
func (s *scanner) stream(data []byte, base, index int) (end int, ok bool, err error) {
	s.events.base, s.ends = base, s.ends[:0]
	mark := s.snapshot()
	s.m.listing = s.listing
	s.listing.reset(mark.lines)
	s.m.forget = s.forgetFrom(base)
	s.m.literal = literalSink{}
	first, err := s.read(data, reading{})
	if err != nil {
		return 0, false, err
	}
	if first.joblib {
		s.events.finish(s.m)
		s.keepNamed(mark)
		s.listing.reset(mark.lines)
		s.m.literal = literalSink{}
		if first, err = s.read(data, reading{joblib: true}); err != nil {
			return 0, false, err
		}
	}
	s.frameEnd = s.m.stopFrame
	s.missing = first.fault != nil && (first.fault.code == "missing-memo" || len(s.events.names) > mark.names)
	if first.fault != nil && index > 0 && !first.fence && first.crossings == 0 && !s.countsAsStream(data, mark) {
		s.rollback(mark)
		return 0, false, nil
	}
	s.events.finish(s.m)
	if first.fault != nil && s.guessed && !s.acted(mark, data) {
		s.rollback(mark)
		s.a.Withdrawn = index == 0
		return 0, false, nil
	}
	s.collect(s.m.literal, base)
	s.exhaustion()
	s.m.listing.result(s.m)
	s.m.listing = nil
	other, err := s.others(data, reading{}, first)
	if err != nil {
		return 0, false, err
	}
	s.coverage(first, base)
	if first.fault != nil && other > 0 {
		return other, true, nil
	}
	return first.end, first.fault == nil, nil
}

// through reads all streams with one memo, as an Unpickler does whose load is
// called again and again.
func (s *scanner) through(data []byte, stops int) error {
	s.events.base = 0
	s.m.forget = s.forgetFrom(0)
	s.m.literal = literalSink{off: true}
	r := reading{through: stops}
	o, err := s.read(data, r)
	if err != nil {
		return err
	}
	s.events.finish(s.m)
	_, err = s.others(data, r, o)
	return err
}

// acted says whether a guessed stream did something before it failed: it resolved
// a name of identifiers, and where it is text, whose lines may look like names,
// what such a name does blocks.
func (s *scanner) acted(since snapshot, data []byte) bool {
	if isText(data[:min(len(data), format.HeadBytes)]) {
		for _, f := range s.events.found[since.found:] {
			if name, ok := f.Evidence["symbol"].(string); ok && f.Blocks() && plausibleName(name) {
				return true
			}
		}
		return false
	}
	for _, n := range s.events.names[since.names:] {
		if plausibleName(n) {
			return true
		}
	}
	return false
}

// countsAsStream says whether bytes behind a stream that end in a fault are a
// stream all the same: they start as one, or call something.
func (s *scanner) countsAsStream(data []byte, mark snapshot) bool {
	return data[0] == opProto && len(data) > 1 && data[1] <= HighestProtocol || s.events.blocking > mark.blocking
}

// outcome is how one reading ended.
type outcome struct {
	end                int
	fault, soft        *fault
	crossings          int
	fence, oddKey, odd bool
	mixedKeys          bool
	frames             bool
	joblib             bool
	buffers            bool
}

func (s *scanner) read(data []byte, r reading) (outcome, error) {
	if t := s.events.trace; t != nil {
		clear(t.alias)
	}
	s.m.begin(data, r)
	end := s.m.run(0)
	if s.m.err != nil {
		return outcome{}, s.m.err
	}
	m := s.m
	return outcome{end: end, fault: m.fault, soft: m.softFault, crossings: m.crossings, fence: m.sawFence, oddKey: m.sawOddKey,
		odd: m.sawOddName, mixedKeys: m.sawTextKey && m.sawNumberKey, frames: m.nestedFrame || m.shortFrame, joblib: m.sawJoblib && !r.joblib, buffers: m.buffers}, nil
}

// others follows every other way in which an interpreter may read the stream
// than r. It gives where one of them ended with a STOP, or 0.
func (s *scanner) others(data []byte, r reading, first outcome) (end int, err error) {
	if first.crossings == 0 && !first.fence && !first.oddKey && !first.mixedKeys {
		return 0, nil
	}
	queue := variants(r, first)
	count := 1
	for len(queue) > 0 {
		if count++; count > maxReadings || !s.a.Budget.Work(int64(len(data))) {
			s.tooManyReadings(count, first)
			return end, nil
		}
		r := queue[0]
		queue = queue[1:]
		s.m.literal = literalSink{}
		o, err := s.read(data, r)
		if err != nil {
			return 0, err
		}
		if o.fault == nil {
			end = max(end, o.end)
			s.ends = append(s.ends, o.end)
			if s.m.stopFrame > 0 {
				s.ends = append(s.ends, s.m.stopFrame)
			}
		}
		s.collect(s.m.literal, s.events.base)
		s.events.finish(s.m)
		queue = append(queue, variants(r, o)...)
	}
	if first.crossings > 0 {
		s.frames(count, finding.Medium)
	}
	return end, nil
}

// tooManyReadings ends the search where a stream can be read in more ways than
// are followed: only a stream built for it can.
func (s *scanner) tooManyReadings(count int, first outcome) {
	s.events.trace.unfolded()
	if count <= maxReadings {
		s.a.Incomplete("work-limit", fmt.Sprintf("%d ways to read the stream were followed", count-1))
	} else {
		s.a.Incomplete("readings-limit", fmt.Sprintf("more than %d ways to read the stream", count-1))
	}
	if first.crossings > 0 {
		s.frames(count, finding.High)
	}
}

func (s *scanner) frames(readings int, severity finding.Severity) {
	f := s.events.add(&ruleFrames, 0, "", "a frame ends within an opcode: interpreters read on at different bytes", map[string]any{"readings": readings})
	if f != nil {
		s.events.raise(f, severity)
	}
}

// variants are the readings that differ from r in one decision that r met
// first, so that each is followed once.
func variants(r reading, o outcome) []reading {
	var out []reading
	for i := len(r.discard); i < o.crossings && i < maxReadings; i++ {
		v := r
		v.discard = make([]bool, i+1)
		copy(v.discard, r.discard)
		v.discard[i] = true
		out = append(out, v)
	}
	if len(r.discard) > 0 {
		return out
	}
	for _, v := range []reading{
		{marksOnStack: o.fence || r.marksOnStack, keys: r.keys},
		{marksOnStack: r.marksOnStack, keys: max(r.keys, keyMode(b2i(o.oddKey)))},
		{marksOnStack: false, keys: max(r.keys, 2*keyMode(b2i(o.oddKey || o.mixedKeys)))},
	} {
		if v.marksOnStack != r.marksOnStack && v.marksOnStack || v.keys > r.keys {
			v.joblib, v.through = r.joblib, r.through
			out = append(out, v)
		}
	}
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// coverage says what of the first reading was not seen or is not certain.
func (s *scanner) coverage(o outcome, base int) {
	if f := o.fault; f != nil {
		code := "malformed-pickle"
		if strings.HasSuffix(f.code, "-limit") {
			code = f.code
		}
		detail := fmt.Sprintf("%s at offset %d: %s", f.code, base+f.off, f.detail)
		if code == f.code {
			detail = fmt.Sprintf("at offset %d: %s", base+f.off, f.detail)
		}
		s.a.Incomplete(code, detail)
	}
	if f := o.soft; f != nil {
		s.a.Incomplete("malformed-pickle", fmt.Sprintf("%s at offset %d: %s", f.code, base+f.off, f.detail))
	}
	if o.buffers {
		s.a.Incomplete("out-of-band", "the stream takes buffers from outside the file")
	}
	if o.crossings > 0 || o.frames || o.fence || o.oddKey || o.odd {
		s.a.Incomplete("interpreters-differ", fmt.Sprintf("the stream at offset %d is read differently by different Pythons", base))
	}
}

func (s *scanner) forgetFrom(base int) func(from, to int) {
	blob := s.a.Blob
	return func(from, to int) { blob.Forget(int64(base+from), int64(base+to)) }
}

// snapshot and rollback take back the findings of bytes that are no stream.
type snapshot struct{ found, names, combiners, blocking, lines int }

func (s *scanner) snapshot() snapshot {
	e := &s.events
	return snapshot{len(e.found), len(e.names), len(e.combiners), e.blocking, s.listing.len()}
}

func (s *scanner) rollback(to snapshot) {
	e := &s.events
	for _, f := range e.found[to.found:] {
		for k := range e.seen {
			if k.rule == f.Rule && int64(k.off) == *f.Place.Offset {
				delete(e.seen, k)
			}
		}
	}
	s.listing.reset(to.lines)
	e.found, e.names, e.combiners, e.blocking = e.found[:to.found], e.names[:to.names], e.combiners[:to.combiners], to.blocking
}

// keepNamed keeps of the plain reading of a joblib file what stands for itself: it
// takes raw arrays for opcodes, and a persistent id or an extension code appears
// there by chance, a name of identifiers that blocks does not.
func (s *scanner) keepNamed(since snapshot) {
	var kept []finding.Finding
	for _, f := range s.events.found[since.found:] {
		if name, ok := f.Evidence["symbol"].(string); f.Blocks() && (ok && plausibleName(name) || f.Rule == ruleComputedName.ID) {
			kept = append(kept, f)
		}
	}
	s.rollback(since)
	for _, f := range kept {
		s.events.keep(f)
	}
}

func (s *scanner) collect(l literalSink, base int) {
	for _, h := range l.found {
		h.off += base
		s.hidden = append(s.hidden, h)
	}
	s.full = s.full || l.full
}

// rest looks at what follows the last stream.
func (s *scanner) rest(data []byte, pos int) error {
	if pos == 0 || pos >= len(data) {
		return nil
	}
	s.events.base = 0
	s.events.add(&ruleTrailing, pos, "", fmt.Sprintf("%d bytes follow the last stream", len(data)-pos), map[string]any{"bytes": len(data) - pos})
	return s.a.Child(s.ctx, format.Child{Name: fmt.Sprintf("trailing@%d", pos), Blob: s.a.Blob.Slice(int64(pos), int64(len(data)-pos)), Probed: true})
}

// report hands the findings on.
func (s *scanner) report() {
	if s.events.blocking > 0 && len(s.events.names) > 0 {
		s.events.base = 0
		s.events.add(&ruleImports, 0, "", "the stream resolves "+short(strings.Join(s.events.names, ", ")), map[string]any{"globals": s.events.names})
	}
	for _, f := range s.events.found {
		s.a.Add(f)
	}
	if s.events.full {
		s.a.Incomplete("findings-truncated", fmt.Sprintf("more than %d facts in one artefact", maxEvents))
	}
	if s.full {
		s.a.Incomplete("nested-limit", fmt.Sprintf("more than %d literals may hold a stream", maxHidden))
	}
}

// children scans what hides in literals.
func (s *scanner) children() error {
	for i := 0; i < len(s.hidden); i++ { // looking into one may add others
		h := s.hidden[i]
		if !s.a.Budget.Work(int64(len(h.data))) {
			s.a.Incomplete("work-limit", "too many literals hold something to look into")
			return nil
		}
		if err := s.look(h); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) look(h hidden) error {
	name := fmt.Sprintf("%s@%d", h.encoding, h.off)
	blob := input.FromBytes(h.data)
	if compressed(h.data) {
		return s.a.Child(s.ctx, format.Child{Name: name, Blob: blob, Probed: true})
	}
	if h.encoding == loadedBytes {
		return s.a.Child(s.ctx, format.Child{Name: name, Blob: blob, Hint: "pickle"})
	}
	p := probeStream(s.ctx, s.m.db, h.data)
	if !p.stream {
		if alphabetic(h.data) && h.encoding != "raw" {
			s.again(h)
		}
		return nil
	}
	place := s.a.At(int64(h.off), int64(len(h.data)))
	s.a.Add(ruleNested.New(place, "a pickle stream hides in a literal ("+h.encoding+")", map[string]any{"encoding": h.encoding}))
	if h.encoding != "raw" && p.call != "" {
		s.a.Add(ruleNestedCall.New(place, "a pickle stream that calls "+p.call+" hides in a literal ("+h.encoding+")",
			map[string]any{"encoding": h.encoding, "symbol": p.call}))
	}
	return s.a.Child(s.ctx, format.Child{Name: name, Blob: blob, Hint: "pickle"})
}

// again looks for a second layer of encoding.
func (s *scanner) again(h hidden) {
	var l literalSink
	l.runs(0, h.data)
	for _, inner := range l.found {
		if len(s.hidden) < 4*maxHidden {
			s.hidden = append(s.hidden, hidden{h.encoding + "+" + inner.encoding, h.off, inner.data})
		}
	}
}

func alphabetic(b []byte) bool {
	for _, c := range b[:min(len(b), 16)] {
		if alphabet[c] == 0 {
			return false
		}
	}
	return true
}

// probed is what a short look at bytes says of them.
type probed struct {
	stream bool   // they are a pickle stream
	call   string // a symbol that it calls
	end    int
	wanted int // where an operand ends that the bytes cut off
	stop   bool
}

// probeStream runs bytes as a stream to see whether they are one: they reach
// STOP after a PROTO or a name, or call a name before they fail.
func probeStream(ctx context.Context, db *symbol.DB, data []byte) probed {
	t := newTrace()
	e := events{seen: map[eventKey]struct{}{}, trace: t}
	m := &machine{ctx: ctx, db: db, events: &e, symIndex: map[string]uint32{}, literal: literalSink{off: true}}
	m.begin(data, reading{})
	end := m.run(0)
	p := probed{end: end, wanted: m.wanted, stop: m.fault == nil && m.err == nil}
	if len(t.out.Calls) > 0 {
		p.call = t.out.Calls[0]
	}
	named := false
	for _, n := range t.out.Names {
		named = named || plausibleName(n.Module) && plausibleName(n.Name)
	}
	p.stream = p.stop && (data[0] == opProto && end > 3 || named) || named && p.call != ""
	return p
}

// plausibleName says that a name is made of identifiers.
func plausibleName(s string) bool {
	if s == "" || len(s) > 200 {
		return false
	}
	for i, c := range []byte(s) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
		if !letter && (i == 0 || c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// analyse is for traces: it runs every reading of data on its own.
func analyse(ctx context.Context, data []byte, t *trace) (findings int, complete bool) {
	var out finding.Collector
	a := &format.Artifact{Blob: input.FromBytes(data), Path: "trace", Budget: input.NewBudget(int64(len(data))), Out: &out}
	a.Child = func(context.Context, format.Child) error { return nil }
	s := newScanner(ctx, a, &machine{}, symbol.Builtin(), t)
	if err := s.scan(data); err != nil && !errors.Is(err, context.Canceled) {
		return 0, false
	}
	r := out.Result("trace")
	return len(r.Findings), r.Coverage == finding.Complete
}
