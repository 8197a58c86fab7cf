package plain

import (
	"bytes"
	"context"
	"regexp"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// Code is source that loaders or people run. It is recognised, not analysed.
type Code struct {
	name, title string
	extensions  []string
	claimed     []format.Format
}

// Name implements format.Format.
func (c Code) Name() string { return c.name }

// Title implements format.Format.
func (c Code) Title() string { return c.title }

// Extensions implements format.Format.
func (c Code) Extensions() []string { return c.extensions }

// Rules implements format.Format.
func (c Code) Rules() []finding.Rule { return nil }

// Match implements format.Format.
func (c Code) Match(p *format.Probe) bool {
	if kindOf(p) != c.name {
		return false
	}
	for _, f := range c.claimed {
		if f.Match(p) {
			return false
		}
	}
	return true
}

// Scan implements format.Format.
func (c Code) Scan(_ context.Context, a *format.Artifact) error {
	unsupported(a, "code-not-analysed", c.name)
	return nil
}

func unsupported(a *format.Artifact, code, detail string) {
	if a.Depth > 0 {
		detail = a.Path + ": " + detail
	}
	a.Out.Unsupported(code, detail)
}

// kindOf names the kind of code that an artefact is, or is empty. A parent's
// hint that it is something else settles it; so does content that is no text.
func kindOf(p *format.Probe) string {
	if p.Hint != "" || len(p.Head) == 0 || p.Once("encoding", probedEncoding) == "" || isPointer(p) {
		return ""
	}
	if p.Probed {
		return ""
	}
	head := bytes.TrimPrefix(p.Head, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(head, []byte("#!")) {
		return shebang(head)
	}
	if k := byName(p.Name); k != "" {
		return k
	}
	e := extension(p.Name)
	switch {
	case documents[e] || others[e]:
		return ""
	case bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && bytes.Contains(head, []byte(`"cells"`)) && bytes.Contains(head, []byte(`"cell_type"`)):
		return "notebook"
	case isPython(head):
		return "python-source"
	}
	return ""
}

func shebang(head []byte) string {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	switch {
	case bytes.Contains(line, []byte("python")):
		return "python-source"
	case bytes.Contains(line, []byte("sh")):
		return "shell-script"
	case bytes.HasPrefix(line, []byte("#!/")), bytes.HasPrefix(line, []byte("#! /")):
		return "source-code"
	}
	return ""
}

func byName(name string) string {
	switch base := strings.TrimSuffix(name, suffix(name)); {
	case name == "dockerfile" || name == "containerfile" || strings.HasPrefix(name, "dockerfile.") || strings.HasSuffix(name, ".dockerfile"):
		return "dockerfile"
	case suffix(name) == ".txt" && (strings.HasPrefix(base, "requirements") || strings.HasSuffix(base, "requirements") || base == "constraints"):
		return "requirements"
	case name == "pipfile" || name == "setup.cfg":
		return "requirements"
	case name == "makefile" || name == "cmakelists.txt" || name == "justfile":
		return "source-code"
	case name == "bashrc" || name == ".bashrc" || name == ".profile" || name == "entrypoint":
		return "shell-script"
	}
	e := suffix(name)
	for _, c := range []struct {
		kind string
		of   []string
	}{{"python-source", pythonExtensions}, {"shell-script", shellExtensions}, {"notebook", []string{".ipynb"}}, {"source-code", sourceExtensions}} {
		for _, x := range c.of {
			if e == x {
				return c.kind
			}
		}
	}
	return ""
}

func suffix(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}

// statement is the first line of a Python program.
var statement = regexp.MustCompile(`^(import [A-Za-z_][\w.]*( as \w+)?( *, *[A-Za-z_][\w. ]*)* *(;.*|#.*)?$|from \.*[A-Za-z_][\w.]* import .+|from \.+ import .+|(async )?def \w+ ?\(.*|class \w+ ?(\(.*\))? ?:.*|@\w[\w.]*(\(.*\))?$|if __name__ *==|with open\(|try:$|exec\(|eval\(|__import__\()`)

// isPython looks at the first statement behind comments and a docstring.
func isPython(head []byte) bool {
	s := head
	for len(s) > 0 {
		line, rest, _ := bytes.Cut(s, []byte("\n"))
		t := bytes.TrimSpace(line)
		switch {
		case len(t) == 0 || t[0] == '#':
			s = rest
			continue
		case bytes.HasPrefix(t, []byte(`"""`)) || bytes.HasPrefix(t, []byte(`'''`)):
			i := bytes.Index(s, t[:3])
			j := bytes.Index(s[i+3:], t[:3])
			if j < 0 {
				return false
			}
			s = s[i+3+j+3:]
			continue
		}
		return statement.Match(t)
	}
	return false
}
