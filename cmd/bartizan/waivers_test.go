package main

import (
	"testing"
	"time"
)

func TestParseWaivers(t *testing.T) {
	const fp = "fingerprint: 0123456789abcdef0123456789abcdef\n  reason: r\n"
	for _, c := range []struct {
		name, text string
		want       int
		ok         bool
	}{
		{"empty", "", 0, true},
		{"only a comment", "# none yet\n", 0, true},
		{"a time", "- " + fp + "  expires: 2027-01-31T12:00:00Z\n", 1, true},
		{"a date", "- " + fp + "  expires: 2027-01-31\n", 1, true},
		{"no expiry", "- " + fp, 0, false},
		{"not a time", "- " + fp + "  expires: never\n", 0, false},
		{"a mapping", "waivers: []\n", 0, false},
		{"twice", "- " + fp + "  expires: 2027-01-31\n- " + fp + "  expires: 2027-01-31\n", 0, false},
		{"a key twice", "- " + fp + "  reason: s\n  expires: 2027-01-31\n", 0, false},
		{"a second document", "- " + fp + "  expires: 2027-01-31\n---\n[]\n", 0, false},
		{"broken", "- [", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := parseWaivers([]byte(c.text))
			if (err == nil) != c.ok || len(list) != c.want {
				t.Errorf("got %d waivers, %v", len(list), err)
			}
		})
	}
	list, err := parseWaivers([]byte("- " + fp + "  expires: 2027-01-31\n"))
	if err != nil || !list[0].Expires.Equal(time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("a date is its first moment in UTC: %v, %v", list, err)
	}
}

// What is accepted has a whole fingerprint, a reason and an expiry.
func FuzzWaivers(f *testing.F) {
	f.Add([]byte("- fingerprint: 0123456789abcdef0123456789abcdef\n  reason: r\n  expires: 2027-01-31\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseWaivers(b)
		if err != nil {
			return
		}
		for _, w := range list {
			if len(w.Fingerprint) != 32 || w.Reason == "" || w.Expires.IsZero() {
				t.Fatalf("accepted %+v", w)
			}
		}
	})
}
