package pickle

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"bartizan/detect/artifact/symbol"
	"bartizan/finding"
)

// events gathers what the readings of one artefact show. The same fact at the
// same opcode is kept once, however many readings show it.
type events struct {
	path  string // of the artefact
	base  int    // offset of the stream in it
	found []finding.Finding
	seen  map[eventKey]struct{}
	trace *trace

	// blocking counts the findings that block, in this reading and before.
	blocking int
	// tar says that the stream is a member of torch's oldest format.
	tar       bool
	full      bool // findings were dropped
	names     []string
	combiners []*symbolRef
}

type eventKey struct {
	rule string
	off  int
	text string
}

// maxEvents bounds the findings of one stream; maxNames its list of globals.
const (
	maxEvents = 2000
	maxNames  = 200
)

func (e *events) add(r *finding.Rule, off int, key, message string, evidence map[string]any) *finding.Finding {
	k := eventKey{r.ID, e.base + off, key}
	if _, twice := e.seen[k]; twice {
		return nil
	}
	if len(e.found) >= maxEvents && (r.Severity < finding.High || len(e.found) >= 2*maxEvents) {
		e.full = true
		return nil
	}
	e.seen[k] = struct{}{}
	f := r.New(finding.At(e.path, int64(e.base+off), 1), message, evidence)
	if e.tar && f.Severity >= finding.High {
		f.References = append(slices.Clone(f.References), "CVE-2025-32434")
	}
	e.found = append(e.found, f)
	if f.Blocks() {
		e.blocking++
	}
	return &e.found[len(e.found)-1]
}

// closed says that no more facts are kept, so that none need be put into words.
func (e *events) closed() bool {
	if len(e.found) < 2*maxEvents {
		return false
	}
	e.full = true
	return true
}

// keep takes back in a finding that was rolled back.
func (e *events) keep(f finding.Finding) {
	name, _ := f.Evidence["symbol"].(string)
	e.seen[eventKey{f.Rule, int(*f.Place.Offset), name}] = struct{}{}
	e.found = append(e.found, f)
	if f.Blocks() {
		e.blocking++
	}
}

// raise lifts a finding to severity s.
func (e *events) raise(f *finding.Finding, s finding.Severity) {
	if f == nil {
		return
	}
	was := f.Blocks()
	f.Severity = s
	if !was && f.Blocks() {
		e.blocking++
	}
}

func (e *events) resolved(ref *symbolRef) {
	if len(e.names) < maxNames {
		e.names = append(e.names, ref.display())
	}
	e.trace.name(ref)
}

func (e *events) combined(ref *symbolRef) { e.combiners = append(e.combiners, ref) }

// everyLoader is for whom an effect of the stream is dangerous. Loaders that
// resolve only listed names (torch.load with weights_only) refuse the file.
func everyLoader() []string {
	return []string{"pickle.load", "joblib.load", "numpy.load(allow_pickle=True)", "torch.load(weights_only=False)"}
}

func symbolEvidence(ref *symbolRef) map[string]any {
	ev := map[string]any{"symbol": ref.display()}
	if c := ref.canonical(); c != ref.display() {
		ev["target"] = c
	}
	if len(ref.chain) > 0 {
		ev["via"] = ref.chain
	}
	return ev
}

func (e *events) dangerous(m *machine, ref *symbolRef, effect symbol.Effect, args val, off int) {
	if e.closed() {
		return
	}
	ref.called, ref.reported = true, true
	ev := symbolEvidence(ref)
	ev["effects"] = effectText(ref, effect)
	ev["arguments"] = m.listed(args)
	ev["dangerous_for"] = e.loadersFor(ref)
	for k, v := range m.codeEvidence(ref, args) {
		ev[k] = v
	}
	f := e.add(&ruleDangerousCall, off, ref.display(), "calls "+ref.display()+short(m.renderArgs(args, 0)), ev)
	m.identify(f, args)
}

func effectText(ref *symbolRef, effect symbol.Effect) string {
	if ref.status == symbol.Dunder {
		return "reaches the interpreter's own structure through " + ref.via
	}
	return effect.String()
}

