package template

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/jinja"
)

// Bounds of reading YAML. A file without a tag is not parsed at all.
const (
	maxYAML      = 1 << 20
	maxYAMLNodes = 100_000  // also of what the text may make, counted before it is read
	maxYAMLText  = 64 << 20 // of a file that is only searched for tags
)

// scanYAML judges the strings of a YAML file that hold a tag. Aliases are not
// expanded: what they name is read where it stands.
func scanYAML(ctx context.Context, a *format.Artifact) error {
	a.Out.Format("yaml")
	b, err := a.Blob.Head(maxYAMLText)
	if err != nil {
		return err
	}
	if utf16(b) {
		a.Incomplete("encoding", "UTF-16 text")
		return nil
	}
	if a.Blob.Size() > int64(len(b)) {
		a.Incomplete("yaml-too-large", "")
	}
	pythonTags(a, b)
	if !mayHold(b) {
		return nil
	}
	s := scan{a: a}
	walk := yamlWalk{s: &s}
	if len(b) > maxYAML || yamlParts(b) > maxYAMLNodes {
		a.Incomplete("yaml-too-large", "its tree is not built; it was searched as text")
		walk.raw(string(b))
		s.finish(false)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	for ctx.Err() == nil {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			a.Incomplete("malformed-yaml", strings.TrimPrefix(err.Error(), "yaml: "))
			walk.raw(string(b))
			break
		}
		walk.node(&doc, "", "", 0)
	}
	if len(s.found) == 0 { // a tag that YAML reads as a mapping
		walk.raw(string(b))
	}
	s.finish(false)
	return ctx.Err()
}

// yamlParts is at most how many nodes a YAML text makes: the reader builds its
// whole tree before it can be stopped.
func yamlParts(b []byte) int {
	n := 0
	for _, c := range b {
		switch c {
		case ',', '\n', ':', '-', '[', '{', '&', '*':
			n++
		}
	}
	return n
}

// objectTag finds the tags by which YAML loaders make Python and Ruby objects.
var objectTag = regexp.MustCompile(`!!python/(?:object|name|module)[\w/:.]*|tag:yaml\.org,2002:python/[\w/:.]*|!ruby/\w+[:\w]*`)

// pythonTags says where a YAML file names objects to make: yaml.load without a
// safe loader calls them (CVE-2017-18342, CVE-2020-14343).
func pythonTags(a *format.Artifact, b []byte) {
	for _, at := range objectTag.FindAllIndex(b, 20) {
		tag := string(b[at[0]:at[1]])
		a.Add(objectTagRule.New(a.At(int64(at[0]), int64(at[1]-at[0])), "makes an object by the tag "+cutTo(tag, 120), map[string]any{"symbol": cutTo(tag, 120)}))
	}
}

// mayHold says that a tag stands in the bytes, or an escape that could make one.
func mayHold(b []byte) bool {
	for _, w := range []string{"{{", "{%", `\x7b`, `\x7B`, `\u007b`, `\u007B`, `\U0000007`, "api_key", "command", "secret", "token", "cmd", "script"} {
		if bytes.Contains(b, []byte(w)) {
			return true
		}
	}
	return false
}

type yamlWalk struct {
	s     *scan
	nodes int
	full  bool
}

// raw judges a file that is not YAML (a template of one, say) as one text.
func (w *yamlWalk) raw(text string) {
	if jinja.Looks(text) {
		w.s.visit(value{text: cutTo(text, maxString), whole: true})
	}
}

func cutTo(s string, n int) string { return s[:min(len(s), n)] }

func (w *yamlWalk) node(n *yaml.Node, pointer, key string, depth int) {
	w.nodes++
	if w.nodes > maxYAMLNodes || depth > maxDepth {
		if !w.full {
			w.s.a.Incomplete("yaml-too-complex", "")
		}
		w.full = true
		return
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			w.node(c, pointer, key, depth+1)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			w.node(n.Content[i+1], pointer+"/"+escape.Replace(cutTo(k.Value, maxKey)), k.Value, depth+1)
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			w.node(c, pointer+"/"+strconv.Itoa(i), key, depth+1)
		}
	case yaml.ScalarNode:
		if jinja.Looks(n.Value) || secretKey(key) {
			w.s.visit(value{text: cutTo(n.Value, maxString), pointer: pointer, key: key, whole: len(n.Value) <= maxString, line: n.Line})
		}
	}
}
