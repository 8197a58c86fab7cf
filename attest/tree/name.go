package tree

import (
	"strings"
	"unicode/utf8"

	"bartizan/attest"
)

// Limits of names and of trees. They are checked before anything is opened.
const (
	MaxName      = 1024      // bytes in a whole name
	MaxComponent = 255       // bytes between two slashes, as file systems have it
	MaxDepth     = 256       // components
	MaxFiles     = 1_000_000 // files, or names in a list; folders alike
	maxRefusals  = 100       // refusals that one error carries
)

// CheckName refuses whatever is not a clean relative path with forward slashes
// that means the same file everywhere: absolute names and those with a ".."
// component as OMS_NAME_ESCAPES_ROOT; as OMS_NAME_INVALID empty names and
// components, ".", backslashes, control characters (NUL, line ends, terminal
// escapes, C1), invalid UTF-8, and what passes MaxName, MaxComponent or MaxDepth.
// It looks at the text alone; no file is touched.
func CheckName(name string) error {
	refuse := func(code attest.Code, why string) error {
		return attest.Refuse(code, Show(name), "%s", why)
	}
	switch {
	case name == "":
		return refuse(attest.OMSNameInvalid, "the name is empty")
	case len(name) > MaxName:
		return attest.Refuse(attest.OMSNameInvalid, Show(name), "a name has at most %d bytes, this one has %d", MaxName, len(name))
	case name[0] == '/':
		return refuse(attest.OMSNameEscapesRoot, "absolute names are not taken")
	}
	depth := 0
	for rest, more := name, true; more; depth++ {
		var part string
		part, rest, more = strings.Cut(rest, "/")
		switch {
		case part == "..":
			return refuse(attest.OMSNameEscapesRoot, `".." leaves the root`)
		case part == "":
			return refuse(attest.OMSNameInvalid, "a component is empty")
		case part == ".":
			return refuse(attest.OMSNameInvalid, `"." is no component`)
		case len(part) > MaxComponent:
			return attest.Refuse(attest.OMSNameInvalid, Show(name), "a component has at most %d bytes, this one has %d", MaxComponent, len(part))
		}
	}
	if depth > MaxDepth {
		return attest.Refuse(attest.OMSNameInvalid, Show(name), "at most %d components, this name has %d", MaxDepth, depth)
	}
	if why := badText(name); why != "" {
		return refuse(attest.OMSNameInvalid, why)
	}
	return nil
}

// badText says which characters no name may hold, or "".
func badText(name string) string {
	ascii := true
	for i := range len(name) {
		switch c := name[i]; {
		case c == '\\':
			return "a backslash separates folders elsewhere"
		case c < 0x20 || c == 0x7f:
			return "control characters are not taken"
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if ascii {
		return ""
	}
	if !utf8.ValidString(name) {
		return "not valid UTF-8"
	}
	for _, r := range name {
		if r >= 0x80 && r < 0xa0 {
			return "control characters are not taken"
		}
	}
	return ""
}

// Show gives a name as messages may print it: cut to 200 bytes, with escapes
// for what a terminal would act on.
func Show(name string) string {
	const most = 200
	cut := name
	if len(cut) > most {
		cut = cut[:most]
		for len(cut) > 0 && !utf8.RuneStart(name[len(cut)]) {
			cut = cut[:len(cut)-1]
		}
		cut += "…"
	}
	if badText(cut) != "" {
		return quote(cut)
	}
	return cut
}

// CheckNames is CheckName on each, then on all together: the same name twice is
// OMS_NAME_DUPLICATE; OMS_NAME_COLLISION are names that a file system without
// case or with normalisation takes for one (equal after Unicode case folding
// and NFC), and a name that is also a folder of another. At most 100 refusals
// come back, joined; more than MaxFiles names are OMS_LIMIT.
func CheckNames(names []string) error {
	if len(names) > MaxFiles {
		return attest.Refuse(attest.OMSLimit, "", "at most %d names, here are %d", MaxFiles, len(names))
	}
	var found refusals
	for _, name := range names {
		if err := CheckName(name); err != nil && !found.add(err) {
			return found.err()
		}
	}
	if len(found) > 0 {
		return found.err()
	}
	checkTogether(names, &found)
	return found.err()
}
