package inference

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	json "github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"bartizan/attest"
	"bartizan/attest/keys"
)

func TestProofs(t *testing.T) {
	f := newFixture(t)
	log := f.logOf(t, 11)
	for n := int64(1); n <= 11; n++ {
		data, err := Prove(context.Background(), bytes.NewReader(log), n)
		if err != nil {
			t.Fatal(err)
		}
		p, err := CheckProof(data, f.check())
		if err != nil {
			t.Fatal(err)
		}
		if p.Record.Sequence != n || p.Record.ID != answerRecord(int(n-1)).ID || p.Certificate.Replica != "r1" {
			t.Errorf("%+v", p.Record)
		}
	}
	for _, n := range []int64{-1, 0, 12} {
		if _, err := Prove(context.Background(), bytes.NewReader(log), n); err == nil || attest.CodeOf(err) != "" {
			t.Errorf("record %d: %v", n, err)
		}
	}
	edited := bytes.Replace(log, []byte("id-1"), []byte("id-x"), 1)
	if _, err := Prove(context.Background(), bytes.NewReader(edited), 2); attest.CodeOf(err) != attest.InferenceRoot {
		t.Error(err)
	}
}

func TestProofRefused(t *testing.T) {
	f := newFixture(t)
	log := f.logOf(t, 11)
	prove := func(n int64) []byte {
		data, err := Prove(context.Background(), bytes.NewReader(log), n)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	proof, neighbour, far := prove(3), prove(4), prove(7)
	var w, near, away proofWire
	for data, to := range map[*proofWire][]byte{&w: proof, &near: neighbour, &away: far} {
		if err := json.Unmarshal(to, data); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		change func(*proofWire)
		want   attest.Code
	}{
		{"another record", func(p *proofWire) { p.Record = near.Record }, attest.InferenceRoot},
		{"another batch", func(p *proofWire) { p.Batch = away.Batch }, attest.InferenceRoot},
		{"other hashes", func(p *proofWire) { p.Hashes = near.Hashes }, attest.InferenceRoot},
		{"a hash less", func(p *proofWire) { p.Hashes = p.Hashes[1:] }, attest.InferenceRoot},
		{"a hash more", func(p *proofWire) { p.Hashes = append(slices.Clone(p.Hashes), p.Hashes[0]) }, attest.InferenceRoot},
		{"swapped hashes", func(p *proofWire) { p.Hashes = []string{p.Hashes[1], p.Hashes[0]} }, attest.InferenceRoot},
		{"capital hash", func(p *proofWire) { p.Hashes = []string{strings.ToUpper(p.Hashes[0]), p.Hashes[1]} }, attest.InferenceMalformed},
		{"no hex", func(p *proofWire) { p.Hashes = []string{"x", p.Hashes[1]} }, attest.InferenceMalformed},
		{"many hashes", func(p *proofWire) { p.Hashes = make([]string, 65) }, attest.InferenceMalformed},
		{"another type", func(p *proofWire) { p.Type = "x" }, attest.InferenceMalformed},
		{"no certificate", func(p *proofWire) { p.Certificate = nil }, attest.InferenceMalformed},
		{"edited", func(p *proofWire) { p.Record = bytes.Replace(p.Record, []byte("id-2"), []byte("id-9"), 1) }, attest.InferenceRoot},
	} {
		changed := w
		c.change(&changed)
		data, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := CheckProof(data, f.check()); attest.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	cert, err := ReadCertificate(f.cert, f.operator.Public())
	if err != nil {
		t.Fatal(err)
	}
	p, err := CheckProof(proof, f.check())
	if err != nil {
		t.Fatal(err)
	}
	head := p.Batch.Head()
	for _, c := range []struct {
		name   string
		change func(*CheckOptions)
		want   attest.Code
	}{
		{"another operator", func(o *CheckOptions) { o.Operators = []*keys.Public{generate(t, "P-521").Public()} }, attest.InferenceCert},
		{"another model", func(o *CheckOptions) { o.Model = SHA256(nil) }, attest.InferenceModel},
		{"another configuration", func(o *CheckOptions) { o.Configuration = SHA256(nil) }, attest.InferenceModel},
		{"revoked", func(o *CheckOptions) { o.Revoked = []Revocation{{Digest: cert.Digest()}} }, attest.InferenceRevoked},
		{"revoked behind it", func(o *CheckOptions) { o.Revoked = []Revocation{{Digest: cert.Digest(), Until: &head}} }, ""},
		{"revoked somewhere", func(o *CheckOptions) {
			o.Revoked = []Revocation{{cert.KeyDigest(), &Head{Sequence: 9, Digest: SHA256(nil)}}}
		}, attest.InferenceRevoked},
	} {
		opt := f.check()
		c.change(&opt)
		if _, err := CheckProof(proof, opt); attest.CodeOf(err) != c.want || err != nil && c.want == "" {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := CheckProof(proof, CheckOptions{}); err == nil {
		t.Error("without an operator the proof was right")
	}
}

func TestCertificates(t *testing.T) {
	f := newFixture(t)
	for _, kind := range keys.Curves() {
		f.operator = generate(t, kind)
		raw := f.certify(t, func(*Certificate) {})
		c, err := ReadCertificate(append(raw, '\n'), f.operator.Public())
		if err != nil {
			t.Fatal(kind, err)
		}
		if c.Replica != "r1" || c.Assurance != Witnessed || !c.Key.Equal(f.replica.Public()) || c.NotAfter.Sub(c.NotBefore) != 2*time.Hour {
			t.Errorf("%+v", c)
		}
	}
	raw := f.certify(t, func(*Certificate) {})
	if _, err := ReadCertificate(raw); attest.CodeOf(err) != attest.InferenceCert {
		t.Error("believed without an operator:", err)
	}
	// An operator's own key cannot be a replica's, so that no key certifies itself.
	self := Certificate{Replica: "r1", Key: f.operator.Public(), Model: SHA256(nil), Configuration: SHA256(nil), NotBefore: f.now, NotAfter: f.now.Add(1e9), Assurance: Witnessed}
	if _, err := Certify(context.Background(), f.operator, self); err == nil {
		t.Error("a key certified itself")
	}
	for name, change := range map[string]func(*Certificate){
		"replica":   func(c *Certificate) { c.Replica = "a b" },
		"no key":    func(c *Certificate) { c.Key = nil },
		"kind":      func(c *Certificate) { c.Key = generate(t, "P-256").Public() },
		"model":     func(c *Certificate) { c.Model = Digest{} },
		"time":      func(c *Certificate) { c.NotAfter = c.NotBefore },
		"assurance": func(c *Certificate) { c.Assurance = "total" },
	} {
		c := Certificate{
			Replica: "r1", Key: f.replica.Public(), Model: SHA256(nil), Configuration: SHA256(nil),
			NotBefore: f.now, NotAfter: f.now.Add(time.Hour), Assurance: Witnessed,
		}
		change(&c)
		if _, err := Certify(context.Background(), f.operator, c); err == nil {
			t.Errorf("%s: certified", name)
		}
	}
}

// The tree is that of RFC 6962: the library that verifies it agrees.
func TestMerkle(t *testing.T) {
	m := newMerkle()
	for size := 1; size <= 70; size++ {
		leaves := make([]node, size)
		for i := range leaves {
			leaves[i] = m.leaf([]byte{byte(i)})
		}
		root := m.root(slices.Clone(leaves))
		for i := range leaves {
			if !included(i, size, leaves[i], m.path(slices.Clone(leaves), i), root) {
				t.Fatalf("leaf %d of %d is not proven", i, size)
			}
		}
	}
	// Certificate Transparency's own vectors: empty, and the first two leaves.
	if got := m.root(nil); hex.EncodeToString(got[:]) != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("%x", got)
	}
	if got := m.root([]node{m.leaf(nil), m.leaf([]byte{0})}); hex.EncodeToString(got[:]) != "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" {
		t.Errorf("%x", got)
	}
}

func TestSalts(t *testing.T) {
	a, err := NewSalt()
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewSalt()
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("Ada, 12 May 1980")
	if a.Digest(content) == b.Digest(content) || !a.Digest(content).Salted() {
		t.Error("two salts give one digest")
	}
	again, err := ParseSalt(a.Line())
	if err != nil || again.Digest(content) != a.Digest(content) || again.ID() != a.ID() {
		t.Error(err)
	}
	// RFC 4231, test case 1, with the key filled up by zeros, which HMAC does itself.
	known := Salt{id: "x"}
	copy(known.key[:], bytes.Repeat([]byte{0x0b}, 20))
	if got := known.Digest([]byte("Hi There")).String(); got != "hmac-sha256:b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" {
		t.Error(got)
	}
	for _, bad := range []string{"", "{}", `{"salt":"x","key":"00"}`, `{"salt":"x","key":"zz"}`, `{"salt":"","key":"` + strings.Repeat("0", 64) + `"}`, `{"salt":"x","key":"` + strings.Repeat("0", 66) + `"}`} {
		if _, err := ParseSalt([]byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// What is written is read as the same record, and is canonical JSON.
func TestRecordProperty(t *testing.T) {
	digest := rapid.Custom(func(t *rapid.T) Digest { return SHA256([]byte(rapid.String().Draw(t, "content"))) })
	name := rapid.StringMatching(`[A-Za-z0-9._:@/+-]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		r := Record{
			Sequence: rapid.Int64Range(1, MaxSequence).Draw(t, "sequence"),
			Time:     time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "time")).UTC(),
			Request:  digest.Draw(t, "request"), Response: digest.Draw(t, "response"), Model: digest.Draw(t, "model"), Configuration: digest.Draw(t, "configuration"),
			Assurance: rapid.SampledFrom([]Assurance{SelfAttested, Witnessed, Hardware}).Draw(t, "assurance"),
		}
		if rapid.Bool().Draw(t, "more") {
			r.ID, r.Parameters, r.Salt = name.Draw(t, "id"), digest.Draw(t, "parameters"), name.Draw(t, "salt")
			r.Response.kind = saltedDigest
			r.Guards = []Guard{{name.Draw(t, "guard"), "clean"}, {name.Draw(t, "guard"), "block"}}
		}
		line, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseRecord(line)
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := again.Marshal(); !bytes.Equal(second, line) {
			t.Fatalf("%s\n%s", line, second)
		}
		canonical, err := canonicalForm(line)
		if err != nil || !bytes.Equal(canonical, line) {
			t.Fatalf("%v\n%s\n%s", err, line, canonical)
		}
	})
}
