package arrows

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "bartizan/"

// layers are the folders in the order of the arrows: a package imports from
// layers before its own, and from its own engine. Folders in one row are
// siblings and do not import each other.
var layers = [][]string{
	{"version", "internal"},
	{"subject"},
	{"finding"},
	{"attest"},
	{"detect", "source"},
	{"examine"},
	{"record"},
	{"decide"},
	{"respond", "comply"},
	{"serve"},
	{"cmd", "tools"},
}

// engines are the folders under detect that stand beside each other; what two
// of them need is a package of its own below both.
var engines = map[string]bool{"artifact": true, "dataset": true, "mail": true, "media": true, "usage": true, "sensitive": true, "prompt": true, "drift": true}

// forbidden says which packages code below a folder never imports: a detector
// is given bytes, it does not open, call, store or start anything.
var forbidden = map[string][]string{
	"detect":  {"net", "net/http", "database/sql", "os", "os/exec", "plugin", "math/rand", "math/rand/v2"},
	"finding": {"net", "net/http", "database/sql", "os", "os/exec", "plugin"},
	"subject": {"net", "net/http", "database/sql", "os", "os/exec", "plugin"},
	"attest":  {"database/sql", "os/exec", "plugin"},
	"examine": {"net", "net/http", "database/sql", "plugin"},
}

type source struct {
	path string // relative to the module's root
	test bool
	file *ast.File
	set  *token.FileSet
}

func (s *source) at(pos token.Pos) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(pos).Line)
}

// sources parses every Go file of the module; other modules within are left out.
func sources(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..", "..")
	var out []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasPrefix(d.Name(), ".") && path != root && d.Name() != ".." || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != root {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		out = append(out, source{path: filepath.ToSlash(rel), test: isTest(path), file: file, set: set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d files: the walk is wrong", len(out))
	}
	return out
}

// isTest says that a file is part of tests alone: _test.go, and packages that
// are helpers of tests, named like httptest.
func isTest(path string) bool {
	return strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test")
}

// place gives the layer and sibling number of a path within the module.
func place(path string) (layer, sibling int, ok bool) {
	top, _, _ := strings.Cut(path, "/")
	for i, row := range layers {
		for j, name := range row {
			if name == top {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// arrow says why from may not import to, or "".
func arrow(from, to string) string {
	a, i, ok := place(from)
	if !ok {
		return "lies in a folder that the design does not know"
	}
	b, j, ok := place(to)
	switch {
	case !ok:
		return "imports a folder that the design does not know"
	case b > a:
		return "imports upwards"
	case a == b && i != j && a > 0:
		return "imports a sibling"
	}
	if x, y := engine(from), engine(to); x != "" && y != "" && x != y && engines[y] {
		if engines[x] {
			return "imports another engine"
		}
		return "is shared by engines and imports one"
	}
	return ""
}

// engine is the folder under detect that a path lies in.
func engine(path string) string {
	rest, ok := strings.CutPrefix(path, "detect/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func TestImportsRunDown(t *testing.T) {
	for _, s := range sources(t) {
		for _, imp := range s.file.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if to, own := strings.CutPrefix(path, module); own {
				if why := arrow(s.path, to); why != "" {
					t.Errorf("%s: %s: %s", s.at(imp.Pos()), why, path)
				}
				continue
			}
			top, _, _ := strings.Cut(s.path, "/")
			for _, no := range forbidden[top] {
				if path == no && !s.test {
					t.Errorf("%s: %s never imports %s", s.at(imp.Pos()), top, path)
				}
			}
		}
	}
}

// recovers are the files that may recover: from memory faults in mapped files,
// and from libraries that panic on hostile archives, certificates and columns.
var recovers = map[string]bool{"examine/examine.go": true, "detect/container/rarfile.go": true, "attest/keyless/root.go": true, "attest/manifest/parquet/parquet.go": true}

// No init(): what is registered stands in a visible list. No panic: what is
// wrong is an error, a finding or incomplete.
func TestNoHiddenControlFlow(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: init()", s.at(n.Pos()))
				}
			case *ast.CallExpr:
				name, ok := n.Fun.(*ast.Ident)
				if !ok {
					break
				}
				if name.Name == "panic" {
					t.Errorf("%s: panic", s.at(n.Pos()))
				}
				if name.Name == "recover" && !recovers[s.path] {
					t.Errorf("%s: recover", s.at(n.Pos()))
				}
			}
			return true
		})
	}
}

// Every package says in its comment what it is about.
func TestPackagesHaveComments(t *testing.T) {
	said := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		dir := filepath.Dir(s.path)
		said[dir] = said[dir] || s.file.Doc != nil
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s: no package comment", dir)
		}
	}
}

// The test itself: arrows that must be refused.
func TestArrow(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"examine/a.go", "detect/artifact", true},
		{"detect/artifact/a.go", "examine", false},
		{"detect/artifact/a.go", "source/file", false},
		{"source/file/a.go", "detect/input", false},
		{"respond/a.go", "comply", false},
		{"comply/a.go", "respond/alert", false},
		{"detect/mail/a.go", "detect/artifact", false},
		{"detect/mail/a.go", "detect/container", true},
		{"detect/container/a.go", "detect/mail", false},
		{"detect/artifact/pickle/a.go", "detect/artifact/symbol", true},
		{"finding/a.go", "attest", false},
		{"attest/a.go", "finding", true},
		{"finding/encode/a.go", "finding", true},
		{"cmd/bartizan/a.go", "serve/api", true},
		{"serve/a.go", "cmd/bartizan", false},
		{"finding/a.go", "internal/arrows", true},
		{"internal/a.go", "finding", false},
		{"somewhere/a.go", "finding", false},
	} {
		if why := arrow(c.from, c.to); (why == "") != c.ok {
			t.Errorf("%s -> %s: %q", c.from, c.to, why)
		}
	}
}
