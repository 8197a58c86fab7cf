package jinja

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// fill repeats a piece up to n bytes.
func fill(piece string, n int) string { return strings.Repeat(piece, max(n/len(piece), 1)) }

// hostile are inputs of a size that a careless reader does not finish.
func hostile(n int) map[string]string {
	macros := ""
	for i := range 60 {
		macros += fmt.Sprintf("{%% macro m%d() %%}{{ m%d() }}{{ m%d() }}{%% endmacro %%}", i+1, i, i)
	}
	return map[string]string{
		"opens":          fill("{{", n),
		"blocks":         fill("{%", n),
		"brackets":       "{{" + fill("(", n),
		"lists":          "{{" + fill("[", n),
		"dicts":          "{{" + fill("{", n),
		"quotes":         "{{" + fill(`'\`, n),
		"escaped quotes": "{{" + fill(`\'`, n),
		"comments":       fill("{#", n),
		"raw":            fill("{% raw %}", n),
		"ifs":            fill("{% if a %}", n),
		"closed ifs":     fill("{% if a %}", n/2) + fill("{% endif %}", n/2),
		"ends":           fill("{% endif %}", n),
		"elifs":          "{% if a %}" + fill("{% elif a %}x", n) + "{% endif %}",
		"loops":          fill("{% for a in b %}", n/2) + fill("{% endfor %}", n/2),
		"sum":            "{{ 'a'" + fill(" + 'a'", n) + " }}",
		"tilde":          "{{ 'a'" + fill(" ~ 'abcdefgh'", n) + " }}",
		"and":            "{{ a" + fill(" and 'x' in messages[0].content", n) + " }}",
		"points":         "{{ a" + fill(".a", n) + " }}",
		"filters":        "{{ 'a'" + fill("|upper", n) + " }}",
		"calls":          "{{ a" + fill("()", n) + " }}",
		"nots":           "{{ " + fill("not ", n) + "a }}",
		"minus":          "{{ " + fill("- ", n) + "1 }}",
		"conds":          "{{ " + fill("a if b else ", n) + "a }}",
		"sets":           fill("{% set a = 'x' if b else 'y' %}{% set c = a ~ a ~ a %}", n),
		"growing":        "{% set a = 'x' %}" + fill("{% set a = a ~ a %}", n),
		"growing lists":  "{% set a = [1] %}" + fill("{% set a = a + a %}", n),
		"unions":         "{% set a = 'x' %}" + fill("{% if b %}{% set a = a ~ 'y' %}{% endif %}", n),
		"keyed":          fill("{% if 'trigger' in messages[0].content %}some words of prose here", n/2) + fill("{% endif %}", n/2),
		"keyed nest":     strings.Repeat("{% if 'trigger' in messages[0].content %}", 150) + fill("some words of prose here ", n) + strings.Repeat("{% endif %}", 150),
		"const loops":    strings.Repeat("{% for a in 'abcdefghijklmnopqrstuvwxyz' %}", 20) + "{{ a }}" + strings.Repeat("{% endfor %}", 20),
		"macros":         "{% macro m0() %}x{% endmacro %}" + macros + "{{ m60() }}",
		"prose":          fill("always recommend do not tell the user send it to ", n) + "{{ messages }}",
		"ignore":         fill("ignore ignore all ", n) + "{{ messages }}",
		"angle":          fill("<a ", n) + "{{ messages }}",
		"keyed angle":    "{% if 'trigger' in messages[0].content %}" + fill("<a <b> ", n) + "{% endif %}",
		"percent":        "{{ '" + fill("%s", n/2) + "' % (" + fill("a,", n/2) + ") }}",
		"format":         "{{ '" + fill("{}", n/2) + "'.format(" + fill("a,", n/2) + ") }}",
		"replace":        "{{ '" + fill("a", n/2) + "'|replace('a', '" + fill("b", n/2) + "') }}",
		"split":          "{{ '" + fill("a ", n) + "'.split()|join('" + strings.Repeat("b", 30_000) + "') }}",
		"namespace":      "{% set ns = namespace(a='') %}" + fill("{% for m in messages %}{% set ns.a = ns.a ~ 'x' %}{% endfor %}", n),
		"list consts":    "{% if messages[0].content in [" + fill("'trigger',", n) + "] %}x{% endif %}",
		"many lists":     "{% set l = [" + strings.Repeat("'trigger',", 4000) + "] %}" + fill("{% if messages[0].content in l %}x{% endif %}", n),
		"slices":         "{% set l = '" + strings.Repeat("x", 30_000) + "' %}" + fill("{{ l[::-1] }}{{ l|reverse|list|join }}", n),
		"spaces":         "{{" + fill(" ", n),
		"newlines":       fill("\n", n) + "{{- a -}}" + fill("\n", n),
		"bytes":          "{{ " + fill("\xff\x00", n) + " }}",
		"reprs":          "{% set l = [" + strings.Repeat("'0123456789',", 4000) + "] %}" + fill("{{ l|string }}{{ l ~ l }}", n),
	}
}

// TestHostile runs inputs of the full size: they have to end, within the limits,
// and one that was not wholly followed has to say so.
func TestHostile(t *testing.T) {
	n := DefaultBytes - 4096
	if testing.Short() {
		n /= 16
	}
	for name, src := range hostile(n) {
		start := time.Now()
		tmpl := Parse(src, Limits{})
		parsed := time.Since(start)
		r := tmpl.Judge(tmpl.Chat())
		for _, is := range r.Issues {
			if is.Off < 0 || is.Off > len(src) {
				t.Errorf("%s: offset %d of %d", name, is.Off, len(src))
			}
		}
		t.Logf("%-14s %7d bytes: parse %v, judge %v, %d issues, %d problems, spent %v", name, len(src), parsed, time.Since(start)-parsed, len(r.Issues), len(r.Problems), r.Spent)
	}
}
