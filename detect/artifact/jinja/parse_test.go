package jinja

import (
	"strings"
	"testing"
)

// TestValid holds what Jinja2 accepts (with the loop controls and do extensions,
// and transformers' generation tag).
func TestValid(t *testing.T) {
	for _, src := range []string{
		"", "text", "{{ a }}", "{{- a -}}", "{{ 'a' 'b' }}", "{{ a.b[c]('d', e=1, *f, **g) }}", "{{ a.0.b }}", "{{ a[1:2, ::3] }}", "{{ a[] }}",
		"{{ 1 + 2 - 3 * 4 / 5 // 6 % 7 ** 8 ~ 9 }}", "{{ -a ** -b }}", "{{ a if b }}", "{{ a if b else c if d else e }}", "{{ a, b }}", "{{ (a,) }}", "{{ () }}",
		"{{ [1, 2,] }}", "{{ {'a': 1, b: 2,} }}", "{{ {'a': {'b': {}}} }}", "{{ a is defined and b is not none or not c is divisibleby 3 }}", "{{ a is in [1] }}", "{{ a is sameas b }}",
		"{{ a not in b == c < d }}", "{{ a|b|c(1)|d.e }}", "{{ (a|b)('c') }}", "{{ 1_000 + 0x1F + 0b1 + 0o7 + 1.5e-3 }}", "{{ true and True or none and None }}",
		"{{ '\\x41\\u0041\\N{LATIN SMALL LETTER A}\\101\\'' }}", "{{ \"}}\" }}", "{# {{ #}", "{#- a -#}", "{% raw %}{{ {% endraw %}", "{%- raw -%} {% if %} {%- endraw -%}",
		"{% if a %}b{% elif c %}d{% else %}e{% endif %}", "{% if a: %}{% else: %}{% endif %}", "{% for a in b %}c{% else %}d{% endfor %}", "{% for a, (b, c) in d if e recursive %}{{ loop(f) }}{% endfor %}",
		"{% for a in b, c %}{% endfor %}", "{% set a = 1 %}", "{% set a, b = 1, 2 %}", "{% set a.b = 1 %}", "{% set a %}b{% endset %}", "{% set a | upper | trim %}b{% endset %}",
		"{% macro a(b, c=1) %}{% endmacro %}", "{% call a() %}b{% endcall %}", "{% call(c, d=1) a.b(e) %}f{% endcall %}", "{% filter upper|trim %}a{% endfilter %}", "{% filter a.b(c) %}{% endfilter %}",
		"{% include 'a' %}", "{% include ['a', 'b'] ignore missing without context %}", "{% import 'a' as b with context %}", "{% from 'a' import b, c as d %}", "{% from 'a' import b with context %}",
		"{% extends a %}", "{% block a %}{% endblock %}", "{% block a scoped required %}{% endblock a %}", "{% with %}{% endwith %}", "{% with a = 1, b = 2 %}{% endwith %}",
		"{% autoescape true %}{% endautoescape %}", "{% do a.append(1) %}", "{% print a %}", "{% for a in b %}{% break %}{% continue %}{% endfor %}", "{% generation %}{% endgeneration %}",
		"{%+ if a +%}{%+ endif %}", "{% if not a %}{% endif %}", "{{ a if not b else c }}", "{{ ｎ }}", "{{ é_1 }}",
	} {
		if r := Parse(src, Limits{}); len(r.Problems) > 0 {
			t.Errorf("%s: %+v", src, r.Problems)
		}
	}
}

func TestInvalid(t *testing.T) {
	for _, c := range []struct {
		src       string
		line, col int
	}{
		{"{{ a", 1, 1}, {"a\n{% if a", 2, 1}, {"{% if a %}", 1, 11}, {"{% endif %}", 1, 4}, {"{{ }}", 1, 4}, {"{{ a b }}", 1, 6}, {"{{ a + }}", 1, 8}, {"{{ ( }}", 1, 6},
		{"{{ a) }}", 1, 5}, {"{{ [1 }}", 1, 7}, {"{% nosuch %}", 1, 4}, {"{% for a %}{% endfor %}", 1, 10}, {"{% set %}", 1, 10}, {"{# a", 1, 1}, {"{% raw %}", 1, 1}, {"{{ 'a }}", 1, 4},
		{"{{ $ }}", 1, 4}, {"{% if a %}{% endfor %}{% endif %}", 1, 14}, {"{% %}", 1, 4}, {"{{ a. }}", 1, 7}, {"\n\n{{ a | }}", 3, 8},
	} {
		r := Parse(c.src, Limits{})
		if len(r.Problems) == 0 {
			t.Errorf("%q: no problem", c.src)
		} else if p := r.Problems[0]; p.Line != c.line || p.Column != c.col {
			t.Errorf("%q: problem at %d:%d (%s), want %d:%d", c.src, p.Line, p.Column, p.Message, c.line, c.col)
		}
	}
}