// dangerousGlobal is for a symbol that was resolved and not called.
func (e *events) dangerousGlobal(ref *symbolRef, effect symbol.Effect) {
	ev := symbolEvidence(ref)
	ev["effects"] = effectText(ref, effect)
	ev["dangerous_for"] = e.loadersFor(ref)
	e.add(&ruleDangerousGlobal, ref.off, ref.display(), "resolves "+ref.display()+", which can "+effectText(ref, effect), ev)
}

func (e *events) unknownCall(m *machine, ref *symbolRef, why string, args val, off int) {
	if e.closed() {
		return
	}
	ref.reported = true
	ev := symbolEvidence(ref)
	ev["arguments"] = m.listed(args)
	ev["known"] = known(ref)
	if why == "" {
		f := e.add(&ruleUnknownCall, off, ref.display(), "calls "+ref.display()+", of which nothing is proven, with plain data", ev)
		m.identify(f, args)
		return
	}
	ev["because"] = why
	f := e.add(&ruleUnknownCall, off, ref.display(), "calls "+ref.display()+", of which nothing is proven, with "+why, ev)
	m.identify(f, args)
	e.raise(f, finding.High)
}

func known(ref *symbolRef) string {
	if ref.status == symbol.Found {
		return "effects undecided"
	}
	return ref.status.String()
}

func (e *events) unknownGlobal(ref *symbolRef) {
	ev := symbolEvidence(ref)
	ev["known"] = known(ref)
	e.add(&ruleUnknownGlobal, ref.off, ref.display(), "resolves "+ref.display()+", of which nothing is proven", ev)
}

func (e *events) shape(m *machine, ref *symbolRef, active bool, args val, off int) {
	if e.closed() {
		return
	}
	ref.reported = true
	ev := symbolEvidence(ref)
	ev["arguments"] = m.listed(args)
	f := e.add(&ruleShape, off, ref.display(), "calls "+ref.display()+" with arguments that its library never gives it", ev)
	m.identify(f, args)
	if active {
		e.raise(f, finding.High)
	}
}

func (e *events) unresolvable(m *machine, off int, message string, target, args val) {
	e.trace.unfolded()
	if e.closed() {
		return
	}
	f := e.add(&ruleUnresolvable, off, "", message, map[string]any{
		"target": short(m.render(target, 0)), "arguments": m.listed(args)})
	m.identify(f, target, args)
}

// unknownAttribute is for an attribute of an object of which nothing is known.
func (e *events) unknownAttribute(m *machine, by *symbolRef, object val, name string, off int) {
	ev := symbolEvidence(by)
	ev["arguments"], ev["known"] = []string{short(m.render(object, 0)), quote([]byte(name), 120)}, "attribute of an object"
	e.add(&ruleUnknownCall, off, name, "reaches for "+quote([]byte(name), 120)+" of an object of which nothing is proven", ev)
}

// deadEnd is for a combinator that reaches for an attribute which its object is
// not known to have.
func (e *events) deadEnd(m *machine, by, to *symbolRef, off int) {
	to.called = true
	ev := symbolEvidence(by)
	ev["target"], ev["via"] = to.display(), to.chain
	e.add(&ruleUnresolvable, off, to.display(), by.display()+" reaches for "+to.display()+", which is not known to exist", ev)
}

func (e *events) unfolded(m *machine, off int, ev map[string]any) {
	e.trace.unfolded()
	e.add(&ruleComputedName, off, "", "resolves a name that is computed while loading", ev)
}

func (e *events) overwritten(m *machine, ref *symbolRef, how string, arg val, off int) {
	if e.closed() {
		return
	}
	ref.called = true
	ev := symbolEvidence(ref)
	ev["operation"], ev["arguments"] = how, m.listed(arg)
	m.identify(e.add(&ruleOverwrite, off, ref.display()+how, "changes "+ref.display()+" by "+how, ev), arg)
}

// handedOn is for a value that acts by itself and is given to a call or kept in
// an object.
func (e *events) handedOn(m *machine, ref *symbolRef, acts string, arg val, off int) {
	e.trace.unfolded()
	if e.closed() {
		return
	}
	ref.called = true
	ev := symbolEvidence(ref)
	ev["acts"], ev["arguments"] = short(acts), m.listed(arg)
	m.identify(e.add(&ruleHandedOn, off, ref.display(), "hands "+short(acts)+" to "+ref.display(), ev), arg)
}

