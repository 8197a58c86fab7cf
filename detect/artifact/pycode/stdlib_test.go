package pycode

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact/marshal"
)

// interpreters finds the Pythons that pyenv installed.
func interpreters(t *testing.T) map[marshal.Version]string {
	t.Helper()
	root := os.Getenv("PYENV_ROOT")
	if root == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Skip("SKIPPED: no home folder, so no pyenv; nothing was compared")
		}
		root = filepath.Join(home, ".pyenv")
	}
	paths, _ := filepath.Glob(filepath.Join(root, "versions", "*", "bin", "python"))
	found := map[marshal.Version]string{}
	for _, p := range paths {
		var v marshal.Version
		if _, err := fmt.Sscanf(filepath.Base(filepath.Dir(filepath.Dir(p))), "%d.%d", &v.Major, &v.Minor); err == nil {
			found[v] = p
		}
	}
	if len(found) == 0 {
		t.Skip("SKIPPED: no Python interpreters under " + root + "/versions; nothing was compared")
	}
	return found
}

type oracleUnit struct {
	Name    string
	Names   []string
	Imports []string
	Chains  []string
	Consts  int
	Size    int
}

type oracleModule struct {
	File  string
	Code  string
	Units []oracleUnit
}

// TestStandardLibrary compares with what Python's own dis says of modules of its
// standard library, for every interpreter at hand: a few of them spread over
// all, and all where BARTIZAN_LONG is set (`make test-long`).
func TestStandardLibrary(t *testing.T) {
	limit := "300"
	if os.Getenv("BARTIZAN_LONG") != "" {
		limit = "1000000"
	}
	for v, python := range interpreters(t) {
		t.Run(fmt.Sprintf("%d.%d", v.Major, v.Minor), func(t *testing.T) {
			cmd := exec.Command(python, filepath.Join("testdata", "oracle.py"), limit)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			lines := bufio.NewScanner(bytes.NewReader(out))
			lines.Buffer(nil, 1<<26)
			units, modules := 0, 0
			versions := map[marshal.Version]int{}
			for lines.Scan() {
				var m oracleModule
				if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
					t.Fatal(err)
				}
				versions[compareModule(t, v, m)]++
				units += len(m.Units)
				modules++
			}
			t.Logf("%d modules, %d code objects; newest version that reads them: %v", modules, units, versions)
			if units < 250 {
				t.Errorf("only %d code objects were compared", units)
			}
		})
	}
}

// compareModule gives the newest version that reads the module where its version
// is not known.
func compareModule(t *testing.T, v marshal.Version, m oracleModule) (newest marshal.Version) {
	t.Helper()
	data, err := hex.DecodeString(m.Code)
	if err != nil {
		t.Fatal(err)
	}
	res := marshal.Parse(data)
	if len(res.Readings) != 1 || res.Readings[0].Layout != v.Layout() || res.Readings[0].Consumed != len(data) {
		t.Errorf("%s: readings %+v, fault %v", m.File, res.Readings, res.Fault)
		return newest
	}
	module := res.Readings[0].Value.Code
	compareUnits(t, m, module)
	r := Analyze(v, module)
	if r.Unknown || len(r.Irregular) > 0 || r.Codes != len(m.Units) {
		t.Errorf("%s: unknown %v, irregular %q, %d of %d code objects", m.File, r.Unknown, r.Irregular, r.Codes, len(m.Units))
	}
	compareLists(t, m, r)
	guessed := Analyze(marshal.Version{}, module)
	if !slices.Contains(guessed.Versions, v) || guessed.Unknown || len(guessed.Irregular) > 0 {
		t.Errorf("%s without version: %v, unknown %v, irregular %q", m.File, guessed.Versions, guessed.Unknown, guessed.Irregular)
		return newest
	}
	if len(guessed.References) != len(r.References) {
		t.Errorf("%s without version: %d references, with it %d", m.File, len(guessed.References), len(r.References))
	}
	return guessed.Versions[0]
}

