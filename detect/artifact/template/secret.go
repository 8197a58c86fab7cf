package template

import (
	"regexp"
	"strings"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// maxSecret is the length up to which a value may be a credential or command.
const maxSecret = 4096

var (
	credentialKey = regexp.MustCompile(`(?i)^(.*[_.-])?(api[_-]?key|secret([_-]?(key|access[_-]?key))?|access[_-]?key([_-]?id)?|access[_-]?token|auth[_-]?token|hf[_-]?token|private[_-]?key)$`)
	commandKey    = regexp.MustCompile(`(?i)(^|[_.-])(command|cmd|exec|shell|script|hook|entrypoint)s?$`)
	credential    = regexp.MustCompile(`^(sk-(proj-|ant-)?[A-Za-z0-9_-]{12,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|AKIA[0-9A-Z]{16}|xox[abposr]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35}|glpat-[\w-]{20,})$|^-----BEGIN [A-Z ]*PRIVATE KEY-----`)
	destructive   = regexp.MustCompile(`\brm\s+-[a-z]*[rf][a-z]*\s+(-[a-z]+\s+)*(--no-preserve-root\s+)?[/~]|\bmkfs(\.\w+)?\s|\bdd\s+[^|]*of=/dev/|:\(\)\s*\{\s*:\|:&\s*\};:`)
)

// secretKey says cheaply that a key is worth a look: it ends in one of the words
// that secret asks for.
func secretKey[T string | []byte](key T) bool {
	if len(key) < 3 || len(key) > 64 {
		return false
	}
	end := key[max(len(key)-4, 0):]
	if len(end) > 0 && end[len(end)-1]|0x20 == 's' && len(key) > 4 {
		end = key[len(key)-5 : len(key)-1]
	}
	switch strings.ToLower(string(end[max(len(end)-3, 0):])) {
	case "key", "ken", "ret", "_id", "-id", "yid", "and", "cmd", "xec", "ell", "ipt", "ook", "int":
		return credentialKey.MatchString(string(key)) || commandKey.MatchString(string(key))
	}
	return false
}

// secret reports a credential under a key named for one, or a destructive
// command under a key named for commands. The value is not shown.
func (s *scan) secret(v value) {
	if len(v.text) > maxSecret || !secretKey(v.key) {
		return
	}
	switch text := strings.TrimSpace(v.text); {
	case credentialKey.MatchString(v.key) && credential.MatchString(text) && !strings.Contains(text, "EXAMPLE"):
		s.a.Add(secretRule.New(placeOf(s.a, v), "a credential stands in the file", map[string]any{"field": v.key, "form": "credential"}))
	case commandKey.MatchString(v.key) && destructive.MatchString(text):
		s.a.Add(secretRule.New(placeOf(s.a, v), "a destructive command stands in the file", map[string]any{"field": v.key, "form": "command"}))
	}
}

func placeOf(a *format.Artifact, v value) finding.Place {
	return finding.Place{Path: a.Path, Pointer: v.pointer, Line: v.line}
}
