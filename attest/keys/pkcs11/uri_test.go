package pkcs11

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	u, err := ParseURI("pkcs11:token=My%20token;object=a+b%3Bc;id=%01%ff%00;type=private;slot-id=7?module-path=/usr/lib/x.so&pin-value=12%2634")
	if err != nil {
		t.Fatal(err)
	}
	if u.match["token"] != "My token" || u.match["object"] != "a+b;c" || string(u.id) != "\x01\xff\x00" || u.ModulePath != "/usr/lib/x.so" || u.pinValue != "12&34" {
		t.Errorf("%q %q %q %q", u.match, u.id, u.ModulePath, u.pinValue)
	}
	if got, want := u.String(), "pkcs11:slot-id=7;token=My%20token;object=a+b%3Bc;id=%01%FF%00"; got != want {
		t.Errorf("text %s, want %s", got, want)
	}
}

func TestPINIsNeverPrinted(t *testing.T) {
	u, err := ParseURI("pkcs11:object=k?module-path=/m.so&pin-value=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{u, struct{ U *URI }{u}} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
				t.Errorf("%s shows the PIN: %s", verb, text)
			}
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	const tail = "?module-path=/m.so"
	for name, c := range map[string]struct{ uri, want string }{
		"another scheme":       {"file:/k", "want one that begins"},
		"nothing":              {"pkcs11:", "no module-path"},
		"no module":            {"pkcs11:object=k", "no module-path"},
		"relative module":      {"pkcs11:object=k?module-path=libsofthsm2.so", "not absolute"},
		"module name":          {"pkcs11:object=k?module-name=softhsm2", "module-name"},
		"no key named":         {"pkcs11:token=t" + tail, "neither object nor id"},
		"empty object":         {"pkcs11:object=" + tail, "neither object nor id"},
		"empty id":             {"pkcs11:id=" + tail, "id is empty"},
		"public key":           {"pkcs11:object=k;type=public" + tail, "a private key signs"},
		"certificate":          {"pkcs11:object=k;type=cert" + tail, "a private key signs"},
		"twice":                {"pkcs11:object=k;object=l" + tail, "object stands twice"},
		"module twice":         {"pkcs11:object=k" + tail + "&module-path=/n.so", "module-path stands twice"},
		"unknown":              {"pkcs11:object=k;x-vendor=1" + tail, "unknown attribute x-vendor"},
		"unknown in the query": {"pkcs11:object=k" + tail + "&x=1", "unknown query attribute x"},
		"no =":                 {"pkcs11:object" + tail, "without ="},
		"bad escape":           {"pkcs11:object=%zz" + tail, "two hexadecimal digits"},
		"short escape":         {"pkcs11:id=%1" + tail, "two hexadecimal digits"},
		"no UTF-8":             {"pkcs11:object=%ff" + tail, "no UTF-8"},
		"NUL":                  {"pkcs11:object=k%00" + tail, "no UTF-8"},
		"two PINs":             {"pkcs11:object=k" + tail + "&pin-value=hunter2&pin-source=/p", "both pin-value"},
		"PIN twice":            {"pkcs11:object=k" + tail + "&pin-value=hunter2&pin-value=hunter2", "pin-value stands twice"},
		"PIN with bad escape":  {"pkcs11:object=k" + tail + "&pin-value=hunter2%", "two hexadecimal digits"},
		"too long":             {"pkcs11:object=" + strings.Repeat("k", maxURI), "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseURI(c.uri)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error about %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the PIN: %v", err)
			}
		})
	}
}

func TestPINSource(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("a pin", "hunter2\r\n")
	for name, c := range map[string]struct{ source, want string }{
		"path":           {strings.ReplaceAll(good, " ", "%20"), ""},
		"file URI":       {"file:" + strings.ReplaceAll(good, " ", "%2520"), ""},
		"file URI, host": {"file://localhost" + strings.ReplaceAll(good, " ", "%2520"), ""},
		"another host":   {"file://elsewhere/pin", "of this machine"},
		"relative":       {"pin", "neither an absolute path"},
		"a command":      {"%7Cecho%20hunter2", "neither an absolute path"},
		"missing":        {dir + "/missing", "no such file"},
		"folder":         {dir, "no regular file"},
		"empty":          {write("empty", "\n"), "is empty"},
		"long":           {write("long", strings.Repeat("x", maxPIN+1)), "no PIN is that long"},
		"two lines":      {write("two", "hunter2\nhunter3\n"), "more than one line"},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := ParseURI("pkcs11:object=k?module-path=/m.so&pin-source=" + c.source)
			if err != nil {
				t.Fatal(err)
			}
			pin, err := u.pin(context.Background(), "t", Options{})
			switch {
			case c.want == "" && (err != nil || pin != "hunter2"):
				t.Errorf("PIN %q, %v", pin, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter")):
				t.Errorf("%v, want an error about %q without the PIN", err, c.want)
			}
		})
	}
}

func TestCheckModule(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.so")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := checkModule(path, []string{path}); err != nil || got == "" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := checkModule(path, []string{"/usr/lib/other.so"}); err == nil || !strings.Contains(err.Error(), "not among") {
		t.Errorf("not on the list: %v", err)
	}
	if _, err := checkModule(dir, nil); err == nil {
		t.Error("a folder passes")
	}
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(open, "m.so")
	if err := os.WriteFile(inside, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "l.so")
	if err := os.Symlink(inside, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{inside, link} {
		if _, err := checkModule(path, nil); err == nil || !strings.Contains(err.Error(), "other users can change") {
			t.Errorf("a folder open to all: %v", err)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	f.Add("pkcs11:token=t;object=k;id=%01;type=private?module-path=/m.so&pin-value=1234")
	f.Add("pkcs11:slot-id=1;library-version=2.6;serial=x?module-path=/m.so&pin-source=file:/p")
	f.Add("pkcs11:?&;=%")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURI(text)
		if err != nil {
			return
		}
		again, err := ParseURI(u.String() + "?module-path=/m.so")
		if err != nil {
			t.Fatalf("%q reads, its text %q does not: %v", text, u.String(), err)
		}
		if again.String() != u.String() {
			t.Fatalf("%q and %q", again, u)
		}
	})
}
