package inference

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bartizan/attest"
)

func codesOf(t *testing.T, opt CheckOptions, logs ...[]byte) (out []attest.Code) {
	t.Helper()
	for _, r := range verdict(t, opt, logs...) {
		code := attest.CodeOf(r.Err)
		if r.Err != nil && code == "" {
			t.Fatal(r.Err)
		}
		out = append(out, code)
	}
	return out
}

func wantCodes(t *testing.T, name string, got []attest.Code, want ...attest.Code) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

// A log without a batch is not made good by another log of its replica.
func TestLogWithoutBatch(t *testing.T) {
	f := newFixture(t)
	good := f.logOf(t, 6)
	forged := f.forger(t, f.cert)
	for range 3 {
		forged.record(f.now)
	}
	bare := f.forger(t, f.cert)
	for name, log := range map[string][]byte{"forged records": forged.log, "only a certificate": bare.log, "only a header": []byte(header + "\n")} {
		wantCodes(t, name, codesOf(t, f.check(), good, log), "", attest.InferenceTruncated)
		wantCodes(t, name+", first", codesOf(t, f.check(), log, good), attest.InferenceTruncated, "")
		headed := f.check()
		headed.Heads = []ExpectedHead{{Replica: "r1", Head: verdict(t, f.check(), good)[0].Head}}
		wantCodes(t, name+", with a head", codesOf(t, headed, good, log), "", attest.InferenceTruncated)
		live := f.check()
		live.Live = true
		wantCodes(t, name+", live", codesOf(t, live, good, log), "", "")
	}
}

// Unsigned records behind the last batch of a log that another continues are counted.
func TestUnsignedTail(t *testing.T) {
	f := newFixture(t)
	first := f.forger(t, f.cert).record(f.now).batch(f.now)
	second := f.forger(t, f.cert)
	second.head = first.head
	second.record(f.now).batch(f.now).batch(f.now)
	first.record(f.now)
	results := verdict(t, f.check(), first.log, second.log)
	if results[0].Err != nil || results[1].Err != nil || results[0].Unsigned != 1 || results[0].Records != 1 {
		t.Errorf("%+v", results)
	}
}

// An expected head that no chain has is never passed over.
func TestHeadOfNoChain(t *testing.T) {
	f := newFixture(t)
	good := f.logOf(t, 6)
	end := verdict(t, f.check(), good)[0].Head
	lost := Head{Sequence: 99, Digest: SHA256([]byte("x"))}
	bare, only := []byte(header+"\n"), f.forger(t, f.cert).log
	for _, c := range []struct {
		name    string
		replica string
		head    Head
		logs    [][]byte
		want    []attest.Code
	}{
		{"only a header", "", lost, [][]byte{bare}, []attest.Code{attest.InferenceTruncated}},
		{"only a header, named", "r1", lost, [][]byte{bare}, []attest.Code{attest.InferenceTruncated}},
		{"only a certificate", "", lost, [][]byte{only}, []attest.Code{attest.InferenceTruncated}},
		{"beside a whole log", "", lost, [][]byte{good, bare}, []attest.Code{attest.InferenceTruncated, ""}},
		{"beside a whole log, named", "r1", lost, [][]byte{good, bare}, []attest.Code{attest.InferenceTruncated, ""}},
		{"of a third", "r2", lost, [][]byte{good, bare}, []attest.Code{"", attest.InferenceTruncated}},
		{"there", "", end, [][]byte{good, bare}, []attest.Code{"", ""}},
		{"beside what is no log", "", lost, [][]byte{good, []byte("x\n")}, []attest.Code{attest.InferenceTruncated, attest.InferenceMalformed}},
	} {
		opt := f.check()
		opt.Live = true
		opt.Heads = []ExpectedHead{{Replica: c.replica, Head: c.head}}
		wantCodes(t, c.name, codesOf(t, opt, c.logs...), c.want...)
	}
}

