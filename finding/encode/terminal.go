package encode

import (
	"strings"

	"bartizan/finding"
)

// Escape sequences of the table: bold, dim, and the four colours every terminal has.
const (
	bold   = "1"
	dim    = "2"
	red    = "1;31"
	green  = "32"
	yellow = "33"
)

func verdictStyle(v finding.Verdict) string {
	switch v {
	case finding.Block:
		return red
	case finding.Review:
		return yellow
	}
	return green
}

func severityStyle(s finding.Severity) string {
	switch {
	case s >= finding.High:
		return red
	case s == finding.Medium:
		return yellow
	}
	return dim
}

func (t *table) paint(style, text string) string {
	if !t.color || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

func (t *table) paintIf(cond bool, style, text string) string {
	if !cond {
		return text
	}
	return t.paint(style, text)
}

// paragraph writes text behind head, from the column at on; on a terminal lines
// are broken between words and continue below the text. plain is head without colours.
func (t *table) paragraph(at int, head, plain, text string) {
	t.buf.WriteString(strings.Repeat(" ", at))
	t.buf.WriteString(head)
	column := at + columns(plain)
	hang := min(column, nested)
	first := true
	for word := range strings.SplitSeq(text, " ") {
		n := columns(word)
		switch {
		case first:
		case t.width > 0 && column+1+n > t.width && column > hang:
			t.buf.WriteString("\n" + strings.Repeat(" ", hang))
			column = hang
		default:
			t.buf.WriteByte(' ')
			column++
		}
		t.buf.WriteString(word)
		column += n
		first = false
	}
	t.buf.WriteByte('\n')
}

// columns is how many cells a terminal uses for s, escape sequences apart.
func columns(s string) int {
	n, sequence := 0, false
	for _, r := range s {
		switch {
		case sequence:
			sequence = r != 'm'
		case r == 0x1b:
			sequence = true
		case isWide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// isWide follows the wide and fullwidth blocks of Unicode's EastAsianWidth.txt,
// by block: enough to break lines.
func isWide(r rune) bool {
	return r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
		r >= 0xffe0 && r <= 0xffe6 || r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd)
}