// TestWhitespace holds what Jinja2 renders of data with trim_blocks and lstrip_blocks.
func TestWhitespace(t *testing.T) {
	for src, want := range map[string]string{
		"a {{ b }} c": "a | c", "a {{- b -}} c": "a|c", "a\n  {% if b %}\nc{% endif %}": "a\n|c", "a\n  {%+ if b %}\nc{% endif %}": "a\n  |c", "a {% if b -%}\n\n c{% endif %}": "a |c",
		"a {# b #}\nc": "a |c", "a {#- b -#} c": "a|c", "{% if b +%}\nc{% endif %}": "\nc", "{% raw %} a {% endraw %}": " a ", "{% raw -%} a {%- endraw %}": "a", "  {{ a }}": "  ",
	} {
		var parts []string
		Walk(Parse(src, Limits{}).Body, nil, func(s *Stmt) {
			if s.Verb == Data {
				parts = append(parts, s.Text)
			}
		})
		if got := strings.Join(parts, "|"); got != want {
			t.Errorf("%q: data %q, want %q", src, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("{% if a %}", 500) + strings.Repeat("{% endif %}", 500)
	for name, r := range map[string]Report{
		"depth": Judge(deep, Limits{}), "bytes": Judge("abcdef", Limits{Bytes: 3}), "nodes": Judge("{{ a + b + c }}", Limits{Nodes: 3}),
	} {
		if len(r.Problems) == 0 {
			t.Errorf("%s: no problem", name)
		}
	}
	if r := Judge(strings.Repeat("{{ a }}", 100), Limits{Steps: 10}); !r.Spent {
		t.Error("steps: not spent")
	}
}

func TestNormalize(t *testing.T) {
	base := "{% for m in messages %}\n  {%- if m['role'] == 'user' -%}{{ '<s>' + m['content'] }}x\n{% endif %}{% endfor %}"
	for _, same := range []string{
		"{% for m in messages %}\n  {%- if m[\"role\"] == \"user\" -%}{{ \"<s>\" + m[\"content\"] }}x\n{% endif %}{% endfor %}",
		"{%for m in messages%}{%- if m.role=='user' -%}\n\n{{'<s>'+m.content}}{{ 'x\\n' }}{%endif%}{%endfor%}\n",
		"{# a comment #}{% for m in messages %}{%- if (m.role == 'user') -%}{{ ('<s>' + m.content) }}x\r\n{% endif %}{% endfor %}",
	} {
		if ok, diff := Same(base, same); !ok {
			t.Errorf("differ:\n%s\n%s", same, diff)
		}
	}
	for _, other := range []string{
		strings.Replace(base, "user", "usr", 1), strings.Replace(base, "x\n", "y\n", 1), strings.Replace(base, "+", "~", 1), strings.Replace(base, "x\n", "x \n", 1), base + "{{ a }}",
		strings.Replace(base, "messages", "messages if a", 1), strings.Replace(base, "==", "!=", 1), strings.Replace(base, "{% endif %}", "{% else %}{% endif %}", 1),
	} {
		if ok, diff := Same(base, other); ok || diff == "" {
			t.Errorf("the same: %s", other)
		}
	}
}

func TestUnquote(t *testing.T) {
	for lit, want := range map[string]string{
		`'a'`: "a", `"a'b"`: "a'b", `'\n\t\\\''`: "\n\t\\'", `'\x41'`: "A", `'\101'`: "A", `'\u0041'`: "A", `'\U00000041'`: "A", `'\N{LATIN SMALL LETTER A}'`: "a",
		`'\ud83d\ude00'`: "😀", `'\q'`: `\q`, `'\xZZ'`: `\xZZ`, "'a\\\nb'": "ab", `'\7'`: "\a", `'é'`: "é",
	} {
		if got := unquote(lit); got != want {
			t.Errorf("%s: %q, want %q", lit, got, want)
		}
	}
}