// The head that a log continues must be continued, by one replica, and stands for
// no other.
func TestAfter(t *testing.T) {
	f := newFixture(t)
	a := f.forger(t, f.cert).record(f.now).batch(f.now)
	head := a.head
	b := f.forger(t, f.cert)
	b.head = head
	b.record(f.now).batch(f.now)
	open := bytes.Clone(b.log)
	b.batch(f.now)
	other := *f
	other.replica = generate(t, "Ed25519")
	cert2 := other.certify(t, func(c *Certificate) { c.Replica = "r2" })
	r2 := other.forger(t, cert2).record(f.now).batch(f.now).batch(f.now)
	thief := other.forger(t, cert2) // claims to go on where r1 was
	thief.head = head
	thief.record(f.now).batch(f.now).batch(f.now)

	with := func(change func(*CheckOptions)) CheckOptions {
		opt := f.check()
		opt.After = &Head{Sequence: head.Sequence, Digest: head.Digest}
		if change != nil {
			change(&opt)
		}
		return opt
	}
	expect := func(replica string, h Head) func(*CheckOptions) {
		return func(o *CheckOptions) { o.Heads = append(o.Heads, ExpectedHead{Replica: replica, Head: h}) }
	}
	whole := a.batch(f.now).log // another history than b's: it has its own batch 2
	fork, gap, cut := attest.InferenceFork, attest.InferenceGap, attest.InferenceTruncated
	wantCodes(t, "continued", codesOf(t, with(nil), b.log), "")
	wantCodes(t, "with its own head", codesOf(t, with(expect("r1", head)), b.log), "")
	wantCodes(t, "its own head is no end marker", codesOf(t, with(expect("r1", head)), open), cut)
	wantCodes(t, "begins at 1", codesOf(t, with(nil), whole), fork)
	wantCodes(t, "begins at 1, and equals the head", codesOf(t, with(expect("", head)), r2.log), fork)
	wantCodes(t, "no batch", codesOf(t, with(func(o *CheckOptions) { o.Live = true }), f.forger(t, f.cert).log), fork)
	wantCodes(t, "beside another replica", codesOf(t, with(nil), b.log, r2.log), "", "")
	wantCodes(t, "beside another replica, whose head it is not", codesOf(t, with(expect("r2", head)), b.log, r2.log), "", fork)
	wantCodes(t, "another head", codesOf(t, with(func(o *CheckOptions) { o.After.Digest = SHA256(nil) }), b.log), gap)
	wantCodes(t, "another number", codesOf(t, with(func(o *CheckOptions) { o.After.Number = 7 }), b.log), attest.InferenceReplay)
	if got := codesOf(t, with(nil), b.log, thief.log); !slices.Contains(got, fork) {
		t.Errorf("a head of one replica was continued by two: %q", got)
	}
	opt := with(expect("r1", head))
	if _, err := Check(context.Background(), []Source{{"l", bytes.NewReader(r2.log)}}, opt); err == nil {
		t.Error("the head of a replica that is not there was taken")
	}
}

func TestRevokedByAllEntries(t *testing.T) {
	f := newFixture(t)
	g := f.forger(t, f.cert).record(f.now).batch(f.now)
	early := g.head
	g.record(f.now).batch(f.now).batch(f.now)
	key, cert := f.replica.Public(), g.cert.Digest().String()
	of := SHA256(key.PEM()).String()
	late, lost := g.head.String(), "2:"+SHA256(nil).String()
	for list, want := range map[string]attest.Code{
		of + " " + late:                                      "",
		of + " " + late + "\n" + of:                          attest.InferenceRevoked,
		of + "\n" + of + " " + late:                          attest.InferenceRevoked,
		of + " " + late + "\n" + of + " " + early.String():   attest.InferenceRevoked,
		of + " " + early.String() + "\n" + of + " " + late:   attest.InferenceRevoked,
		of + " " + late + "\n" + cert + " " + late:           "",
		of + " " + late + "\n" + cert + " " + lost:           attest.InferenceRevoked,
		cert + " " + early.String() + "\n" + of + " " + late: attest.InferenceRevoked,
		of + " " + late + "\n" + of + " " + late + "\n#":     "",
	} {
		opt := f.check()
		var err error
		if opt.Revoked, err = ParseRevocations([]byte(list)); err != nil {
			t.Fatal(err)
		}
		wantCodes(t, list, codesOf(t, opt, g.log), want)
	}
}

func TestUnmatchedRevocations(t *testing.T) {
	f := newFixture(t)
	log := f.logOf(t, 2)
	stranger, own := SHA256([]byte("x")), SHA256(f.replica.Public().PEM())
	opt := f.check()
	opt.Revoked = []Revocation{{Digest: stranger}, {Digest: own}, {Digest: stranger}}
	var told []Digest
	opt.Unmatched = func(r Revocation) { told = append(told, r.Digest) }
	wantCodes(t, "revoked", codesOf(t, opt, log), attest.InferenceRevoked)
	if !slices.Equal(told, []Digest{stranger}) {
		t.Error(told)
	}
	_, err := ParseRevocations([]byte("# one\n#" + strings.Repeat("#", 1<<17) + "\n"))
	if err == nil || !strings.Contains(err.Error(), "line 2: ") {
		t.Error(err)
	}
}

