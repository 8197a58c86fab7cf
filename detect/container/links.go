package container

import (
	"path"
	"strings"

	"bartizan/finding"
)

// Bounds of link resolution.
const (
	maxHops  = 40      // symlinks followed for one name, as Linux does
	maxLinks = 10_000  // symlinks remembered of one archive
	maxName  = 4096    // bytes of a name that is resolved
	maxSteps = 4 << 20 // path components looked up in one archive
)

// linkTable remembers the symlinks of one archive that came so far, by the
// cleaned place where an extractor puts them.
type linkTable struct {
	links map[string]link
	steps int
}

type link struct {
	target string
	mild   bool // absolute, to an installed program: noted only
}

// resolution is where a name leads.
type resolution struct {
	out     bool   // out of the archive
	through string // the last symlink passed
	mild    bool   // only through mild ones
}

// checkLinks says where a member's link leads and whether the member is
// written through an earlier symlink, and remembers a new symlink.
func (w *walker) checkLinks(m *Member) {
	if m.Kind != Symlink && m.Kind != Hardlink && len(w.links.links) == 0 {
		return
	}
	if w.links.steps > maxSteps {
		w.incomplete(CodeWork, "", "links of too many long names")
	}
	if r := w.links.resolve(path.Dir(slashed(m.Name)), ""); r.out && r.through != "" {
		w.add(rule(ruleLink), m.Offset, 0, finding.High, "member "+quote(m.Name)+" is written through the link "+quote(r.through),
			map[string]any{"member": m.Label(), "through": Label(r.through)})
	}
	switch m.Kind {
	case Symlink:
		w.checkSymlink(m)
	case Hardlink:
		r := w.links.resolve(slashed(m.Link), "")
		if escaped := escapes(m.Link); r.out || escaped == climbsOut || escaped == absolute || escaped == drive {
			w.addLink(m, "hardlink", finding.High)
		}
	}
}

func (w *walker) checkSymlink(m *Member) {
	mild := installed(m.Link)
	if len(w.links.links) < maxLinks {
		if w.links.links == nil {
			w.links.links = map[string]link{}
		}
		w.links.links[path.Clean(strings.TrimLeft(slashed(m.Name), "/"))] = link{target: m.Link, mild: mild}
	}
	r := w.links.resolve(path.Dir(slashed(m.Name)), m.Link)
	switch {
	case r.out && mild:
		w.addLink(m, "symlink", finding.Low)
	case r.out, escapes(m.Link) == drive:
		w.addLink(m, "symlink", finding.High)
	}
}

func (w *walker) addLink(m *Member, sort string, severity finding.Severity) {
	w.add(rule(ruleLink), m.Offset, 0, severity, sort+" "+quote(m.Name)+" leads out of the archive to "+quote(m.Link),
		map[string]any{"member": m.Label(), "target": Label(m.Link)})
}

// installed says whether an absolute target is a program or library of the
// system, as virtual environments and unpacked images link them.
func installed(target string) bool {
	if path.Clean(target) != target {
		return false
	}
	for _, p := range []string{"/usr/bin/", "/usr/lib/", "/usr/lib64/", "/usr/share/", "/usr/local/", "/bin/", "/lib/", "/lib64/", "/opt/"} {
		if strings.HasPrefix(target, p) {
			return true
		}
	}
	return false
}

func slashed(s string) string { return strings.ReplaceAll(s, `\`, "/") }

// resolve walks dir/rest component by component through the links, within a
// root that an extractor makes of the archive.
func (t *linkTable) resolve(dir, rest string) resolution {
	var r resolution
	if rest != "" && strings.HasPrefix(slashed(rest), "/") {
		return resolution{out: true}
	}
	if len(dir)+len(rest) > maxName {
		return resolution{}
	}
	at, hops := []string{}, 0
	todo := append(strings.Split(strings.TrimLeft(dir, "/"), "/"), strings.Split(slashed(rest), "/")...)
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				r.out = true
				return r
			}
			at = at[:len(at)-1]
			continue
		}
		at = append(at, part)
		if len(t.links) == 0 {
			continue
		}
		if t.steps += len(at); t.steps > maxSteps {
			return r
		}
		l, ok := t.links[strings.Join(at, "/")]
		if !ok {
			continue
		}
		r.through, r.mild = strings.Join(at, "/"), l.mild
		if hops++; hops > maxHops {
			return r // a loop: the system refuses it
		}
		target := slashed(l.target)
		if strings.HasPrefix(target, "/") {
			r.out = true
			return r
		}
		at = at[:len(at)-1]
		todo = append(strings.Split(target, "/"), todo...)
	}
	return r
}

// readLink reads the target of a member that is a symlink by its mode and has
// the target as content. Content that is no path makes it a file: loaders read
// it as one.
func (w *walker) readLink(m *Member) error {
	if m.Kind != Symlink {
		return nil
	}
	m.w = w
	p, err := m.Head(maxName + 1)
	if err != nil {
		return err
	}
	if len(p) == 0 || len(p) > maxName || strings.ContainsFunc(string(p), notInPaths) {
		m.Kind = File
		return nil
	}
	m.Link = string(p)
	return nil
}

// notInPaths says of a character that targets of symlinks do not have. It is
// narrow on purpose: text with others may be a program.
func notInPaths(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("/._-+@~ :\\", r):
		return false
	}
	return r < 0xa0 || isBidi(r)
}
