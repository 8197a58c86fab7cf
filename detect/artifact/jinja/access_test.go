package jinja

import (
	"strings"
	"testing"
)

// worst gives the highest weight of the issues of a kind.
func worst(r Report, kind string) (Weight, Issue) {
	w, out := Info, Issue{}
	for _, is := range r.Issues {
		if is.Kind == kind && is.Weight >= w {
			w, out = is.Weight, is
		}
	}
	return w, out
}

func TestInternals(t *testing.T) {
	for _, src := range []string{
		`{{ ''.__class__.__mro__[1].__subclasses__() }}`,
		`{{ x['__class__'] }}`,
		`{{ x["\x5f\x5fclass\x5f\x5f"] }}`,
		`{{ x["\137\137class\137\137"] }}`,
		`{{ x["\u005f\u005fclass__"] }}`,
		`{{ x["\N{LOW LINE}_class__"] }}`,
		`{{ x["__cl" "ass__"] }}`,
		`{{ x["__cl" + "ass__"] }}`,
		`{{ x["__cl" ~ "ass__"] }}`,
		`{{ x["%sclass%s" % ("__", "__")] }}`,
		`{{ x["%c%cclass%c%c" % (95, 95, 95, 95)] }}`,
		`{{ x|attr("%c%cclass%c%c"|format(95,95,95,95)) }}`,
		`{{ x|attr("__ssalc__"[::-1]) }}`,
		`{{ x|attr("__ssalc__"|reverse) }}`,
		`{{ x|attr("__CLASS__"|lower) }}`,
		`{{ x|attr("__CLASS__".lower()) }}`,
		`{{ x|attr(["__", "class", "__"]|join) }}`,
		`{{ x|attr(("__", "class", "__")|join("")) }}`,
		`{{ x|attr(dict(__class__=1)|join) }}`,
		`{{ x|attr(dict(__cl=1, ass__=2)|join) }}`,
		`{{ x|attr(dict(__class__=1)|list|first) }}`,
		`{{ x|attr("QQclassQQ"|replace("QQ", "__")) }}`,
		`{{ x|attr("QQclassQQ".replace("QQ", "__")) }}`,
		`{{ x|attr("_" * 2 ~ "class" ~ "_" * 2) }}`,
		`{{ x|attr("{0}{0}class{0}{0}".format("_")) }}`,
		`{{ x|attr("{a}class{a}".format(a="__")) }}`,
		`{% set u = "__" %}{{ x|attr(u ~ "class" ~ u) }}`,
		`{% set ns = namespace(u="__") %}{{ x[ns.u ~ "class" ~ ns.u] }}`,
		`{% set ns = namespace(n="") %}{% for c in ["__", "cla", "ss__"] %}{% set ns.n = ns.n ~ c %}{% endfor %}{{ x[ns.n] }}`,
		`{% macro m(u) %}{{ u }}class{{ u }}{% endmacro %}{{ x|attr(m("__")) }}`,
		`{% macro m(a, u="__") %}{{ x[u ~ a ~ u] }}{% endmacro %}{{ m("class") }}`,
		`{% set n %}__class__{% endset %}{{ x[n] }}`,
		`{% set n | replace("QQ", "__") %}QQclassQQ{% endset %}{{ x[n] }}`,
		`{% with u = "__" %}{{ x[u ~ "class" ~ u] }}{% endwith %}`,
		`{% if a %}{% set n = "__class__" %}{% else %}{% set n = "role" %}{% endif %}{{ x[n] }}`,
		`{{ x["__class__" if a else "role"] }}`,
		`{{ x[(a and "__class__") or "role"] }}`,
		`{{ x[["role", "__class__"][1]] }}`,
		`{{ x[{"k": "__class__"}["k"]] }}`,
		`{{ x[{"k": "__class__"}.get("k")] }}`,
		`{% set u = (()|select|string|list)[24] %}{{ x|attr(u ~ u ~ "class" ~ u ~ u) }}`,
		`{{ "{0.__class__}".format(x) }}`,
		`{{ "{0[__class__]}".format(x) }}`,
		`{{ messages|map(attribute="__class__")|list }}`,
		`{{ messages|map("attr", "__class__")|list }}`,
		`{{ messages|selectattr("__class__.__init__") }}`,
		`{{ messages|groupby("role.__class__") }}`,
		`{{ messages|sort(attribute="__class__.__init__") }}`,
		`{{ messages|sort(false, false, "__class__") }}`,
		`{{ __builtins__ }}`,
		`{{ __import__("os").system("id") }}`,
		`{{ self._TemplateReference__context }}`,
		`{{ x.gi_frame.f_back }}`,
		`{{ [].__class__ + }}`,
		`{% if ''.__class__ == 1 %}{% endif %}`,
		`{% for c in x.__subclasses__() %}{% endfor %}`,
		`{% set y = x.__init__ %}`,
		`{% macro m() %}{{ x.__globals__ }}{% endmacro %}`,
		`{% macro m(a=x.__globals__) %}{% endmacro %}`,
		`{% call m(x.__globals__) %}{% endcall %}`,
		`{% filter replace(x.__globals__, "") %}a{% endfilter %}`,
		`{% block b %}{{ x.__globals__ }}{% endblock %}`,
		`{% autoescape x.__globals__ %}{% endautoescape %}`,
		`{% generation %}{{ x.__globals__ }}{% endgeneration %}`,
		`{% do x.__globals__ %}`, `{% print x.__globals__ %}`, `{% include x.__globals__ %}`,
		`{{ {x.__globals__: 1} }}`, `{{ f(*x.__globals__) }}`, `{{ f(**x.__globals__) }}`, `{{ f(a=x.__globals__) }}`,
		`{{ y[x.__globals__:] }}`, `{{ y is eq x.__globals__ }}`, `{{ -x.__globals__ }}`, `{{ not x.__globals__ }}`, `{{ a if x.__globals__ }}`,
		`{{ x . __class__ }}`, "{{ x\n.\n__class__ }}", `{{- x.__class__ -}}`, `{%- if x.__class__ -%}{%- endif -%}`,
		`{% raw %}{{ a }}{% endraw %}{{ x.__class__ }}`, `{# {{ #}{{ x.__class__ }}`, `{{ "}}" ~ x.__class__ }}`, `{{ {"a": {"b": 1}} ~ x.__class__ }}`,
		`{{ unclosed( }}text{{ x.__class__ }}`, `{% endif %}{{ x.__class__ }}`, `{% nosuch a b %}{{ x.__class__ }}`, `{% if a %}{{ x.__class__ }}`,
		`{{ x.__class__`, `{{ a b c x.__class__ }}`, `{% if a b x.__class__ %}{% endif %}`, `{{ 'open }}{{ x.__class__ }}`,
		`{{ x|attr("_"~"_class_"~"_") }}`, `{{ x["__CLASS__".swapcase()] }}`, `{{ x[" __class__ "|trim] }}`, `{{ x[" __class__".strip()] }}`,
		`{{ x["a__class__"[1:]] }}`, `{{ x["a.__class__".split(".")[1]] }}`, `{{ x["a.__class__".split(".")|last] }}`, `{{ x["X19jbGFzc19f"|b64decode] }}`,
		`{{ x[chr(95) ~ chr(95) ~ "class__"] }}`,
	} {
		if w, _ := worst(Judge(src, Limits{}), DunderAccess); w != Critical {
			t.Errorf("%s: internals not seen", src)
		}
	}
}

