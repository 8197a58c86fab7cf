package symbol

import "strings"

// Bounds of one resolution.
const (
	maxHops = 32 // links and base classes followed for one part of a dotted name
	maxPath = 64 // steps kept
)

// Resolve judges the global that a loader finds under module and name. The name
// may be dotted, as protocol 4 allows: it is walked through module attributes,
// submodules, re-exports, classes and their bases, and judged by where it ends.
func (db *DB) Resolve(module, name string) Resolution {
	w := walk{db: db}
	at, ok := w.enter(module)
	if !ok {
		return w.unknown(place{module: module, name: name}, UnknownModule, module, name)
	}
	at, status := w.down(at, name)
	if status == UnknownModule || status == UnknownName {
		return w.unknown(at, status, module, name)
	}
	return w.end(at, status)
}

// unknown ends a resolution that the data cannot follow. A dotted name still
// says something: it may run through a package of which only a part is covered,
// every module may have imported another (some.module:os.system), and every
// object has the interpreter's structure (some.module:f.__globals__).
func (w *walk) unknown(at place, status Status, module, name string) Resolution {
	if to, status, ok := w.deeper(module, name); ok {
		return w.end(to, status)
	}
	rest := name
	for n := 0; ; n++ {
		first, below, dotted := strings.Cut(rest, ".")
		if isWayOut(first, rest != name) {
			w.via = first
			return w.end(at, Dunder)
		}
		if !dotted {
			break
		}
		if e, ok := w.db.entry(first); ok && n < maxHops {
			next := walk{db: w.db, onImport: w.onImport, via: first, path: []string{first}}
			to, status := next.down(place{module: first, entry: e}, below)
			if status == Found || status == Dunder {
				return next.end(to, status)
			}
		}
		rest = below
	}
	return w.end(at, status)
}

// deeper looks for a covered module below one that is not.
func (w *walk) deeper(module, name string) (place, Status, bool) {
	for end, n := strings.IndexByte(name, '.'), 0; end > 0 && n < maxHops; n++ {
		sub := module + "." + name[:end]
		if e, ok := w.db.entry(sub); ok {
			to, status := w.down(place{module: sub, entry: e}, name[end+1:])
			return to, status, status == Found || status == Dunder
		}
		more := strings.IndexByte(name[end+1:], '.')
		if more < 0 {
			break
		}
		end += 1 + more
	}
	return place{}, UnknownModule, false
}

// isWayOut reports whether an attribute of an unknown object leads into the
// interpreter's structure. A module may define a function with a dunder name of
// its own, so the first name of a path counts only if every module has it.
func isWayOut(attr string, attribute bool) bool {
	if attribute {
		return isStructural(attr) || isDunder(attr) && !isPlainDunder(attr)
	}
	return isModuleStructure(attr)
}

// KnownModule reports whether the database says anything about a module.
func (db *DB) KnownModule(module string) bool {
	w := walk{db: db}
	_, ok := w.enter(module)
	return ok
}

// TopLevel reports whether a derived data file covers a top-level package, so
// that a name which it lacks is a name that no covered release has.
func (db *DB) TopLevel(pkg string) (library string, ok bool) {
	id, ok := find(db.parts[secTops], pkg)
	if !ok {
		return "", false
	}
	return db.library(uint16(id)), true
}

func (db *DB) library(id uint16) string {
	libs := db.parts[secLibraries]
	n, libs, ok := uvarint(libs)
	if !ok || uint64(id) >= n {
		return ""
	}
	var lib string
	for range int(id) + 1 {
		if lib, libs, ok = counted(libs); !ok {
			return ""
		}
	}
	return lib
}

// place is where a walk stands: at a module (name empty) or at a symbol of it.
type place struct {
	module string
	entry  entry
	name   string
	rec    record
	wild   bool // a wildcard answers for this name and all below it
}

// walk is one resolution.
type walk struct {
	db       *DB
	depth    int // how many links are being followed now
	hops     int // how many were, for one part of the name
	onImport Effect
	path     []string
	via      string
}

