package template

import (
	"bartizan/detect/artifact/jinja"
	"bartizan/finding"
)

var evidenceKeys = map[string]string{
	"symbol":  "the name or path that is accessed",
	"form":    "how: attribute, item, filter, format, name, loop, size …",
	"trigger": "the constant of the condition that lets the text out",
	"text":    "the constant text, shortened",
}

var ssti = []string{"CVE-2024-34359", "CWE-1336", "CWE-94", "AML.T0011.000", "LLM03:2025"}

// ruleOf gives the rule of each kind of issue. It is read only.
var ruleOf = map[string]*finding.Rule{
	jinja.DunderAccess: {
		ID: "template/dunder-access", Title: "Template reaches for Python's internals",
		Help: "An attribute, item, filter argument or format field of the template names one of Python's internals (__class__, __globals__ …), written out or folded from constants. " +
			"Loaders that render it outside a sandbox run code of the template's author (CVE-2024-34359); a sandbox refuses it. No chat template needs it.",
		Severity: finding.Critical, Confidence: finding.ConfidenceHigh, References: ssti,
		Remediation: "Do not load the model. Take the template from the model's first publisher.", Evidence: evidenceKeys,
	},
	jinja.DangerousGlobal: {
		ID: "template/dangerous-global", Title: "Template uses a module, builtin or an environment's object",
		Help: "The template calls or reads a name that it does not set itself and that leads out of it: a Python module or builtin, Jinja2's factories held as values, a web framework's request or config. " +
			"Calls of namespace(), cycler(), range(), raise_exception() and the like are not reported.",
		Severity: finding.Critical, Confidence: finding.ConfidenceHigh, References: ssti,
		Remediation: "Do not load the model before somebody has read the template.", Evidence: evidenceKeys,
	},
	jinja.DynamicAttribute: {
		ID: "template/dynamic-attribute", Title: "Template reads an attribute whose name is not constant",
		Help:     "The name of an attribute is built at run time from parts that cannot be folded, or taken from a message. That is how filters for __class__ are passed; templates of models do not need it.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium, References: ssti,
		Remediation: "Read the template; replace |attr(…) by a plain attribute.", Evidence: evidenceKeys,
	},
	jinja.ResourceExhaustion: {
		ID: "template/resource-exhaustion", Title: "Template exhausts the process that renders it",
		Help:     "Constants of the template make loops, texts, numbers or recursion of a size that takes minutes or gigabytes to render.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium, References: []string{"CWE-400", "CWE-674", "AML.T0029", "LLM10:2025"},
		Remediation: "Do not load the model; render templates with a limit of time and memory.", Evidence: evidenceKeys,
	},
	jinja.IncludeFile: {
		ID: "template/include", Title: "Template loads another template",
		Help:     "include, import, from or extends read another file where the environment has a loader. A chat template stands alone; a path that leaves the folder is worse.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh, References: []string{"CWE-98", "CWE-22", "AML.T0011.000"},
		Remediation: "Put the included text into the template.", Evidence: evidenceKeys,
	},
	jinja.CodeArgument: {
		ID: "template/code-argument", Title: "Template hands code to a function",
		Help:     "A constant that reads like Python or shell code, plain or encoded, is an argument of a function or filter that Jinja2 does not have.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium, References: ssti,
		Remediation: "Do not load the model before somebody has read the template.", Evidence: evidenceKeys,
	},
	jinja.HiddenInstruction: {
		ID: "template/hidden-instruction", Title: "Template adds text under a hidden condition",
		Help: "The template lets out prose, or rewrites a message, only where the content of a message, a date or a position matches a constant; or it holds sentences that hide, override or reach out. " +
			"The model's answers can be steered that way without any change of its weights. Conditions on roles, tools and flags, control tokens, and the model's own system prompt are not reported. Text is judged by its words: a sentence that steers like a system prompt and stands without condition passes.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium, References: []string{"CWE-506", "AML.T0051", "AML.T0018", "LLM01:2025", "LLM03:2025"},
		Remediation: "Compare the template with the one of the model's first publisher; remove the condition and its text.", Evidence: evidenceKeys,
	},
	jinja.HiddenText: {
		ID: "template/hidden-text", Title: "Template holds characters that a reader does not see",
		Help:     "Constants of the template hold zero-width, direction-changing or tag characters. The model reads them; a person who checks the template does not.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh, References: []string{"CWE-1007", "CWE-451", "AML.T0051", "LLM01:2025"},
		Remediation: "Remove the characters, or write them as escapes.", Evidence: evidenceKeys,
	},
}

var driftRule = &finding.Rule{
	ID: "template/drift", Title: "Templates of one model differ",
	Help: "Two places of one model hold different chat templates (GGUF metadata, tokenizer_config.json, chat_template.jinja, a key given twice). " +
		"Loaders choose between them by their own order, so what was reviewed is not what runs. Differences in quotes, comments and insignificant white space do not count.",
	Severity: finding.Medium, Confidence: finding.ConfidenceHigh, References: []string{"CWE-436", "AML.T0010.003", "LLM03:2025"},
	Remediation: "Keep one template, or make them equal.",
	Evidence:    map[string]string{"other": "where the other template stands", "difference": "the first difference of the canonical texts, shortened"},
}

var objectTagRule = &finding.Rule{
	ID: "yaml/object-tag", Title: "YAML names Python or Ruby objects to make",
	Help: "A tag such as !!python/object/apply makes a loader that is not a safe one call what it names while it reads the file. " +
		"yaml.safe_load refuses such a file.",
	Severity: finding.High, Confidence: finding.ConfidenceHigh, References: []string{"CWE-502", "CVE-2017-18342", "CVE-2020-14343", "AML.T0011.000"},
	Remediation: "Read the file with yaml.safe_load only, and find out why configuration names code.",
	Evidence:    map[string]string{"symbol": "the tag"},
}

var secretRule = &finding.Rule{
	ID: "template/config-secret", Title: "Configuration holds a credential or a destructive command",
	Help:     "A key named for a credential holds a value of a known form, or a key named for a command holds one that destroys data. Nothing runs by loading the file, but neither belongs into a model's folder.",
	Severity: finding.Medium, Confidence: finding.ConfidenceMedium, References: []string{"CWE-798", "CWE-312"},
	Remediation: "Remove it and revoke the credential.",
	Evidence:    map[string]string{"field": "the key", "form": "credential or command; the value is never shown"},
}

// Rules lists the rules of this format, in order of id.
func (Format) Rules() []finding.Rule {
	kinds := []string{jinja.CodeArgument, jinja.DangerousGlobal, jinja.DunderAccess, jinja.DynamicAttribute,
		jinja.HiddenInstruction, jinja.HiddenText, jinja.IncludeFile, jinja.ResourceExhaustion}
	out := []finding.Rule{*secretRule, *driftRule, *objectTagRule}
	for _, k := range kinds {
		out = append(out, *ruleOf[k])
	}
	return out
}
