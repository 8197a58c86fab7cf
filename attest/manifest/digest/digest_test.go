package digest

import (
	"strings"
	"testing"
)

func TestOneTextForOneDigest(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 4)
	var h Hex
	var d SHA256
	if err := h.UnmarshalText([]byte(hex)); err != nil || h.String() != hex {
		t.Errorf("%v, %s", err, h)
	}
	if err := d.UnmarshalText([]byte("sha256:" + hex)); err != nil || d.String() != "sha256:"+hex || d.IsZero() {
		t.Errorf("%v, %s", err, d)
	}
	for _, bad := range []string{"", hex[1:], hex + "0", strings.ToUpper(hex), " " + hex[1:], strings.Repeat("g", 64)} {
		if err := h.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
		for _, prefix := range []string{"", "sha256:", "SHA256:", "sha512:"} {
			if err := d.UnmarshalText([]byte(prefix + bad)); err == nil {
				t.Errorf("%q was read", prefix+bad)
			}
		}
	}
	if err := d.UnmarshalText([]byte(hex)); err == nil {
		t.Error("a bare digest was read")
	}
}