func (w *walk) end(at place, status Status) Resolution {
	r := Resolution{Status: status, OnImport: w.onImport, Path: w.path, Via: w.via}
	r.Symbol = Symbol{Module: at.module, Name: at.name, Kind: at.rec.kind, Combinator: at.rec.combi,
		Call: at.rec.call, New: at.rec.new, SetState: at.rec.state, Items: at.rec.items}
	if at.entry.symbols != "" {
		r.Symbol.Library = w.db.library(at.entry.library)
	}
	switch {
	case status == Dunder:
		w.setAll(&r.Symbol, Inspect|Undecided)
	case status != Found:
		w.setAll(&r.Symbol, Undecided)
	case at.name == "":
		r.Symbol.Kind, r.Symbol.SetState, r.Symbol.Items = Module, State, State
	default:
		w.suspect(&r.Symbol, at)
		r.Symbol.Signatures = w.db.signatures(at.rec.sigs)
	}
	return r
}

// suspect adds what a wildcard says of everything in a module to a symbol of
// which the derivation could not decide what calling it does.
func (w *walk) suspect(s *Symbol, at place) {
	if at.wild || s.Call&Undecided == 0 || at.rec.sigs != 0 {
		return
	}
	if wild, ok := w.wildcard(at, wildName); ok {
		s.Call |= wild.rec.call
	}
}

func (w *walk) setAll(s *Symbol, e Effect) {
	s.Kind, s.Combinator = Unknown, None
	s.Call, s.New, s.SetState, s.Items = e, e, e, e
}

// enter finds a module by the name under which it is imported: its own, one
// that leads to it through attributes ("os.path"), or one below a wildcard.
func (w *walk) enter(module string) (place, bool) {
	if e, ok := w.db.entry(module); ok {
		w.onImport |= e.onImport
		return place{module: module, entry: e}, true
	}
	for end := strings.LastIndexByte(module, '.'); end > 0; end = strings.LastIndexByte(module[:end], '.') {
		e, ok := w.db.entry(module[:end])
		if !ok {
			continue
		}
		w.onImport |= e.onImport
		return w.enterBelow(place{module: module[:end], entry: e}, module)
	}
	return place{}, false
}

func (w *walk) enterBelow(at place, module string) (place, bool) {
	via := w.via
	to, status := w.down(at, module[len(at.module)+1:])
	if status == Found && to.name == "" {
		w.via = module
		return to, true
	}
	w.via, w.path = via, nil
	wild, ok := w.wildcard(at, wildTree)
	wild.module = module
	return wild, ok
}

// down walks a dotted name from a place.
func (w *walk) down(at place, name string) (place, Status) {
	for more := true; more; {
		var attr string
		whole := name
		attr, name, more = strings.Cut(name, ".")
		if w.depth == 0 {
			w.hops = 0
		}
		next, status := w.attr(at, attr)
		if status != Found || next.wild {
			if next.name == "" {
				next.name = joinName(at.name, whole)
			}
			return next, status
		}
		if more && next.name != "" {
			w.step(next.module + ":" + next.name)
		}
		at = next
	}
	return at, Found
}

func (w *walk) step(s string) {
	if len(w.path) < maxPath {
		w.path = append(w.path, s)
	}
}

func joinName(outer, inner string) string {
	if outer == "" {
		return inner
	}
	return outer + "." + inner
}

// attr goes from a place to one of its attributes.
func (w *walk) attr(at place, attr string) (place, Status) {
	if at.wild {
		return at, Found
	}
	if at.name != "" {
		return w.member(at, attr)
	}
	value, ok := find(at.entry.symbols, attr)
	if isDunder(attr) && !(ok && w.namesCallable(attr, value)) {
		return w.dunder(at, attr)
	}
	if ok {
		return w.at(at, attr, value)
	}
	if isStructural(attr) {
		return w.dunder(at, attr)
	}
	if sub, ok := w.submodule(at, attr); ok {
		return sub, Found
	}
	if wild, ok := w.wildcard(at, wildName); ok {
		return wild, Found
	}
	return place{module: at.module, entry: at.entry}, UnknownName
}

func (w *walk) submodule(at place, attr string) (place, bool) {
	name := at.module + "." + attr
	e, ok := w.db.entry(name)
	return place{module: name, entry: e}, ok
}

// wildcard looks for a row that answers for names which nothing lists: in the
// module itself, then one for whole trees in the packages above.
func (w *walk) wildcard(at place, first string) (place, bool) {
	for _, name := range [...]string{first, wildTree} {
		if value, ok := find(at.entry.symbols, name); ok {
			return w.wild(at, at.module, name, value), true
		}
	}
	for end := strings.LastIndexByte(at.module, '.'); end > 0; end = strings.LastIndexByte(at.module[:end], '.') {
		e, ok := w.db.entry(at.module[:end])
		if !ok {
			continue
		}
		if value, ok := find(e.symbols, wildTree); ok {
			return w.wild(at, at.module[:end], wildTree, value), true
		}
	}
	return place{}, false
}

