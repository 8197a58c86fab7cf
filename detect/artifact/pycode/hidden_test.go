package pycode

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"bartizan/detect/artifact/marshal"
)

// compileAll gives the code of each source as the interpreter compiles it, in
// one run of it.
func compileAll(t *testing.T, python string, sources []string) []*Code {
	t.Helper()
	const script = "import json,marshal,sys\n" +
		"for s in json.load(sys.stdin):\n" +
		"  print(''.join('%02x' % b for b in bytearray(marshal.dumps(compile(s, '<lambda>', 'exec')))))"
	cmd := exec.Command(python, "-c", script)
	input, err := json.Marshal(sources)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var codes []*Code
	for _, line := range strings.Fields(string(out)) {
		data, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, marshal.Parse(data).Codes()[0])
	}
	if len(codes) != len(sources) {
		t.Fatalf("%d codes of %d sources", len(codes), len(sources))
	}
	return codes
}

// hidden are ways to reach os.system without saying so. since and until are the
// versions whose compilers accept the source (minor of 3, or 27).
var hidden = []struct {
	name, source string
	ref          string // must be in References
	call         string // must be a Call's target
	arg          string // must be its first argument, if set
	since, until int
}{
	{"plain", "import os\nos.system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"alias", "import os as harmless\nharmless.system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"from", "from os import system as s\ns('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"submodule", "import os.path\nos.system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"submodule alias", "import multiprocessing.popen_fork as m\nm.os.system('ls')", "multiprocessing.popen_fork.os.system", "multiprocessing.popen_fork.os.system", "", 7, 99},
	{"star", "from os import *\nsystem('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"function", "def f(x):\n import os\n def g():\n  return os.system(x)\n return g", "os.system", "os.system", "", 0, 99},
	{"lambda", "f = lambda x: __import__('os').system('ls') or x", "os.system", "os.system", `"ls"`, 0, 99},
	{"dotted import call", "__import__('os.path').system('ls')", "os.system", "os.system", "", 0, 99},
	{"import call with fromlist", "__import__('os.path', None, None, ['x']).join('ls')", "os.path.join", "os.path.join", "", 0, 99},
	{"importlib", "import importlib\nimportlib.import_module('os').system('ls')", "os.system", "os.system", "", 0, 99},
	{"getattr", "import os\ngetattr(os, 'sys' + 'tem')('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"joined in a variable", "import os\na = 'sys'\nb = a + 'tem'\ngetattr(os, b)('ls')", "os.system", "os.system", "", 0, 99},
	{"join", "import os\ngetattr(os, ''.join(['sy', 'st', 'em']))('ls')", "os.system", "os.system", "", 0, 99},
	{"reversed", "import os\ngetattr(os, 'metsys'[::-1])('ls')", "os.system", "os.system", "", 0, 99},
	{"format", "import os\ngetattr(os, '{}{}'.format('sys', 'tem'))('ls')", "os.system", "os.system", "", 0, 99},
	{"percent", "import os\nx = 'tem'\ngetattr(os, 'sys%s' % x)('ls')", "os.system", "os.system", "", 0, 99},
	{"f-string", "import os\nx = 'tem'\ngetattr(os, f'sys{x}')('ls')", "os.system", "os.system", "", 6, 99},
	{"chr", "import os\ngetattr(os, ''.join(map(chr, [115, 121, 115, 116, 101, 109])))('ls')", "os.system", "os.system", "", 0, 99},
	{"chr sum", "import os\nn = 100\ngetattr(os, chr(n + 15) + 'ystem')('ls')", "os.system", "os.system", "", 0, 99},
	{"replace", "import os\ngetattr(os, 'sXsteX'.replace('X', 'y', ).replace('ey', 'em'))('ls')", "os.system", "os.system", "", 0, 99},
	{"hex", "import os\ngetattr(os, bytes.fromhex('73797374656d').decode())('ls')", "os.system", "os.system", "", 6, 99},
	{"base64", "import os, base64\ngetattr(os, base64.b64decode('c3lzdGVt').decode())('ls')", "os.system", "os.system", "", 0, 99},
	{"rot13", "import os, codecs\ngetattr(os, codecs.decode('flfgrz', 'rot_13'))('ls')", "os.system", "os.system", "", 0, 99},
	{"zlib", "import os, zlib, base64\ngetattr(os, zlib.decompress(base64.b64decode('eJwrriwuSc0FAAl0AqY=')).decode('ascii'))('ls')", "os.system", "os.system", "", 0, 99},
	{"decoder function", "import os\ndef d(s):\n return s[::-1]\ngetattr(os, d('metsys'))('ls')", "os.system", "os.system", "", 0, 99},
	{"decoder lambda in default", "import os\ndef f(d=lambda s: s[::-1]):\n return getattr(os, d('metsys'))('ls')", "os.system", "os.system", "", 0, 99},
	{"sys.modules", "import sys\nsys.modules['os'].system('ls')", "os.system", "os.system", "", 0, 99},
	{"sys.modules.get", "import sys\nsys.modules.get('os').system('ls')", "os.system", "os.system", "", 0, 99},
	{"globals", "import os\nglobals()['os'].system('ls')", "os.system", "os.system", "", 0, 99},
	{"__dict__", "import os\nos.__dict__['system']('ls')", "os.system", "os.system", "", 0, 99},
	{"vars", "import os\nvars(os)['system']('ls')", "os.system", "os.system", "", 0, 99},
	{"__builtins__", "__builtins__['eval']('1')", "builtins.eval", "builtins.eval", `"1"`, 0, 99},
	{"builtins module", "import builtins\nbuiltins.exec('1')", "builtins.exec", "builtins.exec", `"1"`, 6, 99},
	{"__getattribute__", "import os\nos.__getattribute__('system')('ls')", "os.system", "os.system", "", 0, 99},
	{"__call__", "import os\nos.system.__call__('ls')", "os.system", "os.system", "", 0, 99},
	{"attrgetter", "import os, operator\noperator.attrgetter('system')(os)('ls')", "os.system", "os.system", "", 0, 99},
	{"methodcaller", "import os, operator\noperator.methodcaller('system', 'ls')(os)", "os.system", "os.system", `"ls"`, 0, 99},
	{"partial", "import os, functools\nfunctools.partial(os.system, 'ls')()", "os.system", "os.system", `"ls"`, 0, 99},
	{"map", "import os\nlist(map(os.system, ['ls']))", "os.system", "os.system", `"ls"`, 0, 99},
	{"argument", "import os\ndef r(f, a):\n f(a)\nr(os.system, 'ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"return value", "import os\ndef g():\n return os\ng().system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"tuple", "import os\na, b = 1, os.system\nb('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"loop", "import os\nfor f in (len, os.system):\n f('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"conditional", "import os\n(os.system if x else os.popen)('ls')", "os.popen", "os.popen", `"ls"`, 0, 99},
	{"star arguments", "import os\na = ('ls',)\nos.system(*a)", "os.system", "os.system", `"ls"`, 0, 99},
	{"keyword", "import subprocess\nsubprocess.call(args='ls', shell=True)", "subprocess.call", "subprocess.call", `args="ls"`, 0, 99},
	{"class body", "class A:\n import os\n x = os.system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"comprehension", "import os\n[os.system(c) for c in ('ls', 'id')]", "os.system", "os.system", "", 0, 99},
	{"handler", "try:\n 1/0\nexcept Exception:\n import os\n os.system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"finally", "try:\n x()\nfinally:\n import os\n os.system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"with", "import os\nwith open('f') as f:\n os.system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"global in a function", "def f():\n global z\n import os\n z = os.system\ndef g():\n z('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"nonlocal", "def f():\n z = None\n def g():\n  nonlocal z\n  import os\n  z = os.system\n def h():\n  z('ls')", "os.system", "os.system", `"ls"`, 6, 99},
	{"overwritten name", "os = 1\nos = 2\nos = 3\nos = 'a'\nos = 'b'\nos = 'c'\nos = 'd'\nos.system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"many values first", "x = 1\nx = 2\nx = 3\nx = 4\nx = 5\nx = 6\nx = 7\nimport os as x\nx.system('ls')", "os.system", "os.system", `"ls"`, 0, 99},
	{"exec statement", "exec 'import os'", "builtins.exec", "builtins.exec", `b"import os"`, 27, 27},
	{"walrus", "import os\n(f := os.system)('ls')", "os.system", "os.system", `"ls"`, 8, 99},
	{"match", "import os\nmatch x:\n case 1:\n  os.system('ls')", "os.system", "os.system", `"ls"`, 10, 99},
	{"async", "import os\nasync def f():\n async with x() as y:\n  async for z in y:\n   os.system('ls')", "os.system", "os.system", `"ls"`, 6, 99},
	{"subclasses", "().__class__.__base__.__subclasses__()", "builtins.tuple.__class__.__base__.__subclasses__", "builtins.tuple.__class__.__base__.__subclasses__", "", 0, 99},
	{"super", "class A(object):\n def f(self):\n  super().system('ls')", "", "builtins.super().system", "", 6, 99},
}

func TestHiddenCalls(t *testing.T) {
	for v, python := range interpreters(t) {
		minor := int(v.Minor)
		if v.Major == 2 {
			minor = 27
		}
		var cases []int
		var sources []string
		for i, c := range hidden {
			if v.Major == 2 && c.since != 0 && c.since != 27 || v.Major == 3 && (minor < c.since || minor > c.until) {
				continue
			}
			cases, sources = append(cases, i), append(sources, c.source)
		}
		for k, code := range compileAll(t, python, sources) {
			c := hidden[cases[k]]
			for _, version := range []marshal.Version{v, {}} {
				r := Analyze(version, code)
				if r.Unknown || len(r.Irregular) > 0 {
					t.Errorf("%v %s: unknown %v, irregular %q", v, c.name, r.Unknown, r.Irregular)
				}
				if c.ref != "" && !slices.Contains(r.References, c.ref) {
					t.Errorf("%v %s: %q is not in %q", v, c.name, c.ref, r.References)
				}
				if !calls(r, c.call, c.arg) {
					t.Errorf("%v %s: no call of %s(%s) in %v", v, c.name, c.call, c.arg, r.Calls)
				}
			}
		}
	}
}

// calls says whether a call of target with that first argument is there.
// Python 2's text is bytes.
func calls(r Result, target, arg string) bool {
	plain := func(s string) string { return strings.ReplaceAll(s, `b"`, `"`) }
	return slices.ContainsFunc(r.Calls, func(c Call) bool {
		return c.Target == target && (arg == "" || len(c.Args) > 0 && strings.Contains(plain(c.Args[0]), plain(arg)))
	})
}