// compareUnits matches code objects by name, names, constants and size.
func compareUnits(t *testing.T, m oracleModule, module *Code) {
	t.Helper()
	key := func(name string, names []string, consts, size int) string {
		return fmt.Sprint(name, names, consts, size)
	}
	have := map[string]int{}
	for _, c := range marshal.Codes(&Value{Kind: marshal.CodeObject, Code: module}) {
		have[key(c.Name, c.Names, len(c.Consts), len(c.Bytecode))]++
	}
	for _, u := range m.Units {
		if have[key(u.Name, u.Names, u.Consts, u.Size)] == 0 {
			t.Errorf("%s: %s %v is missing", m.File, u.Name, u.Names)
		}
	}
}

func compareLists(t *testing.T, m oracleModule, r Result) {
	t.Helper()
	names, imports, refs := setOf(r.Names), setOf(r.Imports), setOf(r.References)
	all := map[string]bool{}
	for _, u := range m.Units {
		for _, n := range u.Names {
			all[n] = true
			if n != "" && !names[n] { // "" is in `from . import name`
				t.Errorf("%s: name %q is missing", m.File, n)
			}
		}
		for _, n := range u.Imports {
			relative := false
			for i := range r.Imports {
				relative = relative || strings.TrimLeft(r.Imports[i], ".") == n
			}
			if n != "" && !imports[n] && !relative {
				t.Errorf("%s: import of %q is missing: %q", m.File, n, r.Imports)
			}
		}
		for _, chain := range u.Chains {
			root, _, _ := strings.Cut(chain, ".")
			want := chain
			if isBuiltin(root) {
				want = "builtins." + chain
			}
			if root == "__builtins__" {
				want = strings.TrimPrefix(strings.Replace(chain, "__builtins__", "builtins", 1), "")
			}
			if strings.Contains(want, ".__call__") || strings.Contains(want, ".__getattribute__") {
				continue
			}
			if len(want) < maxPath && !refs[want] {
				t.Errorf("%s %s: %q is missing", m.File, u.Name, want)
			}
		}
	}
	for _, n := range r.Names {
		if !all[n] {
			t.Errorf("%s: name %q is not in the code", m.File, n)
		}
	}
}

func setOf(list []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range list {
		set[s] = true
	}
	return set
}

// TestLeavingHandlers leaves handlers and finally clauses early, for which 3.8
// calls clauses like functions.
func TestLeavingHandlers(t *testing.T) {
	var sources []string
	for _, leave := range []string{"return e", "continue", "break", "raise", "pass"} {
		sources = append(sources,
			"def f(a, e=0):\n for x in a:\n  try: x()\n  except ValueError as e:\n   "+leave+"\n  x()\n",
			"def f(a, e=0):\n for x in a:\n  with x as y:\n   try:\n    y()\n    "+leave+"\n   finally:\n    y()\n  x()\n",
			"def f(a, e=0):\n for x in a:\n  try:\n   try: x()\n   except ValueError as e:\n    with x: "+leave+"\n  finally: x()\n  x()\n")
	}
	for v, python := range interpreters(t) {
		for i, c := range compileAll(t, python, sources) {
			if r := Analyze(v, c); r.Unknown || len(r.Irregular) > 0 || r.Codes != 2 {
				t.Errorf("%d.%d: unknown %v, irregular %q:\n%s", v.Major, v.Minor, r.Unknown, r.Irregular, sources[i])
			}
		}
	}
}

// TestFinallyIsFollowedBack puts something else on the stack in a finally clause
// of 3.8: what runs after it gets that.
func TestFinallyIsFollowedBack(t *testing.T) {
	v := py(8)
	code := asm(t, v, "LOAD_CONST 0; CALL_FINALLY 6; LOAD_CONST 0; CALL_FUNCTION 1; RETURN_VALUE")
	code = append(code, asm(t, v, "ROT_TWO; POP_TOP; LOAD_NAME 0; ROT_TWO; END_FINALLY")...)
	r := Analyze(v, &Code{Layout: v.Layout(), Bytecode: code, Names: []string{"eval"}, Consts: []*Value{{Kind: marshal.None}}})
	if len(r.Irregular) > 0 || !slices.ContainsFunc(r.Calls, func(c Call) bool { return c.Target == "builtins.eval" }) {
		t.Errorf("irregular %q, calls %v", r.Irregular, r.Calls)
	}
}
