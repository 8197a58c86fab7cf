package symbol

import (
	"fmt"
	"slices"
	"strings"
)

// Source is one data file: the text of one library, or the overlay.
type Source struct {
	Name    string // as errors name it
	Text    string
	Overlay bool // its rows replace those of other files, and may use the overlay's keys
}

const textHeader = "# bartizan symbols v1"

// Wildcard names: a row `f * …` answers for every name that its module does not
// list, `f ** …` also for every name of modules below it that no file lists.
const (
	wildName = "*"
	wildTree = "**"
)

// row is one line of a module block for one name.
type row struct {
	name   string
	kind   Kind
	link   string // "module" (kind Module) or "module:qualname": the attribute is that object
	call   Effect
	new    Effect
	state  Effect
	items  Effect
	sigs   []string
	bases  []string // "module:qualname"
	combi  Combinator
	source int // the line, for errors
}

// block is a module line and the rows below it. The overlay may name several
// modules in one line: the rows belong to each.
type block struct {
	modules  []string
	library  string
	onImport Effect
	rows     []row
}

// parsed is a whole file.
type parsed struct {
	name    string
	library string // first word of the source line
	source  string
	overlay bool
	blocks  []block
}

type textParser struct {
	out  parsed
	line int
}

// parseText reads one file and refuses it whole at the first fault.
func parseText(s Source) (*parsed, error) {
	p := textParser{out: parsed{name: s.Name, overlay: s.Overlay}}
	for text := range strings.SplitSeq(strings.TrimSuffix(s.Text, "\n"), "\n") {
		p.line++
		if err := p.take(text); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", s.Name, p.line, err)
		}
	}
	if p.out.library == "" && !s.Overlay {
		return nil, fmt.Errorf("%s:%d: no '# source:' line", s.Name, p.line)
	}
	return &p.out, nil
}

func (p *textParser) take(text string) error {
	if p.line == 1 {
		if text != textHeader {
			return fmt.Errorf("want %q", textHeader)
		}
		return nil
	}
	if source, ok := strings.CutPrefix(text, "# source:"); ok && len(p.out.blocks) == 0 {
		return p.takeSource(source)
	}
	if text == "" || text[0] == '#' {
		return nil
	}
	fields, err := splitFields(text)
	if err != nil {
		return err
	}
	switch fields[0] {
	case "library":
		return p.takeLibrary(fields[1:])
	case "module":
		return p.takeModule(fields[1:])
	case "a", "r":
		return p.takeLink(fields)
	case "c", "f", "m", "d":
		return p.takeRow(fields)
	}
	return fmt.Errorf("unknown row %q", fields[0])
}

func (p *textParser) takeSource(source string) error {
	words := strings.Fields(source)
	if len(words) == 0 {
		return fmt.Errorf("empty source")
	}
	if p.out.library == "" {
		p.out.library = words[0]
	}
	if p.out.source != "" {
		p.out.source += "; "
	}
	p.out.source += strings.Join(words, " ")
	return nil
}

func (p *textParser) takeLibrary(args []string) error {
	if !p.out.overlay || len(args) != 1 {
		return fmt.Errorf("library takes one name, in the overlay only")
	}
	p.out.library = args[0]
	return nil
}

func (p *textParser) takeModule(args []string) error {
	b := block{library: p.out.library}
	names, keys := splitKeys(args)
	for _, kv := range keys {
		value, ok := strings.CutPrefix(kv, "import=")
		if !ok {
			return fmt.Errorf("module takes no %q", kv)
		}
		e, err := ParseEffect(value)
		if err != nil {
			return err
		}
		b.onImport |= e
	}
	if len(names) == 0 || len(names) > 1 && !p.out.overlay {
		return fmt.Errorf("module takes one name")
	}
	for _, name := range names {
		if !validDotted(name) {
			return fmt.Errorf("bad module name %q", name)
		}
	}
	b.modules = names
	p.out.blocks = append(p.out.blocks, b)
	return nil
}

func (p *textParser) add(r row) error {
	if len(p.out.blocks) == 0 {
		return fmt.Errorf("row before any module")
	}
	r.source = p.line
	b := &p.out.blocks[len(p.out.blocks)-1]
	b.rows = append(b.rows, r)
	return nil
}

func (p *textParser) takeLink(fields []string) error {
	last := len(fields) - 1
	if last < 2 || last > 2 && !p.out.overlay {
		return fmt.Errorf("%s takes a name and a target", fields[0])
	}
	same, all := strings.CutSuffix(fields[last], ":*") // the overlay's "the same names there"
	for _, name := range fields[1:last] {
		r := row{name: name, link: fields[last]}
		if fields[0] == "a" {
			r.kind = Module
		}
		if all && p.out.overlay {
			r.link = same + ":" + name
		}
		if !validDotted(r.name) || !validTarget(r.link, r.kind != Module) {
			return fmt.Errorf("bad name or target in %q", strings.Join(fields, " "))
		}
		if err := p.add(r); err != nil {
			return err
		}
	}
	return nil
}

