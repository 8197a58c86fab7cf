package symbol

import (
	"fmt"
	"math/bits"
	"strings"
)

// Effect is a set of things that an operation can do. The empty set is proven:
// what is not known is Undecided.
type Effect uint16

// The effects, in the order of the text format's words.
const (
	Exec      Effect = 1 << iota // runs code given as text, bytes or code object
	Process                      // starts a process
	Import                       // imports a module chosen by an argument, or runs a file
	Load                         // deserialises: pickle, marshal, torch.load, …
	Write                        // creates, changes, deletes or renames files
	Read                         // opens files, lists directories
	Net                          // sockets, URLs, DNS
	Native                       // ctypes, dlopen, raw memory
	Attr                         // reaches attributes by a name given as argument
	CallArg                      // calls a callable that it was given, now or later
	State                        // changes interpreter, module or global state
	Block                        // exits, blocks, or exhausts
	Inspect                      // frames, gc, tracebacks, the object graph
	Undecided                    // not decided: may be anything

	allEffects = Undecided<<1 - 1
)

// effectWords are sorted as their bits are not; String sorts by word.
var effectWords = [...]string{"exec", "process", "import", "load", "write", "read", "net",
	"native", "attr", "callarg", "state", "block", "inspect", "?"}

// effectOrder lists the bits in the order of their words.
var effectOrder = [...]uint8{13, 8, 11, 9, 0, 2, 12, 3, 7, 6, 1, 5, 10, 4}

// Has reports whether every effect of f is in e.
func (e Effect) Has(f Effect) bool { return e&f == f }

// String gives the sorted words, comma-separated, or "-" for none.
func (e Effect) String() string {
	if e&allEffects == 0 {
		return "-"
	}
	words := make([]string, 0, bits.OnesCount16(uint16(e)))
	for _, bit := range effectOrder {
		if e&(1<<bit) != 0 {
			words = append(words, effectWords[bit])
		}
	}
	return strings.Join(words, ",")
}

// ParseEffect reads what String writes; the words may come in any order.
func ParseEffect(s string) (Effect, error) {
	if s == "-" {
		return 0, nil
	}
	var e Effect
	for word := range strings.SplitSeq(s, ",") {
		bit, ok := effectBit(word)
		if !ok {
			return 0, fmt.Errorf("unknown effect %q", word)
		}
		e |= bit
	}
	return e, nil
}

func effectBit(word string) (Effect, bool) {
	for i, w := range effectWords {
		if w == word {
			return 1 << i, true
		}
	}
	return 0, false
}
