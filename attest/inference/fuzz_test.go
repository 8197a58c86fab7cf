package inference

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"path/filepath"
	"testing"
	"time"

	"bartizan/attest/keys"
	"bartizan/attest/statement"
)

// canonicalForm is RFC 8785 by the library.
func canonicalForm(raw []byte) ([]byte, error) { return statement.Canonical(raw) }

// stable is a fixture that is the same in every process of a fuzzing run, so
// that what one of them found is a start for the others.
func stable(f *testing.F) (*fixture, []byte) {
	f.Helper()
	key := func(seed byte) *keys.Private {
		k, err := keys.NewPrivate(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
		if err != nil {
			f.Fatal(err)
		}
		return k
	}
	fix := &fixture{operator: key(1), replica: key(2), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	fix.cert = fix.certify(f, func(*Certificate) {})
	opt := fix.options(filepath.Join(f.TempDir(), "log"))
	opt.Now = func() time.Time { return fix.now }
	write(f, opt, 0, 6)
	return fix, read(f, opt.Path)
}

// FuzzLog: no log is accepted as whole but the one that was signed, and no
// reader fails in another way than by an error.
func FuzzLog(f *testing.F) {
	fix, log := stable(f)
	f.Add(log)
	f.Add(log[:len(log)/2])
	f.Add([]byte(header + "\n"))
	f.Add([]byte(header + "\n" + recordPrefix + "\n" + batchPrefix + "}\n" + certificatePrefix + "{}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		opt := fix.check()
		results, err := Check(context.Background(), []Source{{"log", bytes.NewReader(data)}}, opt)
		if err != nil {
			t.Fatal(err)
		}
		if results[0].Err == nil && !bytes.Equal(data, log) {
			t.Fatalf("accepted:\n%s", data)
		}
		opt.Live = true
		if _, err := Check(context.Background(), []Source{{"a", bytes.NewReader(data)}, {"b", bytes.NewReader(log)}}, opt); err != nil {
			t.Fatal(err)
		}
		_, _, _ = ReadHead(context.Background(), bytes.NewReader(data))
		_, _ = Prove(context.Background(), bytes.NewReader(data), 2)
	})
}

// FuzzRecord: what is read is written as the same bytes, and those are canonical.
func FuzzRecord(f *testing.F) {
	_, log := stable(f)
	for _, line := range bytes.Split(log, []byte("\n")) {
		if kindOf(line) == recordLine {
			f.Add(line)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRecord(data)
		if err != nil {
			return
		}
		again, err := r.Marshal()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%v\n%s\n%s", err, data, again)
		}
		if canonical, err := canonicalForm(data); err != nil || !bytes.Equal(canonical, data) {
			t.Fatalf("not canonical: %v\n%s", err, data)
		}
	})
}

// FuzzCertificate: nothing but the signed certificate is one.
func FuzzCertificate(f *testing.F) {
	fix, _ := stable(f)
	f.Add(fix.cert)
	f.Add([]byte(`{"payload":"","payloadType":"application/vnd.bartizan.replica-cert+json","signatures":[{"sig":"AA=="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ReadCertificate(data, fix.operator.Public()); err == nil && !bytes.Equal(bytes.TrimSuffix(data, []byte("\n")), fix.cert) {
			t.Fatalf("accepted: %s", data)
		}
	})
}

// FuzzProof: a proof that passes shows the record that was signed.
func FuzzProof(f *testing.F) {
	fix, log := stable(f)
	proof, err := Prove(context.Background(), bytes.NewReader(log), 2)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(proof)
	f.Add([]byte(`{"type":"bartizan.inference-proof/v1","record":{},"hashes":[],"batch":{},"certificate":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := CheckProof(data, CheckOptions{Operators: []*keys.Public{fix.operator.Public()}})
		if err != nil {
			return
		}
		record, err := p.Record.Marshal()
		if err != nil || !bytes.Contains(log, append(record, '\n')) {
			t.Fatalf("proven, and never signed: %v\n%s", err, data)
		}
	})
}

// FuzzRevocations: no list makes the reader fail in another way than by an error.
func FuzzRevocations(f *testing.F) {
	f.Add([]byte("# list\n" + SHA256(nil).String() + " 3:" + SHA256(nil).String() + "\n"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		list, _ := ParseRevocations(data)
		newRevocations(list)
		_, _ = ParseSalt(data)
		_, _ = ParseHead(string(data))
	})
}
