package template

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/jinja"
)

// Bounds of reading JSON.
const (
	maxDepth   = 512
	maxKey     = 512                   // bytes of a key that are kept
	maxString  = jinja.DefaultBytes + 1 // bytes of a string that are kept
	maxStrings = 10_000                // strings with a tag that are judged
	maxJudged  = 16 << 20              // bytes of such strings
)

// scanJSON reads a JSON text (or several, one after another) as a stream: only
// the string at hand is kept, and judged where it holds a tag. Keys that stand
// twice are both read, as a loader may take either. What only looks like JSON and
// is not (named is false) is no fault, unless it holds a template.
func scanJSON(ctx context.Context, a *format.Artifact, named bool) error {
	a.Out.Format("json")
	s := scan{a: a}
	r := &reader{in: bufio.NewReaderSize(a.Blob.Reader(), 64<<10), ctx: ctx, visit: s.visit}
	err := r.texts()
	var bad *malformed
	switch {
	case errors.As(err, &bad) && !named && len(s.found) == 0:
	case errors.As(err, &bad):
		a.Incomplete("malformed-json", bad.Error())
	case err != nil:
		return err
	}
	s.finish(r.roots > 1 || r.rootArray)
	return nil
}

// scan gathers the strings of a file that are judged.
type scan struct {
	a     *format.Artifact
	found []value
	bytes int
	over  bool
}

// visit takes a string; it may be called for millions.
func (s *scan) visit(v value) {
	s.secret(v)
	if !jinja.Looks(v.text) {
		return
	}
	if len(s.found) >= maxStrings || s.bytes > maxJudged {
		s.over = true
		return
	}
	s.bytes += len(v.text)
	v.text = strings.Clone(v.text)
	s.found = append(s.found, v)
}

// finish judges what was gathered; data says that the file is a list of records.
func (s *scan) finish(data bool) {
	if s.over {
		s.a.Incomplete("too-many-templates", "")
	}
	seen := map[string]string{}
	for _, v := range s.found {
		v.report(s.a, data)
		if _, sure := templated(v.pointer, v.key); !sure {
			continue
		}
		if before, twice := seen[v.pointer]; twice {
			if f, differs := Drift(placeOf(s.a, v), "the same key, given before", before, v.text); differs {
				s.a.Add(f)
			}
		}
		seen[v.pointer] = v.text
	}
}

// malformed is where and why a text is not JSON.
type malformed struct {
	offset int64
	why    string
}

func (m *malformed) Error() string { return fmt.Sprintf("offset %d: %s", m.offset, m.why) }

// reader is a tokenizer of JSON as Python reads it: NaN and Infinity are
// numbers, lone surrogates are characters, keys may stand twice.
type reader struct {
	in        *bufio.Reader
	ctx       context.Context
	visit     func(value)
	off       int64
	path      []step
	buf       []byte
	roots     int
	rootArray bool
	strings   int
}

// step is one level of nesting.
type step struct {
	array bool
	index int
	key   string
}

func (r *reader) bad(why string) error { return &malformed{r.off, why} }

func (r *reader) next() (byte, error) {
	b, err := r.in.ReadByte()
	if err == nil {
		r.off++
	} else if errors.Is(err, io.EOF) {
		err = r.bad("unexpected end")
	}
	return b, err
}

func (r *reader) unread() { _ = r.in.UnreadByte(); r.off-- }

// space skips white space and gives the next byte; ok is false at the end.
func (r *reader) space() (b byte, ok bool, err error) {
	for {
		b, err = r.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return 0, false, nil
		}
		if err != nil {
			return 0, false, err
		}
		r.off++
		if b != ' ' && b != '\n' && b != '\t' && b != '\r' {
			return b, true, nil
		}
	}
}

// texts reads values until the end of the input.
func (r *reader) texts() error {
	if b, _ := r.in.Peek(3); string(b) == "\xef\xbb\xbf" {
		_, _ = r.in.Discard(3)
		r.off = 3
	}
	for {
		b, ok, err := r.space()
		switch {
		case err != nil:
			return err
		case !ok && r.roots == 0:
			return r.bad("no value")
		case !ok:
			return nil
		}
		r.roots++
		r.rootArray = r.roots == 1 && b == '['
		if err := r.tree(b); err != nil {
			return err
		}
	}
}

// tree reads one value and what lies within it, without recursion.
func (r *reader) tree(b byte) error {
	base := len(r.path)
	for {
		opened, err := r.value(b)
		if err != nil {
			return err
		}
		if b, err = r.follow(base, opened); err != nil || b == 0 {
			return err
		}
	}
}

// value reads a scalar, or opens an object or array.
func (r *reader) value(b byte) (opened bool, err error) {
	switch b {
	case '{', '[':
		if len(r.path) >= maxDepth {
			return false, r.bad("nested deeper than " + strconv.Itoa(maxDepth))
		}
		r.path = append(r.path, step{array: b == '['})
		if err := r.ctx.Err(); err != nil {
			return false, err
		}
		return true, nil
	case '"':
		at := r.off - 1
		whole, err := r.str(maxString)
		if err != nil {
			return false, err
		}
		if r.strings++; r.strings&0xffff == 0 && r.ctx.Err() != nil {
			return false, r.ctx.Err()
		}
		r.leaf(at, whole)
		return false, nil
	}
	return false, r.word(b)
}

