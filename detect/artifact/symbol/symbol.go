// Package symbol decides what naming and calling a Python global can do.
//
// A pickle stream names globals (`os.system`, `collections.OrderedDict`) and
// calls them. The package answers, for every such name, with effects rather
// than with a place on a list: that calling it starts a process, opens a file,
// builds code, calls a callable that it was given, or does none of these.
//
// The evidence is data: rows that a tool in this repository derives from the
// sources of interpreters and libraries (data/NAME.txt, one library a file),
// and data/curated.txt, written by hand for what that analysis cannot see:
// functions implemented in C, argument signatures, and the few functions that
// a caller has to evaluate symbolically (getattr, functools.partial, …). A
// curated row replaces a derived one. cmd tools/symbolc compiles the text into
// symbols.bin, which is embedded, and searched where it lies.
//
// What it cannot see: modules that no data file covers (Status UnknownModule),
// what a module on the loading host really contains (a sibling file or another
// release may answer to the same name), and values: the package judges a
// symbol, the caller judges arguments against its signatures. Effects are those
// of any covered release together, so a name is never judged by its most
// harmless version. An effect that was not decided is Undecided, never none.
package symbol

//go:generate go run bartizan/tools/symbolc

// Kind says what a symbol is.
type Kind uint8

// The kinds.
const (
	Unknown Kind = iota
	Class
	Function
	Method
	Module
	Data
)

var kindNames = [...]string{"unknown", "class", "function", "method", "module", "data"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Unknown]
}

// Status says how far Resolve came.
type Status uint8

// The zero Status is the one that proves nothing.
const (
	UnknownModule Status = iota // no data on the module at all
	UnknownName                 // the module is known, the name or an attribute on the way is not
	Dunder                      // the path goes through the interpreter's own structure: __globals__, __class__, f_back, …
	Found
)

var statusNames = [...]string{"unknown-module", "unknown-name", "dunder", "found"}

func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return statusNames[UnknownModule]
}

// Combinator names a symbol whose call the caller evaluates symbolically,
// since what it does is what its arguments name.
type Combinator uint8

// The combinators. None is the ordinary symbol.
const (
	None          Combinator = iota
	Getattr                  // getattr(object, name)
	AttrGetter               // operator.attrgetter(path…)(object)
	ItemGetter               // operator.itemgetter(key…)(object)
	MethodCaller             // operator.methodcaller(name, args…)(object)
	Partial                  // functools.partial(callable, args…)(args…)
	ResolveName              // pkgutil.resolve_name("module:path") and its kin
	ImportModule             // __import__(name), importlib.import_module(name)
	Apply                    // map, filter, reduce, …: an argument is called
	Reconstructor            // copyreg._reconstructor, __newobj__, __newobj_ex__
	Join                     // str.join and its kin: text made of the arguments
)

var combinatorNames = [...]string{"none", "getattr", "attrgetter", "itemgetter", "methodcaller",
	"partial", "resolvename", "importmodule", "apply", "reconstructor", "join"}

func (c Combinator) String() string {
	if int(c) < len(combinatorNames) {
		return combinatorNames[c]
	}
	return combinatorNames[None]
}

// Symbol is one global of a Python library and what it can do.
//
// A call whose arguments match one of Signatures is inert, whatever Call says.
// Where there are any, Call tells of the other calls, and none means that
// nothing is known to be harmful, not that any shape is proven.
//
// For a Class, Call is cls(*args); New is cls.__new__(cls, *args) alone, with
// finalisers and hashing, which run without a call; SetState is pickle's BUILD
// on an instance; Items is APPEND(S), SETITEM(S) and ADDITEMS on an instance.
// For a callable of another kind SetState and Items speak of what a call
// returns. For a Module, or Data whose row has no call=, they speak of the object
// itself and are State: the object is everyone's. Data without any effect is a
// constant that nothing can change, like torch.float32. BUILD on a class or
// function object itself is a change of global state too, whatever its row says.
type Symbol struct {
	Module, Name               string // Name is empty for a module
	Kind                       Kind
	Call, New, SetState, Items Effect
	Signatures                 []Signature // see below; shared, not to be changed
	Combinator                 Combinator
	Library                    string // the data file that knows the module: "cpython", "numpy", …
}

// Resolution is the answer of DB.Resolve.
type Resolution struct {
	Symbol   Symbol // meaningful when Status is Found
	Status   Status
	OnImport Effect   // what importing the module does already, before any name is looked up
	Path     []string // canonical steps "module:name", when the way was not direct
	Via      string   // the dunder, alias or wildcard that decided
}
