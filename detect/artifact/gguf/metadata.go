package gguf

import (
	"fmt"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/detect/text/codelike"
)

// Types of metadata values, by the specification.
const (
	typeU32    = 4
	typeString = 8
	typeArray  = 9
	typeCount  = 13
)

// scalars are the sizes of the value types in bytes; 0 where it is not fixed.
var scalars = [typeCount]int64{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}

// pair reads one key and its value.
func (s *scan) pair() error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	at := s.r.pos
	key, err := s.text("key", maxKey)
	if err != nil {
		return err
	}
	if key == "" {
		s.a.Incomplete("malformed", "an empty key")
	}
	if _, twice := s.keys[key]; twice {
		s.add(ruleDuplicate.New(s.a.At(at, s.r.pos-at), "key "+quote(key)+" stands twice", map[string]any{"name": clip(key), "of": "key"}))
	}
	if len(key) <= maxKept {
		s.keys[key] = struct{}{}
	} else {
		s.a.Incomplete("malformed", fmt.Sprintf("a key of %d bytes", len(key)))
	}
	kind, ok := s.r.u32()
	if !ok {
		return s.truncated("type of " + quote(key))
	}
	if key == "general.alignment" {
		return s.readAlignment(kind)
	}
	return s.value(key, kind, 0)
}

func (s *scan) value(key string, kind uint32, depth int) error {
	switch {
	case kind == typeString:
		return s.str(key)
	case kind == typeArray:
		return s.array(key, depth)
	case kind < typeCount:
		if !s.r.skip(scalars[kind]) {
			return s.truncated("value of " + quote(key))
		}
		return nil
	}
	return s.badType("value of "+quote(key), kind, s.r.pos-4)
}

// badType reports a type number, at an offset, outside the tables of readers.
func (s *scan) badType(what string, kind uint32, at int64) error {
	if int32(kind) < 0 {
		s.add(ruleType.New(s.a.At(at, 4), fmt.Sprintf("%s has the negative type %d", what, int32(kind)), map[string]any{"of": clip(what), "type": int32(kind)}))
	}
	return s.malformed(fmt.Sprintf("%s has the unknown type %d", what, kind))
}

// text reads a string of at most most bytes whole.
func (s *scan) text(what string, most int64) (string, error) {
	n, ok := s.size()
	if !ok {
		return "", s.truncated(what)
	}
	if err := s.count(what+" length", n, 1, 0); err != nil {
		return "", err
	}
	if int64(n) > most {
		return "", s.malformed(fmt.Sprintf("%s of %d bytes", what, n))
	}
	b, ok := s.r.bytes(int64(n))
	if !ok {
		return "", s.truncated(what)
	}
	return string(b), nil
}

// str passes over a string value; templates are handed on, and what may hold
// prose is looked at for code.
func (s *scan) str(key string) error {
	n, ok := s.size()
	if !ok {
		return s.truncated("value of " + quote(key))
	}
	if err := s.count("string length", n, 1, 0); err != nil {
		return err
	}
	at := s.r.pos
	s.r.skip(int64(n))
	template := isTemplate(key)
	if n == 0 || !template && (n < 6 || strings.HasPrefix(key, "tokenizer.")) {
		return nil
	}
	if n > maxText {
		if template {
			s.a.Incomplete("too-large", fmt.Sprintf("%s of %d bytes", quote(key), n))
		}
		n = maxText
	}
	if template {
		return s.a.Child(s.ctx, format.Child{Name: memberName(key), Blob: s.a.Blob.Slice(at, int64(n)), Hint: "jinja"})
	}
	b, err := s.a.Blob.Bytes(at, int64(n))
	if err != nil {
		s.r.err = err
		return stop{}
	}
	if score, why := codelike.Score(b); score >= codelike.Threshold {
		s.add(ruleMetadata.New(s.a.At(at, int64(n)), quote(key)+": "+why, map[string]any{"key": clip(key), "why": why, "excerpt": clip(strings.ToValidUTF8(string(b[:min(len(b), 80)]), ""))}))
	}
	return nil
}

// isTemplate: tokenizer.chat_template, tokenizer.chat_template.NAME, and what
// other writers call theirs.
func isTemplate(key string) bool {
	return strings.Contains(strings.ToLower(key), "chat_template") && !strings.HasSuffix(key, ".chat_templates")
}

func memberName(key string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' {
			return '_'
		}
		return r
	}, clip(key))
}

// array passes over an array. llama.cpp refuses arrays of arrays; the
// specification has them.
func (s *scan) array(key string, depth int) error {
	if depth >= maxNesting {
		return s.malformed("arrays in " + quote(key) + " nest deeper than " + fmt.Sprint(maxNesting))
	}
	typeAt := s.r.pos
	kind, ok1 := s.r.u32()
	n, ok2 := s.size()
	if !ok1 || !ok2 {
		return s.truncated("array " + quote(key))
	}
	if kind >= typeCount {
		return s.badType("array "+quote(key), kind, typeAt)
	}
	least := uint64(scalars[kind])
	switch kind {
	case typeString:
		least = s.wordSize()
	case typeArray:
		least = s.wordSize() + 4
	}
	if err := s.count("array length", n, least, 0); err != nil {
		return err
	}
	switch kind {
	case typeString:
		return s.strings(key, n)
	case typeArray:
		for i := uint64(0); i < n; i++ {
			if i&0xfff == 0 && s.ctx.Err() != nil {
				return s.ctx.Err()
			}
			if err := s.array(key, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	s.r.skip(int64(n) * scalars[kind])
	return nil
}

// strings passes over n strings without keeping one: vocabularies have hundreds
// of thousands.
func (s *scan) strings(key string, n uint64) error {
	template := isTemplate(key)
	for i := uint64(0); i < n; i++ {
		if i&0xfff == 0 && s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		if template && i < 64 {
			if err := s.str(fmt.Sprintf("%s.%d", key, i)); err != nil {
				return err
			}
			continue
		}
		length, ok := s.size()
		if !ok {
			return s.truncated("array " + quote(key))
		}
		if length > uint64(s.r.left()) {
			return s.count("string length", length, 1, 0)
		}
		s.r.skip(int64(length))
	}
	if template && n > 64 {
		s.a.Incomplete("too-many-templates", fmt.Sprintf("%d, 64 are looked at", n))
	}
	return nil
}

// readAlignment reads general.alignment, on which all offsets hang.
func (s *scan) readAlignment(kind uint32) error {
	if kind != typeU32 {
		s.a.Incomplete("malformed", fmt.Sprintf("general.alignment has type %d, want uint32", kind))
		return s.value("general.alignment", kind, 0)
	}
	n, ok := s.r.u32()
	switch {
	case !ok:
		return s.truncated("general.alignment")
	case n == 0 || n&(n-1) != 0:
		s.add(ruleAlignment.New(s.a.At(s.r.pos-4, 4), fmt.Sprintf("alignment %d is no power of two", n), map[string]any{"alignment": n}))
		return s.malformed("general.alignment")
	}
	if n%8 != 0 {
		s.a.Incomplete("malformed", fmt.Sprintf("general.alignment %d is no multiple of 8", n))
	}
	s.alignment = uint64(n)
	return nil
}
