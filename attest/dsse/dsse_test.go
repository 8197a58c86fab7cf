package dsse_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"bartizan/attest"
	"bartizan/attest/dsse"
	"bartizan/attest/keys"
)

// The vector of the protocol's own text.
func TestPAE(t *testing.T) {
	got := string(dsse.PAE("http://example.com/HelloWorld", []byte("hello world")))
	if want := "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; got != want {
		t.Errorf("%q", got)
	}
	// Lengths keep the border between type and payload where it is.
	if string(dsse.PAE("a", []byte("b c"))) == string(dsse.PAE("a 3 b", []byte("c"))) {
		t.Error("two payloads with one encoding")
	}
}

func TestRoundTrip(t *testing.T) {
	key, err := keys.Generate("P-384")
	if err != nil {
		t.Fatal(err)
	}
	e, err := dsse.Sign(context.Background(), key, "text/plain", []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := dsse.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Verify(key.Public()); err != nil {
		t.Error(err)
	}
	again.PayloadType = "text/html"
	if attest.CodeOf(again.Verify(key.Public())) != attest.DSSESigInvalid {
		t.Error("verifies with another type")
	}
}

func TestParse(t *testing.T) {
	const sig = `{"sig":"AAAA","keyid":""}`
	envelope := func(payload, typ, sigs string) string {
		return fmt.Sprintf(`{"payload":%s,"payloadType":%s,"signatures":[%s]}`, payload, typ, sigs)
	}
	for _, c := range []struct {
		name, text string
		code       attest.Code
	}{
		{"whole", envelope(`"aGk="`, `"t"`, sig), ""},
		{"no keyid", envelope(`"aGk="`, `"t"`, `{"sig":"AAAA"}`), ""},
		{"keyid null", envelope(`"aGk="`, `"t"`, `{"sig":"AAAA","keyid":null}`), ""},
		{"keyid a number", envelope(`"aGk="`, `"t"`, `{"sig":"AAAA","keyid":1}`), attest.BundleMalformed},
		{"empty payload", envelope(`""`, `"t"`, sig), ""},
		{"no signature", envelope(`"aGk="`, `"t"`, ``), attest.DSSESignatureCount},
		{"empty signature", envelope(`"aGk="`, `"t"`, `{"sig":""}`), attest.DSSESignatureCount},
		{"signature without sig", envelope(`"aGk="`, `"t"`, `{}`), attest.DSSESignatureCount},
		{"two signatures", envelope(`"aGk="`, `"t"`, sig+","+sig), attest.DSSESignatureCount},
		{"payload null", envelope(`null`, `"t"`, sig), attest.BundleMalformed},
		{"no padding", envelope(`"aGk"`, `"t"`, sig), attest.BundleMalformed},
		{"URL alphabet", envelope(`"_-8="`, `"t"`, sig), attest.BundleMalformed},
		{"a line break", envelope(`"aG\nk="`, `"t"`, sig), attest.BundleMalformed},
		{"a space", envelope(`" aGk="`, `"t"`, sig), attest.BundleMalformed},
		{"bits behind the end", envelope(`"aGl="`, `"t"`, sig), attest.BundleMalformed},
		{"a member of another case", envelope(`"aGk="`, `"t"`, sig+`],"Payload":["x"`), attest.BundleMalformed},
		{"payload twice", `{"payload":"aGk=",` + envelope(`"aGk="`, `"t"`, sig)[1:], attest.BundleMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := dsse.Parse([]byte(c.text)); attest.CodeOf(err) != c.code || (err == nil) != (c.code == "") {
				t.Errorf("%v, want %q", err, c.code)
			}
		})
	}
}

// What release 0.2 of model_signing signed by mistake is accepted where asked
// for, and nowhere else.
func TestLegacy(t *testing.T) {
	key, err := keys.Generate("P-384")
	if err != nil {
		t.Fatal(err)
	}
	for payload, repr := range map[string]string{
		`{"a":"b"}`:            `b'{"a":"b"}'`,
		"it's":                 `b"it's"`,
		"it's \"x\"":           `b'it\'s "x"'`,
		"\t\n\r\\\x00\x7f\xff": `b'\t\n\r\\\x00\x7f\xff'`,
	} {
		pae := fmt.Sprintf("DSSEV1 1 t %d %s", len(payload), repr)
		sig, err := key.Sign(context.Background(), []byte(pae))
		if err != nil {
			t.Fatal(err)
		}
		e := &dsse.Envelope{PayloadType: "t", Payload: []byte(payload), Sig: sig}
		if err := e.VerifyLegacy(key.Public()); err != nil {
			t.Errorf("%s: %v", repr, err)
		}
		if e.Verify(key.Public()) == nil {
			t.Errorf("%s: verifies as of today", repr)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"payload":"aGk=","payloadType":"t","signatures":[{"sig":"AAAA","keyid":""}]}`))
	f.Add([]byte(strings.Repeat("[", 50)))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := dsse.Parse(data)
		if err != nil {
			if attest.CodeOf(err) == "" {
				t.Fatalf("no code: %v", err)
			}
			return
		}
		again, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		twice, err := dsse.Parse(again)
		if err != nil || string(twice.Payload) != string(e.Payload) || string(twice.Sig) != string(e.Sig) {
			t.Fatalf("not the same when written and read: %v", err)
		}
	})
}
