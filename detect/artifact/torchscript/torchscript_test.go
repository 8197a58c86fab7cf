package torchscript

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/format/formattest"
	"bartizan/finding"
)

func TestRules(t *testing.T) {
	if _, err := finding.NewCatalogue(New().Rules()); err != nil {
		t.Fatal(err)
	}
}

func clean(t *testing.T, name string, data []byte) {
	t.Helper()
	o := formattest.Bytes(t, name, data, New())
	if !o.Matched {
		t.Errorf("%s: not recognised:\n%.200s", name, data)
	}
	if len(o.Findings) > 0 || len(o.Reasons) > 0 {
		t.Errorf("%s: %v %+v", name, o.Reasons, o.Findings)
	}
}

// What torch's own printer wrote must be recognised, read wholly and clean.
func TestCleanSamples(t *testing.T) {
	paths, _ := filepath.Glob("testdata/clean/*")
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		clean(t, "a.pt!/archive/code/__torch__/"+filepath.Base(p), data)
	}
	if len(paths) < 6 {
		t.Errorf("only %d samples", len(paths))
	}
}

// TestRealArchives does the same with every archive in the folder that
// BARTIZAN_TORCHSCRIPT names, as testdata/make.py writes them.
func TestRealArchives(t *testing.T) {
	dir := os.Getenv("BARTIZAN_TORCHSCRIPT")
	if dir == "" {
		t.Skip("SKIPPED: BARTIZAN_TORCHSCRIPT names no folder of TorchScript archives; make one with testdata/make.py")
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.pt"))
	seen := map[string]bool{}
	for _, p := range paths {
		eachCode(t, p, func(name string, data []byte) {
			if len(data) > 0 && !seen[string(data)] {
				seen[string(data)] = true
				clean(t, name, data)
			}
		})
	}
	t.Logf("%d distinct files of %d archives", len(seen), len(paths))
	if len(seen) < 100 {
		t.Errorf("only %d files", len(seen))
	}
}

func eachCode(t *testing.T, p string, each func(name string, data []byte)) {
	t.Helper()
	z, err := zip.OpenReader(p)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	for _, m := range z.File {
		if !strings.HasSuffix(m.Name, ".py") && !strings.HasSuffix(m.Name, "bytecode.pkl") {
			continue
		}
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		each(p+"!/"+m.Name, data)
	}
}

// Python sources are somebody else's.
func TestOrdinaryPythonIsNotMatched(t *testing.T) {
	paths, _ := filepath.Glob("/root/.pyenv/versions/3.*/lib/python3.*/*.py")
	more, _ := filepath.Glob("/usr/lib/python3*/*.py")
	n := 0
	for _, p := range append(paths, more...) {
		data, err := os.ReadFile(p)
		if err != nil {
			continue
		}
		n++
		if New().Match(&format.Probe{Head: data[:min(len(data), format.HeadBytes)], Size: int64(len(data)), Name: filepath.Base(p)}) {
			t.Errorf("%s is taken for TorchScript", p)
		}
	}
	if n == 0 {
		t.Skip("SKIPPED: no Python at hand; nothing was compared")
	}
	for _, source := range []string{
		"import torch\n\nclass Model(nn.Module):\n    def forward(self, x: Tensor) -> Tensor:\n        return torch.add(x, 1)\n",
		"def main() -> None:\n    print(1)\n", "class A:\n    pass\n", "", "{}", "hello",
	} {
		if New().Match(&format.Probe{Head: []byte(source), Size: int64(len(source))}) {
			t.Errorf("taken for TorchScript:\n%s", source)
		}
	}
}

// Sources that torch loads, written otherwise than its printer does.
func TestMatchOtherSpellings(t *testing.T) {
	for _, source := range []string{
		"class\tM ( Module ) :\n  w : Tensor\n", "# hello\n\n   \nclass M(Module):\n  w : Tensor\n", "class M:\n  def f(self, x: Tensor) -> Tensor:\n    return torch.relu(x)\n",
		"def  f(x: Tensor) -> Tensor:\n  return ops.aten.relu(x)\n", "class C(Enum):\n  RED = 1\n", "\r\nclass I(ModuleInterface):\n",
	} {
		if !New().Match(&format.Probe{Head: []byte(source), Size: int64(len(source))}) {
			t.Errorf("not recognised:\n%s", source)
		}
	}
}

const module = `class M(Module):
  __parameters__ = ["w", ]
  __buffers__ = []
  w : Tensor
  def forward(self: __torch__.M,
    x: Tensor) -> Tensor:
    return x
  def __setstate__(self: __torch__.M,
    st: Tuple[Tensor, bool]) -> NoneType:
`

// onLoad are bodies of __setstate__ that write /tmp/f while torch.jit.load
// (1.13) loads the archive: each was tried.
var onLoad = map[string]string{
	"plain":             `    torch.save((st)[0], "/tmp/f")`,
	"ops":               `    _0 = ops.aten.save((st)[0], "/tmp/f")`,
	"namespace alias":   "    t = ops.aten\n    t.save((st)[0], \"/tmp/f\")",
	"operator alias":    "    t = torch.save\n    t((st)[0], \"/tmp/f\")",
	"alias of alias":    "    x = torch\n    y = x\n    y.save((st)[0], \"/tmp/f\")",
	"chained alias":     "    a = b = torch\n    b.save((st)[0], \"/tmp/f\")",
	"alias in branches": "    if True:\n      t = ops.aten\n    else:\n      t = ops.aten\n    t.save((st)[0], \"/tmp/f\")",
	"getattr":           `    getattr(ops.aten, "save")((st)[0], "/tmp/f")`,
	"getattr twice":     `    getattr(getattr(ops, "aten"), "save")((st)[0], "/tmp/f")`,
	"joined name":       `    getattr(ops.aten, "sa" "ve")((st)[0], "/tmp/f")`,
	"escaped name":      `    getattr(ops.aten, "s\141ve")((st)[0], "/tmp/f")`,
	"keywords":          `    torch.save (item = (st)[0] , filename = "/tmp/f" ,)`,
	"starred":           "    t = ((st)[0], \"/tmp/f\")\n    torch.save(*t)",
	"fork":              "    _0 = fork(ops.aten.save, (st)[0], \"/tmp/f\")\n    _1 = torch.wait(_0)",
	"closure":           "    q = torch\n    def f():\n      return q.save((st)[0], \"/tmp/f\")\n    _0 = fork(f)\n    _1 = torch.wait(_0)",
	"comprehension":     `    x = [torch.save((st)[0], "/tmp/f") for i in range(1)]`,
	"continued line":    "    torch.\\\nsave((st)[0], \"/tmp/f\")",
	"blanks":            "    torch . save ( (st)[0], \"/tmp/f\" )",
	"tabs":              "    torch\t.\tsave((st)[0], \"/tmp/f\")",
	"docstring":         "    \"\"\"doc\n    \"\"\"\n    torch.save((st)[0], '/tmp/f')",
	"assertion":         `    assert torch.save((st)[0], "/tmp/f") is None`,
	"exception":         `    ops.prim.RaiseException(str(torch.save((st)[0], "/tmp/f")))`,
	"loop":              "    i = 0\n    while i < 1:\n      i += 1\n      torch.save(i, \"/tmp/f\")",
	"number before if":  "    x = 1if True else 2\n    torch.save((st)[0], \"/tmp/f\")",
	"on a faulty line":  "    x = $ torch.save((st)[0], \"/tmp/f\")",
	"after not in":      "    x = 1 not in [1]\n    torch.save(x, \"/tmp/f\")",
	"shared map":        `    self.w = torch.from_file("/tmp/f", True, 4)`,
	"shared keyword":    `    self.w = torch.from_file("/tmp/f", shared=True, size=4)`,
}

func TestFileAccessOnLoad(t *testing.T) {
	for name, body := range onLoad {
		o := formattest.Bytes(t, "a.pt!/archive/code/__torch__.py", []byte(module+body+"\n    return None\n"), New())
		found := false
		for _, f := range o.Findings {
			found = found || f.Rule == "torchscript/file-access" && f.Severity == finding.Critical &&
				f.Evidence["on_load"] == true && strings.HasPrefix(f.Evidence["function"].(string), "M.__setstate__") && f.Place.Line > 9
		}
		if !found || o.Verdict != finding.Block {
			t.Errorf("%s: %v %+v", name, o.Verdict, o.Findings)
		}
	}
}

func TestJudgements(t *testing.T) {
	body := func(s string) string {
		return "class M(Module):\n  __parameters__ = []\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    " + s + "\n    return x\n"
	}
	for _, c := range []struct {
		name, source, rule string
		severity           finding.Severity
		verdict            finding.Verdict
	}{
		{"write when run", body(`torch.save(x, "f")`), "torchscript/file-access", finding.Critical, finding.Block},
		{"read when run", body(`_0 = torch.from_file("f", False, 4)`), "torchscript/file-access", finding.High, finding.Block},
		{"image file", body(`_0 = ops.image.read_file("/etc/passwd")`), "torchscript/file-access", finding.High, finding.Block},
		{"image written", body(`ops.image.write_file("f", x)`), "torchscript/file-access", finding.Critical, finding.Block},
		{"sound file", body(`_0 = ops.torchaudio.sox_io_load_audio_file("f", None, None, None, None)`), "torchscript/file-access", finding.High, finding.Block},
		{"video class", body(`_0 = __torch__.torch.classes.torchvision.Video.__new__(__torch__.torch.classes.torchvision.Video)`), "torchscript/file-access", finding.High, finding.Block},
		{"remote call", body(`_0 = rpc_async("worker", f, (x,), {}, 1.)`), "torchscript/network-access", finding.High, finding.Block},
		{"remote call by operator", body(`_0 = ops.prim.rpc_sync("worker", x)`), "torchscript/network-access", finding.High, finding.Block},
		{"store class", body(`_0 = __torch__.torch.classes.dist_c10d.TCPStore.__new__(__torch__.torch.classes.dist_c10d.TCPStore)`), "torchscript/network-access", finding.High, finding.Block},
		{"accelerator", body(`_0 = ops.tensorrt.execute_engine([x], self.engine)`), "torchscript/unknown-operator", finding.Medium, finding.Review},
		{"extension", body(`_0 = ops.torch_ipex.linear(x)`), "torchscript/unknown-operator", finding.Medium, finding.Review},
		{"class in a declaration", "class M(Module):\n  __parameters__ = []\n  e : __torch__.torch.classes.tensorrt.Engine\n", "torchscript/unknown-operator", finding.Medium, finding.Review},
		{"Python operator", body(`_0 = ops.prim.PythonOp(x)`), "torchscript/unknown-operator", finding.Medium, finding.Review},
		{"import", "import os\n" + body(`pass`), "", 0, finding.Clean}, // no TorchScript by content: see the hint below
		{"import within", body("import os\n    os.system(\"ls\")"), "torchscript/python-source", finding.High, finding.Block},
		{"member of a Python module", body(`torch.os.system("ls")`), "torchscript/python-source", finding.High, finding.Block},
		{"eval", body(`eval("1")`), "torchscript/python-source", finding.High, finding.Block},
		{"open", body(`_0 = open("f").read()`), "torchscript/python-source", finding.High, finding.Block},
		{"vision, quantised, profiled", body("_0 = ops.torchvision.nms(x, x, 0.5)\n    _1 = ops.quantized.linear(x, self.p, 1., 0)\n    " +
			"_2 = ops.profiler._record_function_enter_new(\"x\", None)\n    _3 = ops.image.decode_jpeg(x, 0)\n    _4 = ops.prepacked.conv2d_clamp_run(x, self.p)"), "", 0, finding.Clean},
		{"own names", body("open = 1\n    os = torch.add(x, open)\n    self.save(\"x\")\n    warn = torch.warn(\"save this\", 2)"), "", 0, finding.Clean},
		{"words in strings and comments", body("print(\"torch.save(x, 'f')\") # torch.save(x, 'f')"), "", 0, finding.Clean},
		{"old version", "op_version_set = 1\nimport __torch__.torch.nn\n" + body("pass"), "", 0, finding.Clean},
	} {
		o := formattest.Bytes(t, "a.pt!/archive/code/__torch__.py", []byte(c.source), New())
		if o.Verdict != c.verdict {
			t.Errorf("%s: %v %v %+v", c.name, o.Verdict, o.Reasons, o.Findings)
			continue
		}
		if c.rule != "" && (len(o.Findings) == 0 || o.Findings[0].Rule != c.rule || o.Findings[0].Severity != c.severity) {
			t.Errorf("%s: %+v", c.name, o.Findings)
		}
	}
}

// The same bytes outside of an archive's code folder are Python for all that is known.
func TestOutsideOfTheCodeFolder(t *testing.T) {
	source := []byte("class M(Module):\n  def f(self, x: Tensor) -> Tensor:\n    return torch.relu(x)\n")
	for name, want := range map[string]finding.Verdict{
		"modeling.py": finding.Review, "code/__torch__.py": finding.Review, "a.zip!/pkg/modeling.py": finding.Review,
		"a.zip!/code/modeling.py": finding.Review, "a.pt!/a/code/__torch__/m.py": finding.Clean,
	} {
		if o := formattest.Bytes(t, name, source, New()); o.Verdict != want {
			t.Errorf("%s: %v, want %v", name, o.Verdict, want)
		}
	}
}

// With the container's word for it, whatever stands in the code folder is read.
func TestHint(t *testing.T) {
	p := &format.Probe{Head: []byte("import os\nos.system('ls')\n"), Hint: "torchscript"}
	if !New().Match(p) {
		t.Error("the hint does not count")
	}
	if p.Hint = "pickle"; New().Match(p) {
		t.Error("another's hint counts")
	}
}

func TestBytecode(t *testing.T) {
	data, err := os.ReadFile("testdata/clean/bytecode.pkl")
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{"aten::relu_": "torchscript/file-access", "aten::flatten": "torchscript/unknown-operator"} {
		to := map[string]string{"aten::relu_": "aten::save__"[:10] + "\x00", "aten::flatten": "mine::flatten"}[from]
		if !bytes.Contains(data, []byte(from)) {
			t.Fatalf("the sample does not call %s", from)
		}
		o := formattest.Bytes(t, "lite/bytecode.pkl", bytes.ReplaceAll(data, []byte(from), []byte(to)), New())
		if len(o.Findings) != 1 || o.Findings[0].Rule != want {
			t.Errorf("%s: %+v", to, o.Findings)
		}
	}
}

// A flood of mild findings must not push out a bad one, nor many names for
// harmless operators the one that counts.
func TestFlood(t *testing.T) {
	many := strings.Repeat("    _0 = ops.mine.f(x)\n", 5000)
	o := formattest.Bytes(t, "a.pt!/archive/code/__torch__.py", []byte(module+many+"    torch.save(st, \"f\")\n"), New())
	if o.Verdict != finding.Block {
		t.Errorf("flood of operators: %v", o.Verdict)
	}
	var names strings.Builder
	for i := range 200 {
		names.WriteString("    t = torch.x" + strings.Repeat("y", i) + "\n")
	}
	o = formattest.Bytes(t, "a.pt!/archive/code/__torch__.py", []byte(module+names.String()+"    t = ops.aten\n    t.save(st, \"f\")\n"), New())
	if o.Verdict == finding.Clean {
		t.Error("flood of names: clean")
	}
}

// Sources that make parsers slow or deep.
func TestHostileSources(t *testing.T) {
	for name, source := range map[string]string{
		"parentheses": strings.Repeat("(", 200_000), "brackets": strings.Repeat("x[", 100_000), "chain": "x" + strings.Repeat(".y", 100_000),
		"calls": "x" + strings.Repeat("()", 100_000), "minus": strings.Repeat("-", 100_000) + "1", "sum": "x" + strings.Repeat("+x", 100_000),
		"not": strings.Repeat("not ", 100_000) + "x", "ternary": strings.Repeat("x if x else ", 50_000) + "x", "power": strings.Repeat("x**", 50_000) + "x",
		"strings": strings.Repeat(`"" `, 100_000), "indents": strings.Repeat(" ", 1) + "x\n" + indents(2000), "colons": strings.Repeat("else: ", 100_000),
		"defs": strings.Repeat("def f(): ", 50_000), "backslashes": strings.Repeat("\\\n", 100_000), "open string": `"""` + strings.Repeat("\n", 100_000),
	} {
		w := read("class M(Module):\n  " + source + "\n")
		_ = w
		if name == "chain" && len(w.faults) == 0 {
			t.Error("a chain of 100,000 attributes without a fault")
		}
	}
}

func indents(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "if x:\n")
	}
	return b.String()
}

func FuzzTorchScript(f *testing.F) {
	paths, _ := filepath.Glob("testdata/clean/*")
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, body := range onLoad {
		f.Add([]byte(module + body))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		New().Match(&format.Probe{Head: data[:min(len(data), format.HeadBytes)], Size: int64(len(data)), Name: "bytecode.pkl"})
		o := formattest.Bytes(t, "x.py", data, hinted{})
		for _, f := range o.Findings {
			if f.Place.Offset == nil || *f.Place.Offset < 0 || *f.Place.Offset > int64(len(data)) {
				t.Fatalf("finding at %v of %d bytes", f.Place.Offset, len(data))
			}
		}
	})
}

// hinted is the format where the container says that this is TorchScript.
type hinted struct{ Format }

func (hinted) Match(*format.Probe) bool { return true }
