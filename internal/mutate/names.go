package mutate

import (
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// escaping are names that lead out of the root; bad ones mean another file
// elsewhere, or no file at all.
var (
	escaping = []string{"../outside.bin", "..", "a/../../outside.bin", "weights/../config.json", "/etc/passwd", "/", "//etc/passwd", "weights/..", "../model/config.json",
		strings.Repeat("../", 40) + "etc/passwd", "a/b/../../../x", "/proc/self/environ", "/dev/stdin"}
	badNames = []string{"", ".", "./config.json", "a//b", "weights/", "weights/./model-00001.safetensors", `a\..\..\outside.bin`, `\\server\share`, "config.json\x00", "\x00",
		"config.json\n", "a\rb", "\x1b[2Jx", strings.Repeat("x", 5000), strings.Repeat("x", 256), strings.Repeat("ab/", 400) + "x", "a/./b", "con\x7ffig", "\u0085x", "config.json/.", "./",
		`weights\model-00001.safetensors`, "config.json/"}
	// nowhere are clean names of files that are not there.
	nowhere = []string{"C:/x", "C:x", "config.json ", " config.json", "config.json.", "CON", "aux.txt", "config.json::$DATA", "~", "~root/x", "$HOME/x", "%2e%2e/x", "\u2024\u2024/x", "\uff0e\uff0e/x",
		"..\u200b/x", "...", ".../x", "\u202egnp.exe", "config.json%00", "http://x/y", "file:///etc/passwd", "-rf", "|id", "`id`", "\ufeffconfig.json", "config\u00ad.json", "\u0430a"}
)

// names_ lists files by hostile names, with the good key.
func (g *generator) names_(b *Base) {
	list := func(kind, name string, codes ...string) {
		s := b.statement.clone()
		l := s.at("predicate", "resources")
		l.items = append([]*value{resource(name, "sha256", []byte("outside"))}, l.items...)
		g.reject(b, "name/"+kind+" "+clip(name), b.resign(s), codes...)
	}
	for _, name := range escaping {
		list("escapes:", name, "OMS_NAME_ESCAPES_ROOT")
	}
	for _, name := range badNames {
		list("bad:", name, "OMS_NAME_INVALID")
	}
	for _, name := range nowhere {
		list("not there:", name, "OMS_FILE_MISSING", "OMS_NAME_INVALID", "OMS_NAME_COLLISION")
	}
	for _, name := range append(append([]string{}, escaping...), badNames...) { // as the only file
		s := b.statement.clone()
		s.at("predicate").set("resources", list1(resource(name, "sha256", []byte("outside"))))
		codes := []string{"OMS_NAME_ESCAPES_ROOT", "OMS_NAME_INVALID"}
		g.reject(b, "name/alone: "+clip(name), b.resign(s), codes...)
	}
}

func list1(v *value) *value { return &value{kind: '[', items: []*value{v}} }

func clip(s string) string {
	const most = 30
	if len(s) > most {
		s = s[:most] + "…" + itoa(len(s))
	}
	return strconv.QuoteToASCII(s)
}

// ignores has the good key sign that files do not count.
func (g *generator) ignores(b *Base) {
	sign := func(keep func(name string) bool, paths ...any) []byte {
		s := b.statement.clone()
		s.at("predicate", "serialization").set("ignore_paths", list(paths...))
		l := s.at("predicate", "resources")
		kept := l.items[:0]
		for _, r := range l.items {
			if keep(r.member("name").text) {
				kept = append(kept, r)
			}
		}
		l.items = kept
		return b.resign(s)
	}
	only := func(text string) func(string) bool {
		return func(name string) bool { return strings.Contains(name, text) }
	}
	not := func(text string) func(string) bool {
		return func(name string) bool { return !strings.Contains(name, text) }
	}
	forbidden := "POLICY_IGNORE_FORBIDDEN"
	g.reject(b, "ignore/everything", sign(only("\x00"), "."), "OMS_EMPTY", "STATEMENT_MALFORMED")
	g.reject(b, "ignore/everything, by names", sign(only("\x00"), "config.json", "weights", "zeros.bin"), "OMS_EMPTY", "STATEMENT_MALFORMED")
	g.reject(b, "ignore/everything but one", sign(only("README"), "."), forbidden)
	g.reject(b, "ignore/weights", sign(not("safetensors"), "weights"), forbidden)
	g.reject(b, "ignore/one weight", sign(not("00001"), "weights/model-00001.safetensors"), forbidden)
	g.reject(b, "ignore/a folder and its parent", sign(not("safetensors"), "weights", "."), forbidden)
	g.reject(b, "ignore/config", sign(not("config.json"), "config.json"), forbidden)
	g.reject(b, "ignore/weights, path with a slash", sign(not("safetensors"), "weights/"), forbidden, "OMS_NAME_INVALID", "OMS_FILE_UNSIGNED")
	g.reject(b, "ignore/weights, ./", sign(not("safetensors"), "./weights"), forbidden, "OMS_NAME_INVALID", "OMS_FILE_UNSIGNED")
	g.reject(b, "ignore/weights in capitals", sign(not("safetensors"), "WEIGHTS"), "OMS_FILE_UNSIGNED")
	g.reject(b, "ignore/weights by a pattern", sign(not("safetensors"), "weights/*"), "OMS_FILE_UNSIGNED")
	g.reject(b, "ignore/everything by a pattern", sign(only("README"), "*", "**/*"), "OMS_FILE_UNSIGNED")
	g.reject(b, "ignore/the beginning of a name", sign(not("safetensors"), "weig", "weights/model"), "OMS_FILE_UNSIGNED")
	g.reject(b, "ignore/nothing, and one left out", sign(not("README")), "OMS_FILE_UNSIGNED")
	for _, path := range []string{"../..", "/", "..", "/etc", "a/../..", "", "a\\b", "x\x00", strings.Repeat("x", 5000)} {
		g.reject(b, "ignore/path "+clip(path), sign(only(""), path), "OMS_NAME_ESCAPES_ROOT", "OMS_NAME_INVALID", "STATEMENT_MALFORMED")
	}
	g.accept(b, "ignore/what nobody loads", sign(not("README"), "README.md"))
	g.accept(b, "ignore/what is not there", sign(only(""), "logs", "cache/x", ".DS_Store"))
	g.accept(b, "ignore/what is signed all the same", sign(only(""), "README.md"))
	g.accept(b, "ignore/weights, which are signed all the same", sign(only(""), "weights"))
	g.accept(b, "ignore/everything, which is signed all the same", sign(only(""), "."))
	g.ignoredLoadables(b)
}

// ignoredLoadables adds a file that loaders take below a folder that the
// statement ignores.
func (g *generator) ignoredLoadables(b *Base) {
	s := b.statement.clone()
	s.at("predicate", "serialization").set("ignore_paths", list("logs"))
	bundle := b.resign(s)
	pickled := []byte("\x80\x04cposix\nsystem\n(S'id'\ntR.")
	for name, data := range inOrder(map[string][]byte{
		"model.pkl": pickled, "model.safetensors": nil, "x.pt": pickled, "x.bin": pickled, "x.log": pickled, "x": pickled, "x.h5": []byte("\x89HDF\r\n\x1a\n"), "x.onnx": nil, "x.gguf": []byte("GGUF"),
		"x.joblib": pickled, "x.py": []byte("1"), "__init__.py": nil, "x.so": []byte("\x7fELF"), "x.txt": []byte("\x7fELF"), "x.md": []byte("PK\x03\x04"), "protocol0.txt": []byte("cos\nsystem\n(S'id'\ntR."),
		"deep/er/x.pkl": pickled, "X.PKL": pickled, "x.json": []byte("{}"), "x.keras": []byte("PK\x03\x04"), "x.npy": []byte("\x93NUMPY"), "tokenizer.model": nil, "pytorch_model.bin": nil,
	}) {
		g.add(Case{Name: "ignore/loadable below an ignored folder: " + name, Base: b, Bundle: bundle, Change: write("logs/"+name, data), Want: Reject, Codes: []string{"POLICY_IGNORE_FORBIDDEN"}})
	}
	g.add(Case{Name: "ignore/a log below an ignored folder", Base: b, Bundle: bundle, Change: write("logs/x.log", []byte("step 1\n")), Want: Accept})
	g.add(Case{Name: "ignore/a folder whose name only begins so", Base: b, Bundle: bundle, Change: write("logs2/x.log", []byte("step 1\n")), Want: Reject, Codes: []string{"OMS_FILE_UNSIGNED"}})
	g.add(Case{Name: "ignore/the folder in capitals", Base: b, Bundle: bundle, Change: write("LOGS/x.log", []byte("step 1\n")), Want: Reject, Codes: []string{"OMS_FILE_UNSIGNED"}})
	g.add(Case{Name: "ignore/the folder elsewhere", Base: b, Bundle: bundle, Change: write("a2/logs/x.log", []byte("step 1\n")), Want: Reject, Codes: []string{"OMS_FILE_UNSIGNED"}})
}
