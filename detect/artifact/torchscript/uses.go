package torchscript

import (
	"strconv"
	"strings"
)

// use is one thing that the code names and that a model has no need of.
type use struct {
	danger   danger
	operator string // as reports name it; for Python constructs what was found
	python   bool
	args     []string // constants; "…" for the others
	function string
	onLoad   bool // in __setstate__, which torch.jit.load calls
	shared   bool // from_file(…, shared=True): writes as well
	at       token
}

// visit judges every name and call in an expression.
func (w *walker) visit(e *expr) {
	if e == nil {
		return
	}
	switch e.shape {
	case eName, eAttr:
		if paths := w.paths(e); len(paths) > 0 {
			w.judge(paths, nil, e.at)
			return
		}
	case eCall:
		w.visitCall(e)
		return
	}
	for _, part := range e.parts {
		w.visit(part)
	}
}

func (w *walker) visitCall(e *expr) {
	callee := e.parts[0]
	paths := w.paths(callee)
	if len(paths) > 0 {
		w.judge(paths, e, e.at)
	} else {
		w.visit(callee)
	}
	if through := w.paths(e); len(through) > 0 && len(paths) > 0 { // getattr(ops.aten, "save")
		w.judge(through, nil, e.at)
	}
	for _, arg := range e.parts[1:] {
		w.visit(arg)
	}
}

// getattrName gives the name in getattr(x, "name").
func getattrName(e *expr) (string, bool) {
	if e.shape != eCall || len(e.parts) < 3 || e.parts[0].shape != eName || e.parts[0].text != "getattr" || e.parts[2].shape != eString {
		return "", false
	}
	return e.parts[2].text, true
}

// paths gives the dotted paths that an expression may stand for: operators,
// namespaces and modules, through local names and getattr.
func (w *walker) paths(e *expr) []string {
	switch e.shape {
	case eName:
		return w.lookup(e.text)
	case eAttr:
		return extend(w.paths(e.parts[0]), e.text)
	case eCall:
		if name, ok := getattrName(e); ok {
			return extend(w.paths(e.parts[1]), name)
		}
	}
	return nil
}

func extend(paths []string, name string) []string {
	var longer []string
	for _, p := range paths {
		if len(p) < 256 {
			longer = append(longer, p+"."+name)
		}
	}
	return longer
}

// lookup gives what a name may stand for. Parameters and locals are values.
func (w *walker) lookup(name string) []string {
	local := false
	for i := len(w.scopes) - 1; i >= 0; i-- {
		s := &w.scopes[i]
		if paths, ok := s.aliases[name]; ok {
			return paths
		}
		local = local || s.params[name]
	}
	switch {
	case name == "torch" || name == "ops" || name == "__torch__":
		return []string{name}
	case local:
		return nil
	case bareNetwork[name] || pythonNames[name]:
		return []string{name}
	}
	return nil
}

// judge reports what the paths can do; call is set where one is called.
func (w *walker) judge(paths []string, call *expr, at token) {
	for _, path := range paths {
		root, _, _ := strings.Cut(path, ".")
		if pythonNames[root] {
			w.add(use{python: true, operator: root, args: arguments(call), at: at})
			continue
		}
		d, operator := judgePath(path)
		if d == safe {
			continue
		}
		if d == foreign {
			w.add(use{python: true, operator: operator, args: arguments(call), at: at})
			continue
		}
		w.add(use{danger: d, operator: operator, args: arguments(call), shared: shared(call), at: at})
	}
}

// arguments shows the constants among a call's arguments.
func arguments(call *expr) []string {
	if call == nil {
		return nil
	}
	var list []string
	for i, arg := range call.parts[1:] {
		if i == 8 {
			list = append(list, "…")
			break
		}
		text := "…"
		switch arg.shape {
		case eString:
			text = strconv.QuoteToGraphic(clip(arg.text))
		case eTrue:
			text = "True"
		}
		if key := call.keys[i]; key != "" {
			text = key + "=" + text
		}
		list = append(list, text)
	}
	return list
}

// shared says whether a call of from_file makes the mapping shared: then the
// file is created and grown.
func shared(call *expr) bool {
	if call == nil {
		return false
	}
	for i, arg := range call.parts[1:] {
		if arg.shape == eTrue || call.keys[i] == "shared" {
			return true
		}
	}
	return false
}

// clip cuts text for evidence.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