func (w *walk) wild(at place, module, name string, value uint64) place {
	w.via = module + ":" + name
	return place{module: at.module, entry: at.entry, rec: w.db.record(value >> 1), wild: true}
}

// at is the place that a module's row stands for.
func (w *walk) at(at place, name string, value uint64) (place, Status) {
	if value&1 == 0 {
		return place{module: at.module, entry: at.entry, name: name, rec: w.db.record(value >> 1)}, Found
	}
	return w.follow(w.db.text(value >> 1))
}

// follow goes where a link leads.
func (w *walk) follow(target string) (place, Status) {
	if w.hops++; w.hops > maxHops {
		return place{module: target}, UnknownName
	}
	module, name, qualified := strings.Cut(target, ":")
	e, ok := w.db.entry(module)
	if !ok {
		return place{module: module, name: name}, UnknownModule
	}
	w.step(target)
	w.depth++
	defer func() { w.depth-- }()
	at := place{module: module, entry: e}
	if !qualified {
		return at, Found
	}
	return w.down(at, name)
}

// member goes from a class, function or object to one of its attributes.
func (w *walk) member(at place, attr string) (place, Status) {
	if isDunder(attr) || isStructural(attr) || at.rec.kind == Class && attr == "mro" {
		return w.dunder(at, attr)
	}
	name := at.name + "." + attr
	if value, ok := find(at.entry.symbols, name); ok {
		return w.at(at, name, value)
	}
	for _, base := range w.db.texts(uint64(at.rec.bases)) {
		parent, status := w.follow(base)
		if status != Found || parent.name == "" {
			continue
		}
		if found, status := w.member(parent, attr); status == Found {
			return found, Found
		}
	}
	return place{module: at.module, entry: at.entry}, UnknownName
}

// dunder ends a walk at the interpreter's own structure, unless the attribute
// is plain data that everything has.
func (w *walk) dunder(at place, attr string) (place, Status) {
	next := place{module: at.module, entry: at.entry, name: joinName(at.name, attr)}
	if isPlainDunder(attr) {
		next.rec = record{kind: Data, state: State, items: State}
		return next, Found
	}
	w.via = attr
	return place{module: at.module, entry: at.entry}, Dunder
}

// namesCallable reports whether a module's row with a dunder name is a function
// or class of its own (operator.__add__, builtins.__import__), not a way into
// the interpreter's structure.
func (w *walk) namesCallable(attr string, value uint64) bool {
	if isModuleStructure(attr) {
		return false
	}
	if value&1 != 0 {
		return strings.Contains(w.db.text(value>>1), ":")
	}
	kind := w.db.record(value >> 1).kind
	return kind == Function || kind == Class
}

func isDunder(s string) bool {
	return len(s) > 4 && s[0] == '_' && s[1] == '_' && s[len(s)-1] == '_' && s[len(s)-2] == '_'
}

// isModuleStructure lists the dunders of modules that lead to namespaces or loaders.
func isModuleStructure(s string) bool {
	switch s {
	case "__builtins__", "__class__", "__dict__", "__globals__", "__loader__", "__spec__":
		return true
	}
	return false
}

// isPlainDunder lists what holds text or a flag, and no way on.
func isPlainDunder(s string) bool {
	switch s {
	case "__all__", "__author__", "__copyright__", "__credits__", "__date__", "__debug__", "__doc__",
		"__email__", "__file__", "__license__", "__module__", "__name__", "__package__", "__path__",
		"__qualname__", "__status__", "__version__", "__version_info__":
		return true
	}
	return false
}

// isStructural lists attributes that lead from functions, generators, frames
// and tracebacks to namespaces, without underscores around their names.
func isStructural(s string) bool {
	switch s {
	case "func_closure", "func_code", "func_defaults", "func_dict", "func_globals",
		"im_class", "im_func", "im_self",
		"gi_code", "gi_frame", "gi_yieldfrom", "cr_await", "cr_code", "cr_frame", "cr_origin",
		"ag_await", "ag_code", "ag_frame",
		"f_back", "f_builtins", "f_code", "f_globals", "f_locals", "f_trace",
		"tb_frame", "tb_next", "co_code", "co_consts":
		return true
	}
	return false
}
