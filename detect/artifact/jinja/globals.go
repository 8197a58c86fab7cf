package jinja

import "regexp"

// factories are Jinja2's own globals: calling them is harmless, holding one is
// the usual first step to its __init__.__globals__.
var factories = map[string]bool{
	"cycler": true, "joiner": true, "lipsum": true, "namespace": true, "url_for": true, "get_flashed_messages": true,
}

// machine names modules and builtins that a template has no business with.
var machine = map[string]bool{
	"os": true, "subprocess": true, "sys": true, "builtins": true, "importlib": true, "socket": true, "requests": true, "urllib": true,
	"shutil": true, "pty": true, "ctypes": true, "pickle": true, "marshal": true, "popen": true, "posix": true,
}

// callables are builtins whose call runs, opens or reaches for something.
var callables = map[string]bool{
	"eval": true, "exec": true, "execfile": true, "compile": true, "open": true, "popen": true, "Popen": true, "system": true,
	"getattr": true, "setattr": true, "delattr": true, "globals": true, "locals": true, "vars": true, "breakpoint": true,
	"import_module": true, "__import__": true, "check_output": true, "run_command": true, "file": true, "dir": true, "type": true,
}

// mild are builtins that are only steps on the way.
var mild = map[string]bool{"dir": true, "type": true, "file": true, "vars": true, "setattr": true, "delattr": true, "compile": true}

// values are builtins that no template would use as the name of a variable.
var values = map[string]bool{"eval": true, "exec": true, "getattr": true, "open": true, "globals": true, "locals": true, "breakpoint": true}

// web are the objects that Flask and others hand to templates.
var web = map[string]bool{"request": true, "config": true, "session": true, "g": true, "current_app": true, "app": true, "application": true}

// webAttributes of those objects lead out of the template or to what a visitor sends.
var webAttributes = regexp.MustCompile(`^(application|environ|SECRET_KEY|from_object|from_pyfile|from_envvar|_get_data_for_json|jinja_env|wsgi_app|view_functions|url_map|load|root_path|_static_folder)$`)

// acts are attributes that do something on the machine when called.
var acts = regexp.MustCompile(`^(system|popen|Popen|spawn\w*|exec\w*|fork|remove|unlink|rmdir|environ|modules|check_output|check_call|call|run|getoutput|getstatusoutput|urlopen|urlretrieve|rmtree|load|loads|CDLL|import_module|connect|putenv|listdir|getenv|open|read_text|write_text)$`)

// globalValue judges a name that the template does not set, used as a value.
func (w *walker) globalValue(e *Expr) {
	switch {
	case internal.MatchString(e.Text) || e.Text == "_TemplateReference__context":
		w.dunder(e.Off, e.Text, "name")
	case factories[e.Text] || e.Text == "self" && w.chat:
		w.global(e, High, "a global function of the environment is used as a value")
	case machine[e.Text] && e.Text != "requests" && w.chat, values[e.Text] && w.chat:
		w.global(e, Medium, "a module or builtin of Python is used as a value")
	case web[e.Text] && len(e.Text) > 1 && w.chat && e.Text != "app" && e.Text != "application" && e.Text != "session":
		w.global(e, Low, "an object of a web framework is used as a value")
	}
}

// globalBase judges a name of which an attribute is taken.
func (w *walker) globalBase(e *Expr) {
	if internal.MatchString(e.Text) {
		w.dunder(e.Off, e.Text, "name")
	}
}

// globalAttribute judges name.attribute where the template does not set name.
func (w *walker) globalAttribute(e *Expr) {
	base := e.X[0]
	if base.Op != Name {
		return
	}
	if _, set := w.scope.get(base.Text); set {
		return
	}
	name := base.Text
	switch {
	case factories[name]:
		w.globalPath(e, High, "attribute of a global function of the environment")
	case machine[name] && (w.chat && name != "requests" || acts.MatchString(e.Text)):
		w.globalPath(e, Critical, "attribute of a Python module that can act on the machine")
	case web[name] && webAttributes.MatchString(e.Text):
		w.globalPath(e, High, "attribute of a web framework's object that leads out of the template")
	case web[name] && len(name) > 1 && w.chat && name != "app" && name != "application" && name != "session":
		w.globalPath(e, Medium, "object of a web framework in a chat template")
	}
}

// globalCall judges a call of a name that the template does not set.
func (w *walker) globalCall(e *Expr, name string, args []argument) {
	switch {
	case internal.MatchString(name):
		w.dunder(e.X[0].Off, name, "name")
	case callables[name]:
		weight := Critical
		if mild[name] {
			weight = High
		}
		if !w.chat && (name == "type" || name == "dir" || name == "file" || name == "vars" || name == "system" || name == "run_command") {
			weight = Low
		}
		w.global(e.X[0], weight, "call of a Python builtin")
	case (name == "url_for" || name == "get_flashed_messages") && w.chat:
		w.global(e.X[0], Medium, "call of a web framework's function in a chat template")
	case !harmless[name]:
		w.codeArguments(e, name, args)
	}
}

// harmless are the globals that chat templates are given; their arguments are
// text for people.
var harmless = map[string]bool{
	"raise_exception": true, "strftime_now": true, "range": true, "dict": true, "namespace": true, "cycler": true, "joiner": true,
	"lipsum": true, "_": true, "gettext": true, "ngettext": true, "caller": true, "super": true, "loop": true,
}

func (w *walker) global(e *Expr, weight Weight, message string) {
	w.issue(Issue{Kind: DangerousGlobal, Weight: weight, Off: e.Off, Symbol: e.Text, Detail: "name",
		Message: message + " (" + short(e.Text, 80) + ")"})
}

func (w *walker) globalPath(e *Expr, weight Weight, message string) {
	w.issue(Issue{Kind: DangerousGlobal, Weight: weight, Off: e.X[0].Off, Symbol: path(e), Detail: "attribute",
		Message: message + " (" + short(path(e), 80) + ")"})
}

// codeText looks like Python or a shell that does something.
var codeText = regexp.MustCompile(`(?i)__import__\s*\(|\bos\s*\.\s*(system|popen|exec\w*|spawn\w*|environ)\b|\bsubprocess\s*\.|\b(eval|exec)\s*\(|\bimport\s+(os|sys|subprocess|socket|pty)\b|` +
	`\bimportlib\s*\.|__(class|globals|builtins|subclasses|mro)__|/bin/(ba)?sh\b|\brm\s+-rf?\s+[/~]|\b(curl|wget)\s+[^|\n]{0,200}\|\s*(ba)?sh\b|\bnc\s+-e\b|/dev/tcp/`)

// codeArguments reports code-like constants handed to a function that is not
// known to take text.
func (w *walker) codeArguments(e *Expr, name string, args []argument) {
	for _, a := range args {
		for _, v := range a.value.alts() {
			if v.kind != vText {
				continue
			}
			text, how := v.text, "text"
			if !codeText.MatchString(text) {
				text, how = decoded(text), "encoded text"
			}
			if text != "" && codeText.MatchString(text) {
				w.issue(Issue{Kind: CodeArgument, Weight: High, Off: e.Off, Symbol: name, Text: visible(text), Detail: how,
					Message: "code-like " + how + " is handed to " + quoteShort(name)})
			}
		}
	}
}