func (e *events) hook(m *machine, ref *symbolRef, attribute string, off int) {
	e.trace.unfolded() // the next opcode calls whatever was set
	e.add(&ruleHook, off, attribute, "sets "+attribute+" on an instance of "+ref.display(),
		map[string]any{"symbol": ref.display(), "attribute": attribute})
}

func (e *events) objectEffect(m *machine, ref *symbolRef, effect symbol.Effect, how string, arg val, off int) {
	if e.closed() {
		return
	}
	f := e.add(&ruleObjectEffect, off, ref.display()+how, how+" on an instance of "+ref.display()+" can "+effect.String(),
		map[string]any{"symbol": ref.display(), "operation": how, "effects": effect.String(), "arguments": m.listed(arg)})
	m.identify(f, arg)
}

func (e *events) undecidedState(m *machine, ref *symbolRef, how string, off int) {
	e.add(&ruleUndecidedState, off, ref.display()+how, how+" on an instance of "+ref.display()+" runs code that was not decided",
		map[string]any{"symbol": ref.display(), "operation": how})
}

func (e *events) extension(m *machine, code, off int) {
	e.trace.extension(code)
	e.add(&ruleExtension, off, strconv.Itoa(code), "names a global by extension code "+strconv.Itoa(code),
		map[string]any{"extension": code})
}

// finish judges the symbols that a reading resolved and never called.
func (e *events) finish(m *machine) {
	for _, ref := range m.syms {
		e.finishSymbol(ref)
	}
	if e.blocking == 0 {
		return
	}
	for _, ref := range e.combiners {
		e.add(&ruleCombinator, ref.off, ref.display(), "uses "+ref.display()+" to reach what it calls", symbolEvidence(ref))
	}
}

func (e *events) finishSymbol(ref *symbolRef) {
	if bad := ref.onImport &^ (symbol.Undecided | symbol.Read); bad != 0 && ref.status == symbol.Found {
		ev := symbolEvidence(ref)
		ev["effects"] = bad.String()
		e.add(&ruleImportEffect, ref.off, ref.display(), "naming "+ref.display()+" imports a module that acts on import", ev)
	}
	if ref.called && (ref.reported || ref.status != symbol.Found || ref.sym.Combinator != symbol.None || len(ref.sym.Signatures) > 0 || ref.kind == symbol.Class) {
		return
	}
	switch ref.status {
	case symbol.Dunder:
		e.dangerousGlobal(ref, symbol.Inspect)
		return
	case symbol.UnknownModule, symbol.UnknownName:
		e.unknownGlobal(ref)
		return
	}
	effect := ref.sym.Call
	if ref.kind == symbol.Class {
		effect |= ref.sym.New
	}
	const passive = symbol.Read | symbol.Block
	decided := ref.decided(effect)
	undecided := effect&symbol.Undecided != 0
	switch {
	case ref.kind == symbol.Module:
		e.unknownGlobal(ref)
	case effect == 0, ref.passiveCombinator(), effect == symbol.CallArg:
	case undecided && ref.sym.Library != "cpython":
		if decided != 0 {
			e.unknownGlobal(ref)
		}
	case decided&^passive != 0:
		e.dangerousGlobal(ref, effect)
	case effect == symbol.Undecided && (len(ref.sym.Signatures) > 0 || ref.kind == symbol.Data):
	default:
		e.unknownGlobal(ref)
	}
}

// passiveCombinator says that a combinator which is only held, not called, does nothing.
func (r *symbolRef) passiveCombinator() bool {
	switch r.sym.Combinator {
	case symbol.AttrGetter, symbol.ItemGetter, symbol.MethodCaller, symbol.Partial, symbol.Reconstructor, symbol.Join:
		return true
	}
	return false
}

const maxShort = 300

// short cuts evidence text to what a person reads.
func short(s string) string {
	if len(s) <= maxShort {
		return s
	}
	cut := maxShort
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
