package safetensors

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"bartizan/detect/text/codelike"
)

// meta reads __metadata__: an object of text. Values of other types are
// malformed, and looked at all the same.
func (s *scan) meta() error {
	if s.w.peek() != '{' {
		s.a.Incomplete("malformed", "__metadata__ is no object")
		return s.w.skip(0, func(raw) error { return nil })
	}
	keys := map[string]struct{}{}
	return s.w.object(func(key raw) error {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		s.metadata++
		k := string(key.text())
		if len(keys) <= maxMetadata {
			if _, twice := keys[k]; twice {
				s.duplicate(key, "__metadata__")
			}
			keys[k] = struct{}{}
		}
		if s.w.peek() != '"' {
			s.a.Incomplete("malformed", "__metadata__ "+quote(key.text())+" is no text")
		}
		return s.w.skip(0, func(v raw) error { return s.value(k, v) })
	})
}

// value looks at one text of the metadata.
func (s *scan) value(key string, v raw) error {
	if s.metadata > maxMetadata {
		s.a.Incomplete("too-much-metadata", fmt.Sprintf("more than %d entries", maxMetadata))
		return nil
	}
	b := v.text()
	switch {
	case strings.Contains(strings.ToLower(key), "chat_template"):
		return s.text(name(key), b, "jinja")
	case reachesFromTemplate(b):
		if err := s.text(name(key), b, "jinja"); err != nil {
			return err
		}
	case payload(b) != nil:
		return s.text(name(key), payload(b), "")
	}
	score, why := codelike.Score(b)
	if score < codelike.Threshold {
		why = ""
		if fetches(key, b) {
			why = "address to fetch from"
		}
	}
	if why != "" {
		s.add(ruleMetadata.New(s.place(v), "metadata "+quote([]byte(key))+": "+why,
			map[string]any{"key": clip([]byte(key)), "why": why, "excerpt": clip(b)}))
	}
	return nil
}

func name(key string) string {
	return "__metadata__/" + strings.Map(func(r rune) rune {
		if r == '/' || r < ' ' {
			return '_'
		}
		return r
	}, clip([]byte(key)))
}

// reachesFromTemplate says whether a text with template marks goes for the
// interpreter. Braces alone are common: prompts weigh words by them.
func reachesFromTemplate(b []byte) bool {
	if !bytes.Contains(b, []byte("{{")) && !bytes.Contains(b, []byte("{%")) {
		return false
	}
	for _, w := range []string{"__class__", "__globals__", "__builtins__", "__import__", "__subclasses__", "__mro__", "__init__", "__base", "|attr", "| attr", "\\x5f"} {
		if bytes.Contains(b, []byte(w)) {
			return true
		}
	}
	return false
}

// payload gives the bytes of a value that are the start of another format, as
// they stand or in base64; nil where they are plain text.
func payload(b []byte) []byte {
	if len(b) < 8 {
		return nil
	}
	if magic(b) || textPickle(b) {
		return b
	}
	t := bytes.TrimRight(bytes.TrimSpace(b), "=")
	if len(t) < 16 {
		return nil
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		var head [12]byte
		if n, err := enc.Decode(head[:], t[:16]); err != nil || !magic(head[:n]) && !textStart(head[:n]) {
			continue
		}
		if out, err := enc.DecodeString(string(t)); err == nil && (magic(out) || textPickle(out)) {
			return out
		}
	}
	return nil
}

// magic: pickle from protocol 2 on, zip, gzip, zlib, ELF, PE.
func magic(b []byte) bool {
	switch {
	case b[0] == 0x80 && b[1] >= 2 && b[1] <= 5:
		return true
	case b[0] == 'P' && b[1] == 'K' && b[2] <= 7 && b[3] <= 8:
		return true
	case b[0] == 0x1f && b[1] == 0x8b, b[0] == 0x7f && b[1] == 'E' && b[2] == 'L' && b[3] == 'F':
		return true
	case b[0] == 'M' && b[1] == 'Z' && bytes.IndexByte(b[:8], 0) > 0:
		return true
	}
	return b[0] == 0x78 && (b[1] == 1 || b[1] == 0x9c || b[1] == 0xda) && b[2] >= 0x80
}

func textStart(b []byte) bool {
	switch b[0] {
	case 'c', '(', ']', '}', 'i', 'S', 'V':
		return true
	}
	return false
}

// textPickle: protocol 0 or 1, which are lines that end in REDUCE or BUILD and STOP.
func textPickle(b []byte) bool {
	t := bytes.TrimRight(b, " \n")
	return textStart(t) && t[len(t)-1] == '.' && bytes.IndexByte(t, '\n') > 0 &&
		(bytes.Contains(t, []byte("\nR")) || bytes.Contains(t, []byte("tR")) || bytes.Contains(t, []byte("\no.")) || bytes.HasPrefix(t, []byte("(i")))
}

// fetches says whether the key asks for something to be fetched or called back
// and the value is an address outside the hosts that models come from.
func fetches(key string, b []byte) bool {
	if !bytes.HasPrefix(b, []byte("http://")) && !bytes.HasPrefix(b, []byte("https://")) && !bytes.HasPrefix(b, []byte("ftp://")) {
		return false
	}
	k := strings.ToLower(key)
	asks := false
	for _, w := range []string{"callback", "webhook", "download", "payload", "hook", "exfil", "beacon", "install", "update", "config_url", "script"} {
		asks = asks || strings.Contains(k, w)
	}
	if !asks {
		return false
	}
	_, rest, _ := bytes.Cut(b, []byte("://"))
	host := strings.ToLower(string(rest[:min(len(rest), 255)]))
	if i := strings.IndexAny(host, `/?#\`); i >= 0 {
		host = host[:i]
	}
	for _, known := range hubs {
		if host == known || strings.HasSuffix(host, "."+known) {
			return false
		}
	}
	return true
}

// hubs are hosts that models and their sources are published on. Read only.
var hubs = []string{
	"huggingface.co", "hf.co", "civitai.com", "github.com", "githubusercontent.com", "gitlab.com", "modelscope.cn",
	"arxiv.org", "pytorch.org", "kaggle.com", "stability.ai", "nvidia.com",
}
