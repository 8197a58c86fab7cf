package artifact

import (
	"path"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

var ruleMismatch = finding.Rule{
	ID: "file/extension-mismatch", Title: "Content is of another format than the name says",
	Help: "The bytes are of a format that can run code when loaded, while the extension names one that cannot. " +
		"A loader that goes by content, or a person who trusts the name, opens it as what it is.",
	Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
	References:  []string{"CWE-434", "AML.T0011.000"},
	Remediation: "Find out who produced the file; rename it to what it is and load it only with a loader meant for that format.",
	Evidence:    map[string]string{"extension": "the extension of the name", "formats": "the formats by content"},
}

// inertExtensions are those whose loaders never run what they read, with the
// formats that may stand under them.
var inertExtensions = map[string][]string{
	".safetensors": {"safetensors"},
	".gguf":        {"gguf"},
	".json":        {"template", "text", "notebook", "json"},
	".txt":         {"text", "template"},
	".md":          {"text", "template"},
	".csv":         {"text", "template"},
	".png":         {"png"}, ".jpg": {"jpeg"}, ".jpeg": {"jpeg"}, ".gif": {"gif"}, ".webp": {"webp"},
}

// activeFormats are those whose loaders run what they read.
var activeFormats = map[string]bool{"pickle": true, "zip": true, "tar": true, "7z": true, "rar": true}

// checkName compares the name with what the content is, and says where nothing
// was recognised at all.
func (s *scan) checkName(a *format.Artifact, p *format.Probe, names []string, matched int) {
	if matched == 0 {
		if a.Blob.Size() > 0 {
			a.Out.Unsupported("unknown-format", unknownDetail(a))
		}
		return
	}
	ext := path.Ext(p.Name)
	allowed, inert := inertExtensions[ext]
	if !inert {
		return
	}
	active := false
	for _, n := range names {
		for _, w := range allowed {
			if n == w {
				return
			}
		}
		active = active || activeFormats[n]
	}
	if active {
		a.Add(ruleMismatch.New(finding.Place{Path: a.Path}, "named "+ext+" but its content is "+strings.Join(names, ", "),
			map[string]any{"extension": ext, "formats": strings.Join(names, ",")}))
	}
}

func unknownDetail(a *format.Artifact) string {
	if a.Depth > 0 {
		return a.Path
	}
	return ""
}

// lowerBase is the last element of a stored name, whatever its separator.
func lowerBase(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToLower(name)
}