func TestTimeRunsBackwards(t *testing.T) {
	f := newFixture(t)
	at := func(seconds int) time.Time { return f.now.Add(time.Duration(seconds) * time.Second) }
	for name, log := range map[string][]byte{
		"records":                       f.forger(t, f.cert).record(at(9)).record(at(8)).batch(at(10)).batch(at(10)).log,
		"records of two batches":        f.forger(t, f.cert).record(at(9)).batch(at(10)).record(at(8)).batch(at(10)).batch(at(10)).log,
		"batch before its record":       f.forger(t, f.cert).record(at(9)).batch(at(8)).batch(at(10)).log,
		"batch before the batch before": f.forger(t, f.cert).record(at(1)).batch(at(9)).record(at(2)).batch(at(8)).batch(at(10)).log,
		"end marker":                    f.forger(t, f.cert).record(at(1)).batch(at(9)).batch(at(8)).log,
	} {
		wantCodes(t, name, codesOf(t, f.check(), log), attest.InferenceMalformed)
	}
	// A record may have waited while the batch before it was signed.
	wantCodes(t, "waited", codesOf(t, f.check(), f.forger(t, f.cert).record(at(1)).batch(at(5)).record(at(3)).batch(at(5)).batch(at(5)).log), "")
	proof, err := Prove(context.Background(), bytes.NewReader(f.forger(t, f.cert).record(at(3)).batch(at(5)).log), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CheckProof(proof, f.check()); err != nil {
		t.Error(err)
	}
}

// Certificates count where something was signed under them, each once.
func TestCertificatesInUse(t *testing.T) {
	f := newFixture(t)
	cert2 := f.certify(t, func(c *Certificate) { c.Model = SHA256([]byte("model 2")) })
	doubled := f.forger(t, f.cert)
	doubled.certificate(cert2)
	wantCodes(t, "directly behind another", codesOf(t, f.check(), doubled.record(f.now).batch(f.now).log), attest.InferenceMalformed)

	again := f.forger(t, f.cert).record(f.now).batch(f.now)
	again.certificate(f.cert)
	wantCodes(t, "in force already", codesOf(t, f.check(), again.record(f.now).batch(f.now).log), attest.InferenceMalformed)

	g := f.forger(t, f.cert).record(f.now).batch(f.now)
	first := g.cert
	second, _, err := parseCertificate(cert2)
	if err != nil {
		t.Fatal(err)
	}
	for _, cert := range []*Certificate{second, first, second, first} {
		g.certificate(cert.envelope)
		g.cert = cert
		g.record(f.now).batch(f.now)
	}
	g.certificate(cert2) // and nothing under it
	opt := f.check()
	opt.Live = true
	r := verdict(t, opt, g.log)[0]
	if r.Err != nil || len(r.Certificates) != 2 || r.Certificates[1].Digest() != second.Digest() || r.Certificate.Digest() != first.Digest() {
		t.Errorf("%+v", r)
	}
}

// No change to one of two logs that make up a history passes, but for what stands
// unsigned behind a batch, which is counted.
func TestTwoLogsProperty(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	middle := write(t, f.options(a), 0, 9)
	continued := f.options(b)
	continued.After = &middle
	head := write(t, continued, 9, 21)
	logs := [2][]byte{read(t, a), read(t, b)}
	other := split(logs[0])
	opt := f.check()
	opt.Heads = []ExpectedHead{{Replica: "r1", Head: head}}
	wantCodes(t, "unchanged", codesOf(t, opt, logs[0], logs[1]), "", "")
	rapid.Check(t, func(t *rapid.T) {
		changed := logs
		i := rapid.IntRange(0, 1).Draw(t, "log")
		for n := rapid.IntRange(1, 3).Draw(t, "changes"); n > 0; n-- {
			changed[i] = change(t, changed[i], other)
		}
		if bytes.Equal(changed[i], logs[i]) {
			return
		}
		opt.Live = rapid.Bool().Draw(t, "live")
		results, err := Check(context.Background(), []Source{{"a", bytes.NewReader(changed[0])}, {"b", bytes.NewReader(changed[1])}}, opt)
		if err != nil || results[0].Err != nil || results[1].Err != nil {
			return
		}
		r := results[i]
		if results[0].Records != 9 || results[1].Records != 12 {
			t.Fatalf("records are missing: %+v", results)
		}
		// Only an end marker can be gone, and only what nobody signed be there.
		if end := i == 0 && r.Batches == 3; !end && !r.Torn && r.Unsigned == 0 && r.Sealed {
			t.Fatalf("accepted: %+v\n%s", r, changed[i])
		}
	})
}