func TestInternalsNearMisses(t *testing.T) {
	for _, src := range []string{
		`{{ message.class }}`, `{{ message["_class"] }}`, `{{ "__class__" }}`, `The __init__ method: {{ content }}`, `{% raw %}{{ x.__class__ }}{% endraw %}`,
		`{# {{ x.__class__ }} #}`, `{{ messages|map(attribute="content") }}`, `{% set __x = 1 %}`, `{{ "%s" % "__class__" }}`,
		`{{ "{0}".format("__class__") }}`, `{{ x["a" ~ "_b"] }}`, `{{ x[y] }}`, `{{ messages[loop.index0 - 1].role }}`,
	} {
		for _, is := range Judge(src, Limits{}).Issues {
			if is.Weight >= Medium {
				t.Errorf("%s: %+v", src, is)
			}
		}
	}
}

func TestOtherIssues(t *testing.T) {
	for _, c := range []struct {
		src, kind string
		at        Weight
	}{
		{`{{ x|attr(y) }}`, DynamicAttribute, High},
		{`{{ x|attr(request.args.a) }}`, DynamicAttribute, High},
		{`{{ x["__" ~ y] }}`, DynamicAttribute, High},
		{`{{ x|map(y)|list }}`, DynamicAttribute, High},
		{`{{ lipsum|string|list }}`, DangerousGlobal, High},
		{`{{ cycler|attr("x") }}`, DangerousGlobal, High},
		{`{{ joiner.x }}`, DangerousGlobal, High},
		{`{% set f = namespace %}`, DangerousGlobal, High},
		{`{{ messages }}{{ self|string }}`, DangerousGlobal, High},
		{`{{ os.system("id") }}`, DangerousGlobal, Critical},
		{`{{ open("/etc/passwd").read() }}`, DangerousGlobal, Critical},
		{`{{ eval("1") }}`, DangerousGlobal, Critical},
		{`{{ getattr(x, "y") }}`, DangerousGlobal, Critical},
		{`{{ request.application }}`, DangerousGlobal, High},
		{`{{ config.SECRET_KEY }}`, DangerousGlobal, High},
		{`{{ get_flashed_messages.x }}`, DangerousGlobal, High},
		{`{{ messages }}{{ request.args }}`, DangerousGlobal, Medium},
		{`{{ range(10**9) }}`, ResourceExhaustion, Info},
		{`{{ range(1000000000) }}`, ResourceExhaustion, High},
		{`{{ range(-5000000, 5000000) }}`, ResourceExhaustion, High},
		{`{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}`, ResourceExhaustion, High},
		{`{{ "a" * 1000000000 }}`, ResourceExhaustion, High},
		{`{{ 1000000000 * "a" }}`, ResourceExhaustion, High},
		{`{{ [1] * 1000000000 }}`, ResourceExhaustion, High},
		{`{{ [] * 1000000000 }}`, ResourceExhaustion, Info},
		{`{{ 9 ** 99999999 }}`, ResourceExhaustion, High},
		{`{{ "a"|center(1000000000) }}`, ResourceExhaustion, High},
		{`{{ "a".ljust(1000000000) }}`, ResourceExhaustion, High},
		{`{{ "%1000000000d" % 1 }}`, ResourceExhaustion, High},
		{`{{ "{:>1000000000}".format(1) }}`, ResourceExhaustion, High},
		{strings.Repeat(`{% set a = (a or "x") ~ (a or "x") %}`, 2) + `{% set a = "xx" %}` + strings.Repeat(`{% set a = a ~ a %}`, 30), ResourceExhaustion, High},
		{`{% set ns = namespace(a="x") %}{% for m in messages %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}`, ResourceExhaustion, High},
		{`{% macro f(n) %}{{ f(n - 1) }}{{ f(n - 1) }}{% endmacro %}`, ResourceExhaustion, High},
		{`{% macro f() %}{{ f() }}{% endmacro %}`, ResourceExhaustion, Medium},
		{`{% include "a.html" %}`, IncludeFile, Low},
		{`{{ messages }}{% include "a.html" %}`, IncludeFile, Medium},
		{`{% include "/etc/passwd" %}`, IncludeFile, High},
		{`{% import "../a" as b %}`, IncludeFile, High},
		{`{% from "a" import b as c %}`, IncludeFile, Low},
		{`{% extends "a" %}`, IncludeFile, Low},
		{`{{ run("import os; os.system('id')") }}`, CodeArgument, High},
		{`{{ run("aW1wb3J0IG9zOyBvcy5zeXN0ZW0oJ2lkJyk=") }}`, CodeArgument, High},
		{`{{ raise_exception("import os; os.system('id')") }}`, CodeArgument, Info},
		{"{{ 'a\u200bb' }}", HiddenText, Medium},
		{"a\u202eb{{ x }}", HiddenText, High},
		{"a\U000E0041{{ x }}", HiddenText, High},
		{"\ufeffa{{ x }}\U0001F468\u200d\U0001F469", HiddenText, Info},
	} {
		w, _ := worst(Judge(c.src, Limits{}), c.kind)
		if w != c.at {
			t.Errorf("%s: %s has weight %d, want %d", short(c.src, 100), c.kind, w, c.at)
		}
	}
}
