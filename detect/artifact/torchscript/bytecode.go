package torchscript

import (
	"bytes"
	"regexp"
	"strings"

	"bartizan/detect/artifact/format"
)

// isBytecode recognises the pickle from which the lite interpreter runs: it has
// a fixed name and names the tables of its functions.
func isBytecode(p *format.Probe) bool {
	return p.Name == "bytecode.pkl" && len(p.Head) > 2 && p.Head[0] == 0x80 &&
		bytes.Contains(p.Head, []byte("instructions")) && bytes.Contains(p.Head, []byte("operators"))
}

// operatorName is how bytecode.pkl names operators. The lite interpreter's own
// unpickler knows strings only as they stand, so that none is hidden by escapes.
var operatorName = regexp.MustCompile(`([A-Za-z_][A-Za-z_0-9]*)::([A-Za-z_][A-Za-z_0-9]*)`)

// className is how it names custom classes.
var className = regexp.MustCompile(`__torch__\.torch\.classes\.([A-Za-z_0-9]+)\.([A-Za-z_0-9]+)`)

// scanBytecode judges the operators that bytecode.pkl names. Which function
// calls them is not told.
func scanBytecode(a *format.Artifact, data []byte) {
	seen := map[string]bool{}
	for _, m := range operatorName.FindAllSubmatchIndex(data, -1) {
		namespace, name := string(data[m[2]:m[3]]), string(data[m[4]:m[5]])
		d, operator := judgeOperator(namespace, name)
		add(a, seen, d, operator, m[0])
	}
	for _, m := range className.FindAllSubmatchIndex(data, -1) {
		d, operator := judgeClass(string(data[m[2]:m[3]]), string(data[m[4]:m[5]]))
		add(a, seen, d, operator, m[0])
	}
}

func add(a *format.Artifact, seen map[string]bool, d danger, operator string, at int) {
	if d == safe || seen[operator] || len(seen) >= maxUses {
		return
	}
	seen[operator] = true
	u := use{danger: d, operator: operator, function: "bytecode.pkl", at: token{off: at, text: strings.TrimPrefix(operator, "class ")}}
	a.Add(u.finding(a))
}
