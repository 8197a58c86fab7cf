package container

import (
	"strings"

	"bartizan/finding"
)

// escape is how a name leaves the folder that it is unpacked to.
type escape uint8

const (
	stays escape = iota
	climbsWithin
	climbsOut
	absolute
	drive
	driveRelative
)

var escapeWords = [...]string{"", "parent within", "parent", "absolute", "drive", "drive, relative"}

// escapes judges a stored name under both separators.
func escapes(name string) escape {
	if len(name) >= 2 && name[1] == ':' && isLetter(name[0]) {
		if len(name) == 2 || name[2] == '/' || name[2] == '\\' {
			return drive
		}
		return driveRelative
	}
	if name != "" && (name[0] == '/' || name[0] == '\\') {
		return absolute
	}
	if !strings.Contains(name, "..") {
		return stays
	}
	depth, climbs := 0, false
	for _, part := range strings.FieldsFunc(name, isSeparator) {
		switch strings.TrimRight(part, " ") { // Windows cuts spaces
		case ".", "":
		case "..":
			climbs = true
			if depth--; depth < 0 {
				return climbsOut
			}
		default:
			depth++
		}
	}
	if climbs {
		return climbsWithin
	}
	return stays
}

func isSeparator(r rune) bool { return r == '/' || r == '\\' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// checkNames judges every name of a member and where its link leads.
func (w *walker) checkNames(m *Member) {
	if m.synthetic {
		return
	}
	w.checkName(m, m.Name)
	for _, alias := range m.Aliases {
		w.checkName(m, alias)
	}
	w.checkLinks(m)
}

func (w *walker) checkName(m *Member, name string) {
	if how := escapes(name); how != stays {
		severity := finding.High
		switch how {
		case climbsWithin:
			severity = finding.Low
		case driveRelative:
			severity = finding.Medium
		}
		w.add(rule(ruleTraversal), m.Offset, 0, severity, "member name "+quote(name)+" leaves the place of extraction",
			map[string]any{"member": Label(name), "how": escapeWords[how]})
	}
	backslash, control := false, false
	for i := 0; i < len(name); i++ {
		backslash = backslash || name[i] == '\\'
		control = control || name[i] < 0x20 || name[i] == 0x7f
	}
	if backslash {
		w.add(rule(ruleBackslash), m.Offset, 0, finding.Low, "member name "+quote(name)+" has backslashes",
			map[string]any{"member": Label(name)})
	}
	if control || strings.ContainsFunc(name, isBidi) {
		w.add(rule(ruleControl), m.Offset, 0, finding.Medium, "member name "+quote(name)+" has control characters",
			map[string]any{"member": Label(name)})
	}
}
