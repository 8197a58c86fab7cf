// Package template finds chat templates in files and judges them: template
// files themselves, and every string of a JSON or YAML file that holds a Jinja2
// tag, under whatever key it stands. What it decides it decides on the syntax
// tree (package jinja); nothing is rendered.
//
// It cannot see templates that code puts together at run time, and takes a file
// that holds none for clean.
package template

import (
	"bytes"
	"context"
	"strings"
	"unicode/utf8"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/jinja"
	"bartizan/finding"
)

// Format is the format of template files and of configuration that holds them.
type Format struct{}

// New gives the format.
func New() Format { return Format{} }

// Name implements format.Format.
func (Format) Name() string { return "template" }

// Title implements format.Format.
func (Format) Title() string { return "Chat templates (Jinja2) in files, JSON and YAML" }

// Extensions implements format.Format.
func (Format) Extensions() []string {
	return []string{".jinja", ".jinja2", ".j2", ".template", ".json", ".jsonl", ".ndjson", ".yaml", ".yml"}
}

type shape uint8

const (
	other shape = iota
	bare        // a template file
	jsonText
	yamlText
)

// Match implements format.Format.
func (Format) Match(p *format.Probe) bool { return shapeOf(p.Name, p.Hint, p.Head) != other }

// shapeOf recognises by content where content can tell, else by name.
func shapeOf(name, hint string, head []byte) shape {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if bytes.IndexByte(head, 0) >= 0 && !bytes.HasPrefix(head, []byte("\xff\xfe")) && !bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return other
	}
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		ext = name[i:]
	}
	switch {
	case hint == "jinja" || hint == "template":
		return bare
	case named(name, hint):
		return jsonText
	case hint == "yaml" || ext == ".yaml" || ext == ".yml":
		return yamlText
	case ext == ".template" && looksJSON(head):
		return jsonText
	case ext == ".jinja" || ext == ".jinja2" || ext == ".j2" || ext == ".template":
		return bare
	case (ext == "" || ext == ".txt" || ext == ".tpl" || ext == ".tmpl") && looksChat(head, name):
		return bare
	case looksJSON(head) && utf8.Valid(head[:validCut(head)]):
		return jsonText
	}
	return other
}

// named says that name or parent call the bytes JSON.
func named(name, hint string) bool {
	return hint == "json" || strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".jsonl") || strings.HasSuffix(name, ".ndjson")
}

// validCut leaves out a character that the end of the head may cut.
func validCut(b []byte) int {
	if len(b) < format.HeadBytes-3 {
		return len(b)
	}
	n := len(b)
	for i := 0; i < 3 && n > 0 && !utf8.RuneStart(b[n-1]); i++ {
		n--
	}
	return max(n-1, 0)
}

// looksJSON tells an object, or an array of objects, from what else begins with
// a bracket (TOML, INI, logs). Other JSON is known by its name.
func looksJSON(head []byte) bool {
	trim := func(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }
	b := trim(head)
	if len(b) > 0 && b[0] == '[' {
		b = trim(b[1:])
	}
	if len(b) == 0 || b[0] != '{' {
		return false
	}
	b = trim(b[1:])
	return len(b) > 0 && (b[0] == '"' || b[0] == '}')
}

// looksChat says that a file of no telling name holds a chat template.
func looksChat(head []byte, name string) bool {
	tags := bytes.Contains(head, []byte("{%")) || bytes.Contains(head, []byte("{{"))
	if strings.HasPrefix(name, "chat_template") || strings.HasPrefix(name, "chat-template") {
		return tags
	}
	return bytes.Contains(head, []byte("{%")) && (bytes.Contains(head, []byte("messages")) || bytes.Contains(head, []byte("message.content")))
}

// Scan implements format.Format.
func (Format) Scan(ctx context.Context, a *format.Artifact) error {
	head, err := a.Blob.Head(format.HeadBytes)
	if err != nil {
		return err
	}
	switch shapeOf(strings.ToLower(a.Name), a.Hint, head) {
	case jsonText:
		return scanJSON(ctx, a, named(strings.ToLower(a.Name), a.Hint))
	case yamlText:
		return scanYAML(ctx, a)
	case bare:
		return scanBare(a, strings.ToLower(a.Name))
	}
	return nil
}

// scanBare judges a file that is one template. A file of a general name that
// holds only {{ }} may be of another language: what does not parse is no fault then.
func scanBare(a *format.Artifact, name string) error {
	a.Out.Format("jinja")
	b, err := a.Blob.Head(int64(jinja.DefaultBytes) + 1)
	if err != nil {
		return err
	}
	if utf16(b) {
		a.Incomplete("encoding", "UTF-16 text")
		return nil
	}
	src := string(b)
	if !jinja.Looks(src) {
		if a.Blob.Size() > int64(len(b)) {
			a.Incomplete("template-too-large", "")
		}
		return nil
	}
	place := a.At(0, 0)
	guess := (strings.HasSuffix(name, ".template") || strings.HasSuffix(name, ".tmpl") || strings.HasSuffix(name, ".tpl")) && !strings.Contains(src, "{%")
	ReportAs(a, src, place, How{Chat: strings.Contains(name, "chat_template"), Guess: guess})
	return nil
}

func utf16(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff"))
}

// value is one string of a JSON or YAML file.
type value struct {
	text    string
	pointer string
	key     string // the last key by name, array positions left out
	whole   bool
	offset  int64
	line    int // of YAML
}

// templated says that a key is named for a template; sure that it is one.
func templated(pointer, key string) (named, sure bool) {
	p, k := strings.ToLower(pointer), strings.ToLower(key)
	if strings.Contains(p, "chat_template") || strings.Contains(p, "chattemplate") {
		return true, true
	}
	return strings.Contains(k, "template") || strings.Contains(k, "jinja"), false
}

// report judges a string that holds a tag.
func (v value) report(a *format.Artifact, data bool) {
	named, sure := templated(v.pointer, v.key)
	how := How{Chat: sure, Guess: !sure && !(named && strings.Contains(v.text, "{%")), Quoted: data && !named}
	place := finding.Place{Path: a.Path, Pointer: v.pointer}
	if !v.whole {
		a.Incomplete("template-too-large", v.pointer)
	}
	ReportAs(a, v.text, place, how)
}
