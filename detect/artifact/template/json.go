package template

import (
	"bufio"
	"bytes"
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
	maxKey     = 512                    // bytes of a key that are kept
	maxString  = jinja.DefaultBytes + 1 // bytes of a string that are kept
	maxStrings = 10_000                 // strings with a tag that are judged
	maxJudged  = 16 << 20               // bytes of such strings
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
	buf       []byte // the string at hand
	limit     int    // bytes of it that are kept
	cut       bool   // it was longer
	roots     int
	rootArray bool
	strings   int
}

// step is one level of nesting.
type step struct {
	array bool
	index int
	key   []byte
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
		r.open(b == '[')
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

// open adds a level; the room of its key is used again.
func (r *reader) open(array bool) {
	n := len(r.path)
	if n < cap(r.path) {
		r.path = r.path[:n+1]
		r.path[n] = step{array: array, key: r.path[n].key[:0]}
		return
	}
	r.path = append(r.path, step{array: array})
}

// leaf hands a string on.
func (r *reader) leaf(at int64, whole bool) {
	named := len(r.path) - 1 // the level whose key names the string
	for named >= 0 && r.path[named].array {
		named--
	}
	tag := bytes.Contains(r.buf, []byte("{{")) || bytes.Contains(r.buf, []byte("{%"))
	if !tag && (named < 0 || len(r.buf) > maxSecret || !secretKey(r.path[named].key)) {
		return
	}
	v := value{text: string(r.buf), pointer: r.pointer(), whole: whole, offset: at}
	if named >= 0 {
		v.key = string(r.path[named].key)
	}
	r.visit(v)
}

func (r *reader) pointer() string {
	var b strings.Builder
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	for _, s := range r.path {
		b.WriteByte('/')
		if s.array {
			b.WriteString(strconv.Itoa(s.index))
		} else {
			b.WriteString(escape.Replace(string(s.key)))
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
	top.key = append(top.key[:0], r.buf...)
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
	r.buf, r.limit, r.cut = r.buf[:0], limit, false
	for {
		if _, err := r.in.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				return false, r.bad("string is not closed")
			}
			return false, err
		}
		p, _ := r.in.Peek(r.in.Buffered())
		n := 0
		for n < len(p) && p[n] != '"' && p[n] != '\\' && p[n] >= ' ' {
			n++
		}
		r.keep(p[:n])
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
			return !r.cut, nil
		case c == '\\':
			if err := r.escape(); err != nil {
				return false, err
			}
		default:
			return false, r.bad("control character in a string")
		}
	}
}

// keep adds to the string at hand, up to its limit.
func (r *reader) keep(p []byte) {
	n := min(len(p), max(r.limit-len(r.buf), 0))
	r.buf = append(r.buf, p[:n]...)
	r.cut = r.cut || n < len(p)
}

func (r *reader) escape() error {
	c, err := r.next()
	if err != nil {
		return err
	}
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if i := strings.IndexByte(from, c); i >= 0 {
		r.keep([]byte{to[i]})
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
	r.keep(utf8.AppendRune(nil, v))
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
	if b != '-' && !wordByte(b) {
		return r.bad("expected a value")
	}
	w := append(r.buf[:0], b)
	for more := true; more; {
		if _, err := r.in.Peek(1); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		p, _ := r.in.Peek(r.in.Buffered())
		n := 0
		for n < len(p) && (wordByte(p[n]) || p[n] == '-' || p[n] == '+' || p[n] == '.') {
			n++
		}
		if len(w) < 64 {
			w = append(w, p[:min(n, 64)]...)
		}
		_, _ = r.in.Discard(n)
		r.off += int64(n)
		more = n == len(p)
	}
	r.buf = w
	return r.checkWord(w)
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (r *reader) checkWord(w []byte) error {
	digits := w
	if w[0] == '-' {
		digits = w[1:]
	}
	if len(digits) > 0 && digits[0] >= '0' && digits[0] <= '9' {
		for _, c := range digits {
			if (c < '0' || c > '9') && c != '.' && c != '+' && c != '-' && c|0x20 != 'e' {
				return r.bad("bad number")
			}
		}
		return nil
	}
	switch string(w) {
	case "true", "false", "null", "NaN", "Infinity", "-Infinity":
		return nil
	}
	return r.bad("unknown word")
}