func validTarget(s string, qualified bool) bool {
	module, name, ok := strings.Cut(s, ":")
	return ok == qualified && validDotted(module) && (!ok || validDotted(name))
}

func (p *textParser) takeRow(fields []string) error {
	names, keys := splitKeys(fields[1:])
	if len(names) == 0 || len(names) > 1 && !p.out.overlay {
		return fmt.Errorf("%s takes one name", fields[0])
	}
	r := newRow(fields[0])
	set := keySet{row: &r, overlay: p.out.overlay}
	for _, kv := range keys {
		if err := set.take(kv); err != nil {
			return err
		}
	}
	set.defaults()
	for _, name := range names {
		if err := checkName(name, r.kind); err != nil {
			return err
		}
		r.name = name
		if err := p.add(r); err != nil {
			return err
		}
	}
	return nil
}

func newRow(letter string) row {
	kinds := map[string]Kind{"c": Class, "f": Function, "m": Method, "d": Data}
	return row{kind: kinds[letter]}
}

func checkName(name string, kind Kind) error {
	if name == wildName || name == wildTree {
		if kind != Function {
			return fmt.Errorf("a wildcard is a row of f")
		}
		return nil
	}
	if !validDotted(name) {
		return fmt.Errorf("bad name %q", name)
	}
	if kind == Method && !strings.Contains(name, ".") {
		return fmt.Errorf("method %q without a class", name)
	}
	return nil
}

// keySet reads the key=value fields of one row and remembers which came.
type keySet struct {
	row     *row
	overlay bool
	seen    []string
}

func (k *keySet) has(key string) bool { return slices.Contains(k.seen, key) }

func (k *keySet) take(kv string) error {
	key, value, _ := strings.Cut(kv, "=")
	if k.has(key) && key != "sig" {
		return fmt.Errorf("%s= twice", key)
	}
	k.seen = append(k.seen, key)
	switch key {
	case "call", "new", "state", "items", "all":
		e, err := ParseEffect(value)
		if err != nil {
			return err
		}
		return k.takeEffect(key, e)
	case "bases":
		k.row.bases = strings.Split(value, ",")
		for _, base := range k.row.bases {
			if !validTarget(base, true) {
				return fmt.Errorf("bad base %q", base)
			}
		}
		return nil
	}
	if !k.overlay {
		return fmt.Errorf("unknown key %q", key)
	}
	switch key {
	case "sig":
		sig, err := ParseSignature(value)
		k.row.sigs = append(k.row.sigs, sig.String())
		return err
	case "combinator":
		i := slices.Index(combinatorNames[:], strings.ToLower(value))
		k.row.combi = Combinator(max(i, 0))
		if i < 1 {
			return fmt.Errorf("unknown combinator %q", value)
		}
		return nil
	}
	return fmt.Errorf("unknown key %q", key)
}

func (k *keySet) takeEffect(key string, e Effect) error {
	r := k.row
	switch key {
	case "call":
		r.call = e
	case "new":
		r.new = e
	case "state":
		r.state = e
	case "items":
		r.items = e
	case "all":
		r.call, r.new, r.state, r.items = e, e, e, e
		k.seen = append(k.seen, "call", "new", "state", "items")
	}
	return nil
}

// defaults fills what the row leaves out: a call is not decided (data may hold
// a callable), __new__ does no more than a call, and data is everyone's object.
func (k *keySet) defaults() {
	r := k.row
	if !k.has("call") {
		r.call = Undecided
	}
	if !k.has("new") {
		r.new = r.call
	}
	rest := Undecided
	if r.kind == Data && !k.has("call") {
		rest = State
	}
	if !k.has("state") {
		r.state = rest
	}
	if !k.has("items") {
		r.items = rest
	}
}

// splitFields splits at blanks, but not within the parentheses of a signature.
func splitFields(text string) ([]string, error) {
	var fields []string
	depth, start := 0, -1
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ' ' && depth == 0:
			if start >= 0 {
				fields = append(fields, text[start:i])
			}
			start = -1
			continue
		case c < ' ':
			return nil, fmt.Errorf("control character in column %d", i+1)
		}
		if start < 0 {
			start = i
		}
	}
	if start >= 0 {
		fields = append(fields, text[start:])
	}
	if depth != 0 || len(fields) == 0 {
		return nil, fmt.Errorf("unbalanced parentheses or nothing but blanks")
	}
	return fields, nil
}

// splitKeys parts the leading names from the key=value fields after them.
func splitKeys(fields []string) (names, keys []string) {
	for i, f := range fields {
		if strings.Contains(f, "=") {
			return fields[:i], fields[i:]
		}
	}
	return fields, nil
}
