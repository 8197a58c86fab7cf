package symbol

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Compile makes the searchable form of data files. The result depends on their
// content alone, not on the order in which they are given.
func Compile(sources []Source) ([]byte, error) {
	m := merger{modules: map[string]*module{}, indexed: map[string]string{}}
	files, err := parseAll(sources)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := m.add(f); err != nil {
			return nil, err
		}
	}
	m.settle()
	return m.encode()
}

// parseAll puts overlays last, so that their rows win.
func parseAll(sources []Source) ([]*parsed, error) {
	sources = slices.Clone(sources)
	slices.SortFunc(sources, func(a, b Source) int {
		if a.Overlay != b.Overlay {
			if a.Overlay {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	files := make([]*parsed, 0, len(sources))
	for _, s := range sources {
		f, err := parseText(s)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// module is what all files together say of one module.
type module struct {
	library  string
	onImport Effect
	rows     map[string]row
	curated  map[string]bool
}

type merger struct {
	modules map[string]*module
	indexed map[string]string // top-level package -> library of a derived file
	sources []string
}

func (m *merger) add(f *parsed) error {
	if f.source != "" {
		m.sources = append(m.sources, f.source)
	}
	for _, b := range f.blocks {
		for _, name := range b.modules {
			if name == "__main__" {
				continue // it is the loading program, whatever ran when the data was made
			}
			if err := m.addBlock(f, name, b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *merger) addBlock(f *parsed, name string, b block) error {
	mod := m.modules[name]
	if mod == nil {
		mod = &module{library: b.library, rows: map[string]row{}, curated: map[string]bool{}}
		m.modules[name] = mod
	}
	mod.onImport |= b.onImport
	if !f.overlay {
		top, _, _ := strings.Cut(name, ".")
		if _, ok := m.indexed[top]; !ok {
			m.indexed[top] = b.library
		}
	}
	for _, r := range b.rows {
		if f.overlay && mod.curated[r.name] {
			return fmt.Errorf("%s:%d: %s:%s is there already", f.name, r.source, name, r.name)
		}
		old, ok := mod.rows[r.name]
		if ok && !f.overlay {
			r = m.union(old, r)
		}
		mod.curated[r.name] = f.overlay
		mod.rows[r.name] = r
	}
	return nil
}

// union joins two derived rows of one name. A definition outlives a link, since
// only it can carry effects; what the link led to is then not decided.
func (m *merger) union(a, b row) row {
	if a.link != "" && b.link != "" {
		if b.link < a.link {
			return b
		}
		return a
	}
	if a.link != "" {
		a, b = b, a
	}
	if b.link != "" {
		b.call, b.new, b.state, b.items = Undecided, Undecided, Undecided, Undecided
		b.kind = a.kind
	}
	a.call |= b.call
	a.new |= b.new
	a.state |= b.state
	a.items |= b.items
	a.kind = min(a.kind, b.kind)
	a.bases = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(a.bases), b.bases...))))
	return a
}

// settle hands what importing a package does down to its submodules, and gives
// every attribute an owner to walk through.
func (m *merger) settle() {
	for _, name := range slices.Sorted(maps.Keys(m.modules)) {
		m.modules[name].addOwners()
		if i := strings.LastIndexByte(name, '.'); i > 0 {
			if parent := m.modules[name[:i]]; parent != nil {
				m.modules[name].onImport |= parent.onImport
			}
		}
	}
}

// addOwners adds an undecided class for a member whose class no row names.
func (mod *module) addOwners() {
	for _, name := range slices.Sorted(maps.Keys(mod.rows)) {
		for i := strings.LastIndexByte(name, '.'); i > 0; i = strings.LastIndexByte(name[:i], '.') {
			if _, ok := mod.rows[name[:i]]; !ok {
				r := undecided()
				mod.rows[name[:i]] = row{name: name[:i], kind: Class, call: r.call, new: r.new, state: r.state, items: r.items}
			}
		}
	}
}

// encoder gathers the sections of the blob (see blob.go for the layout).
type encoder struct {
	records  []byte
	recordID map[string]uint64
	sigs     []byte
	sigID    map[uint64]uint32
	pool     []byte
	poolOff  map[string]uint64
	symtabs  []byte
	entries  []byte
	libID    map[string]uint16
}

func (m *merger) encode() ([]byte, error) {
	e := encoder{recordID: map[string]uint64{}, sigID: map[uint64]uint32{}, poolOff: map[string]uint64{}, libID: map[string]uint16{}}
	libs := m.libraries()
	for i, lib := range libs {
		e.libID[lib] = uint16(i)
	}
	names := slices.Sorted(maps.Keys(m.modules))
	modules := make([]pair, 0, len(names))
	for i, name := range names {
		e.module(m.modules[name])
		modules = append(modules, pair{name, uint64(i)})
	}
	tops := make([]pair, 0, len(m.indexed))
	for _, top := range slices.Sorted(maps.Keys(m.indexed)) {
		tops = append(tops, pair{top, uint64(e.libID[m.indexed[top]])})
	}
	slices.Sort(m.sources)
	return seal([sections][]byte{
		secLibraries: stringList(libs), secSources: stringList(m.sources), secTops: table(tops),
		secModules: table(modules), secEntries: e.entries, secSymbols: e.symtabs,
		secRecords: e.records, secSignatures: e.sigs, secPool: e.pool,
	})
}

func (m *merger) libraries() []string {
	set := map[string]bool{}
	for _, mod := range m.modules {
		set[mod.library] = true
	}
	for _, lib := range m.indexed {
		set[lib] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// seal puts the sections behind one another and the header, with the digest of
// all that follows it, in front.
func seal(parts [sections][]byte) ([]byte, error) {
	var index, body []byte
	off := uint64(headerSize)
	for _, part := range parts {
		index = binary.LittleEndian.AppendUint32(index, uint32(off))
		index = binary.LittleEndian.AppendUint32(index, uint32(len(part)))
		body = append(body, part...)
		off += uint64(len(part))
	}
	if off > maxBlob {
		return nil, fmt.Errorf("symbols take %d bytes, more than %d", off, maxBlob)
	}
	sum := sha256.New()
	sum.Write(index)
	sum.Write(body)
	blob := append([]byte(magic), "sha256:"+hex.EncodeToString(sum.Sum(nil))...)
	blob = append(blob, 0)
	return append(append(blob, index...), body...), nil
}

func (e *encoder) module(mod *module) {
	symbols := make([]pair, 0, len(mod.rows))
	for _, name := range slices.Sorted(maps.Keys(mod.rows)) {
		symbols = append(symbols, pair{name, e.value(mod.rows[name])})
	}
	e.entries = binary.LittleEndian.AppendUint32(e.entries, uint32(len(e.symtabs)))
	e.entries = binary.LittleEndian.AppendUint16(e.entries, e.libID[mod.library])
	e.entries = binary.LittleEndian.AppendUint16(e.entries, uint16(mod.onImport))
	e.symtabs = append(e.symtabs, table(symbols)...)
}

// value of a name: a link's place in the pool, or a record's number.
func (e *encoder) value(r row) uint64 {
	if r.link != "" {
		return e.intern([]string{r.link})<<1 | 1
	}
	rec := []byte{byte(r.kind), byte(r.combi)}
	for _, eff := range []Effect{r.call, r.new, r.state, r.items} {
		rec = binary.LittleEndian.AppendUint16(rec, uint16(eff))
	}
	rec = binary.LittleEndian.AppendUint32(rec, e.signatures(r.sigs))
	rec = binary.LittleEndian.AppendUint32(rec, uint32(e.intern(r.bases)))
	id, ok := e.recordID[string(rec)]
	if !ok {
		id = uint64(len(e.recordID))
		e.recordID[string(rec)] = id
		e.records = append(e.records, rec...)
	}
	return id << 1
}

// signatures numbers the lists of signatures, from one.
func (e *encoder) signatures(list []string) uint32 {
	ref := e.intern(list)
	if ref == 0 {
		return 0
	}
	id, ok := e.sigID[ref]
	if !ok {
		id = uint32(len(e.sigID)) + 1
		e.sigID[ref] = id
		e.sigs = binary.LittleEndian.AppendUint32(e.sigs, uint32(ref))
	}
	return id
}

// intern puts a list of texts into the pool; its place counts from one, zero is
// the empty list.
func (e *encoder) intern(list []string) uint64 {
	if len(list) == 0 {
		return 0
	}
	text := string(stringList(list))
	off, ok := e.poolOff[text]
	if !ok {
		off = uint64(len(e.pool)) + 1
		e.poolOff[text] = off
		e.pool = append(e.pool, text...)
	}
	return off
}

func stringList(list []string) []byte {
	out := binary.AppendUvarint(nil, uint64(len(list)))
	for _, s := range list {
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = append(out, s...)
	}
	return out
}

type pair struct {
	key   string
	value uint64
}

// table front-codes sorted keys in blocks of blockSize; see find.
func table(pairs []pair) []byte {
	out := binary.AppendUvarint(nil, uint64(len(pairs)))
	var index, data []byte
	for i, p := range pairs {
		if i%blockSize == 0 {
			index = binary.LittleEndian.AppendUint32(index, uint32(len(data)))
			data = binary.AppendUvarint(data, uint64(len(p.key)))
			data = append(data, p.key...)
		} else {
			shared := commonPrefix(pairs[i-1].key, p.key)
			data = binary.AppendUvarint(data, uint64(shared))
			data = binary.AppendUvarint(data, uint64(len(p.key)-shared))
			data = append(data, p.key[shared:]...)
		}
		data = binary.AppendUvarint(data, p.value)
	}
	return append(append(out, index...), data...)
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