// leaf hands a string on.
func (r *reader) leaf(at int64, whole bool) {
	text := string(r.buf)
	if !jinja.Looks(text) && len(text) > maxSecret {
		return
	}
	key := ""
	for i := len(r.path) - 1; i >= 0 && key == ""; i-- {
		key = r.path[i].key
	}
	v := value{text: text, key: key, whole: whole, offset: at}
	if jinja.Looks(text) || secretKey(key) {
		v.pointer = r.pointer()
		r.visit(v)
	}
}

func (r *reader) pointer() string {
	var b strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, s := range r.path {
		b.WriteByte('/')
		if s.array {
			b.WriteString(strconv.Itoa(s.index))
		} else {
			b.WriteString(escape.Replace(s.key))
		}
	}
	return b.String()
}

// follow reads commas, ends and keys up to the next value, whose first byte it
// gives; 0 where the value at base is done.
func (r *reader) follow(base int, opened bool) (byte, error) {
	for {
		if len(r.path) == base {
			return 0, nil
		}
		top := &r.path[len(r.path)-1]
		b, ok, err := r.space()
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, r.bad("unexpected end")
		}
		end := byte('}')
		if top.array {
			end = ']'
		}
		if b == end {
			r.path = r.path[:len(r.path)-1]
			opened = false
			continue
		}
		if !opened {
			if b != ',' {
				return 0, r.bad("expected a comma")
			}
			top.index++
			if b, ok, err = r.space(); err != nil || !ok {
				return 0, r.orEnd(err)
			}
		}
		if top.array {
			return b, nil
		}
		return r.member(top, b)
	}
}

func (r *reader) orEnd(err error) error {
	if err != nil {
		return err
	}
	return r.bad("unexpected end")
}

// member reads a key and the colon.
func (r *reader) member(top *step, b byte) (byte, error) {
	if b != '"' {
		return 0, r.bad("expected a key")
	}
	if _, err := r.str(maxKey); err != nil {
		return 0, err
	}
	top.key = string(r.buf)
	b, ok, err := r.space()
	if err != nil || !ok {
		return 0, r.orEnd(err)
	}
	if b != ':' {
		return 0, r.bad("expected a colon")
	}
	b, ok, err = r.space()
	if err != nil || !ok {
		return 0, r.orEnd(err)
	}
	return b, nil
}

// str reads a string into buf, which keeps at most limit bytes; whole is false
// where there were more.
func (r *reader) str(limit int) (whole bool, err error) {
	r.buf, whole = r.buf[:0], true
	keep := func(p []byte) {
		n := min(len(p), max(limit-len(r.buf), 0))
		r.buf = append(r.buf, p[:n]...)
		whole = whole && n == len(p)
	}
	for {
		p, err := r.in.Peek(1)
		if err != nil {
			if errors.Is(err, io.EOF) {
				return false, r.bad("string is not closed")
			}
			return false, err
		}
		p, _ = r.in.Peek(r.in.Buffered())
		n := 0
		for n < len(p) && p[n] != '"' && p[n] != '\\' && p[n] >= ' ' {
			n++
		}
		keep(p[:n])
		r.off += int64(n)
		if n == len(p) {
			_, _ = r.in.Discard(n)
			continue
		}
		c := p[n]
		_, _ = r.in.Discard(n + 1)
		r.off++
		switch {
		case c == '"':
			return whole, nil
		case c == '\\':
			if err := r.escape(keep); err != nil {
				return false, err
			}
		default:
			return false, r.bad("control character in a string")
		}
	}
}

func (r *reader) escape(keep func([]byte)) error {
	c, err := r.next()
	if err != nil {
		return err
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if i := strings.IndexByte(from, c); i >= 0 {
		keep([]byte{to[i]})
		return nil
	}
	if c != 'u' {
		return r.bad("unknown escape")
	}
	v, err := r.hex4()
	if err != nil {
		return err
	}
	if v >= 0xD800 && v < 0xDC00 {
		if p, _ := r.in.Peek(6); len(p) == 6 && p[0] == '\\' && p[1] == 'u' {
			if lo, err := strconv.ParseUint(string(p[2:]), 16, 32); err == nil && lo >= 0xDC00 && lo < 0xE000 {
				_, _ = r.in.Discard(6)
				r.off += 6
				v = (v-0xD800)<<10 + (rune(lo) - 0xDC00) + 0x10000
			}
		}
	}
	keep(utf8.AppendRune(nil, v))
	return nil
}

func (r *reader) hex4() (rune, error) {
	var h [4]byte
	for i := range h {
		c, err := r.next()
		if err != nil {
			return 0, err
		}
		h[i] = c
	}
	v, err := strconv.ParseUint(string(h[:]), 16, 32)
	if err != nil {
		return 0, r.bad("bad \\u escape")
	}
	return rune(v), nil
}

// word reads a number or a literal.
func (r *reader) word(b byte) error {
	if b != '-' && (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') {
		return r.bad("expected a value")
	}
	var w [32]byte
	w[0] = b
	n := 1
	for {
		p, err := r.in.ReadByte()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		r.off++
		if p != '-' && p != '+' && p != '.' && (p < '0' || p > '9') && (p|0x20 < 'a' || p|0x20 > 'z') {
			r.unread()
			break
		}
		if n < len(w) {
			w[n] = p
		}
		n++
	}
	switch s := string(w[:min(n, len(w))]); {
	case s == "true", s == "false", s == "null", s == "NaN", s == "Infinity", s == "-Infinity":
		return nil
	case s[0] == '-' && len(s) > 1 && s[1] >= '0' && s[1] <= '9', s[0] >= '0' && s[0] <= '9':
		if strings.Trim(s, "0123456789+-.eE") != "" {
			return r.bad("bad number")
		}
		return nil
	default:
		return r.bad("unknown word")
	}
}
