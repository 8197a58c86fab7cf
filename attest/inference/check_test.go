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
	"bartizan/attest/keys"
)

func TestCheckWhole(t *testing.T) {
	f := newFixture(t)
	log := f.logOf(t, 10)
	r := verdict(t, f.check(), log)[0]
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	if r.Records != 10 || r.Batches != 4 || r.First != 1 || r.Last != 10 || !r.Sealed || r.Assurance != Witnessed || r.Replica != "r1" || len(r.Certificates) != 1 {
		t.Errorf("%+v", r)
	}
	// header, certificate, 4+1, 4+1, 2+1, end
	if n := len(split(log)); n != 16 {
		t.Errorf("%d lines:\n%s", n, log)
	}
}

// Every kind of change, and what it is called. Lines: 0 header, 1 certificate,
// 2-5 records 1-4, 6 batch 1, 7-10 records 5-8, 11 batch 2, 12-13 records 9-10,
// 14 batch 3, 15 end.
func TestCheckChanged(t *testing.T) {
	f := newFixture(t)
	log := split(f.logOf(t, 10))
	other := newFixture(t)
	stranger := split(other.logOf(t, 10))
	for _, c := range []struct {
		name   string
		change func(l []string) []string
		want   attest.Code
	}{
		{"record dropped", func(l []string) []string { return slices.Delete(l, 3, 4) }, attest.InferenceGap},
		{"first record dropped", func(l []string) []string { return slices.Delete(l, 2, 3) }, attest.InferenceGap},
		{"last record of a batch dropped", func(l []string) []string { return slices.Delete(l, 5, 6) }, attest.InferenceGap},
		{"record doubled", func(l []string) []string { return slices.Insert(l, 3, l[2]) }, attest.InferenceReplay},
		{"record again later", func(l []string) []string { return slices.Insert(l, 8, l[2]) }, attest.InferenceReplay},
		{"records swapped", func(l []string) []string { l[3], l[4] = l[4], l[3]; return l }, attest.InferenceGap},
		{"record edited", func(l []string) []string { l[3] = strings.Replace(l[3], "id-1", "id-x", 1); return l }, attest.InferenceRoot},
		{"record added at the end of a batch", func(l []string) []string {
			return slices.Insert(l, 6, strings.Replace(l[5], `"sequence":4`, `"sequence":5`, 1))
		}, attest.InferenceRoot},
		{"batch dropped", func(l []string) []string { return slices.Delete(l, 7, 12) }, attest.InferenceGap},
		{"first batch dropped", func(l []string) []string { return slices.Delete(l, 2, 7) }, attest.InferenceGap},
		{"batch doubled", func(l []string) []string { return slices.Insert(l, 7, l[2:7]...) }, attest.InferenceReplay},
		{"signature of a batch doubled", func(l []string) []string { return slices.Insert(l, 7, l[6]) }, attest.InferenceReplay},
		{"signature of a batch dropped", func(l []string) []string { return slices.Delete(l, 6, 7) }, attest.InferenceGap},
		{"batches swapped", func(l []string) []string {
			return slices.Concat(l[:2], l[7:12], l[2:7], l[12:])
		}, attest.InferenceGap},
		{"end dropped", func(l []string) []string { return l[:15] }, attest.InferenceTruncated},
		{"cut within a batch", func(l []string) []string { return l[:13] }, attest.InferenceTruncated},
		{"only a head", func(l []string) []string { return l[:2] }, attest.InferenceTruncated},
		{"only a header", func(l []string) []string { return l[:1] }, attest.InferenceTruncated},
		{"nothing", func([]string) []string { return nil }, attest.InferenceMalformed},
		{"end doubled", func(l []string) []string { return append(l, l[15]) }, attest.InferenceReplay},
		{"record behind the end", func(l []string) []string {
			return append(l, strings.Replace(l[13], `"sequence":10`, `"sequence":11`, 1))
		}, attest.InferenceTruncated},
		{"no header", func(l []string) []string { return l[1:] }, attest.InferenceMalformed},
		{"header twice", func(l []string) []string { return slices.Insert(l, 1, l[0]) }, attest.InferenceMalformed},
		{"no certificate", func(l []string) []string { return slices.Delete(l, 1, 2) }, attest.InferenceCert},
		{"another's certificate", func(l []string) []string { l[1] = stranger[1]; return l }, attest.InferenceCert},
		{"another's batch", func(l []string) []string { l[6] = stranger[6]; return l }, attest.InferenceCert},
		{"blank line", func(l []string) []string { return slices.Insert(l, 3, "\n") }, attest.InferenceMalformed},
		{"unknown line", func(l []string) []string { return slices.Insert(l, 3, "{}\n") }, attest.InferenceMalformed},
		{"carriage return", func(l []string) []string { l[3] = strings.TrimSpace(l[3]) + "\r\n"; return l }, attest.InferenceMalformed},
		{"white space", func(l []string) []string { l[3] = strings.Replace(l[3], ",", ", ", 1); return l }, attest.InferenceMalformed},
		{"key twice", func(l []string) []string {
			l[3] = strings.Replace(l[3], `"sequence":2`, `"sequence":2,"sequence":2`, 1)
			return l
		}, attest.InferenceMalformed},
		{"keyid", func(l []string) []string { l[6] = strings.Replace(l[6], `"sig":"`, `"keyid":"x","sig":"`, 1); return l }, attest.InferenceMalformed},
		{"long line", func(l []string) []string { return append(l, strings.Repeat("a", MaxLine+1)+"\n") }, attest.InferenceMalformed},
		{"another model", func(l []string) []string {
			l[3] = strings.Replace(l[3], SHA256([]byte("model")).String(), SHA256([]byte("m2")).String(), 1)
			return l
		}, attest.InferenceModel},
		{"more assurance", func(l []string) []string { l[3] = strings.Replace(l[3], "witnessed", "hardware", 1); return l }, attest.InferenceCert},
		{"less assurance", func(l []string) []string {
			l[3] = strings.Replace(l[3], "witnessed", "self-attested", 1)
			return l
		}, attest.InferenceRoot},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := joinLines(c.change(slices.Clone(log)))
			if err := verdict(t, f.check(), changed)[0].Err; attest.CodeOf(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// A torn last line is the end of what was written.
func TestCheckTorn(t *testing.T) {
	f := newFixture(t)
	log := f.logOf(t, 10)
	lines := split(log)
	behind := len(log) - len(lines[15]) - 1
	head := headAt(t, f, log, 10, 3)
	for cut := behind; cut < len(log)-1; cut += 97 {
		if err := verdict(t, f.check(), log[:cut])[0].Err; attest.CodeOf(err) != attest.InferenceTruncated {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		live := f.check()
		live.Live = true
		headed := f.check()
		headed.Heads = []ExpectedHead{{Head: head}}
		for _, opt := range []CheckOptions{live, headed} {
			r := verdict(t, opt, log[:cut])[0]
			if want := int64(10); cut > behind && (r.Err != nil || r.Records != want || !r.Torn) {
				t.Fatalf("cut at %d: %+v", cut, r)
			}
		}
	}
}

// headAt gives the head of the batch of a number.
func headAt(t *testing.T, f *fixture, log []byte, last int64, number int64) Head {
	t.Helper()
	var head Head
	w := newWalk(bytes.NewReader(log))
	w.begin = anywhere
	w.accept = func(b *Batch, _ []node) error {
		if b.Number == number {
			head = b.Head()
		}
		return nil
	}
	if err := w.run(context.Background()); err != nil || head.Sequence != last {
		t.Fatal(err, head)
	}
	return head
}

func TestExpectedHeads(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(t.TempDir(), "log")
	first := write(t, f.options(path), 0, 6)
	short := read(t, path)
	second := write(t, f.options(path), 6, 20)
	long := read(t, path)
	fork := filepath.Join(t.TempDir(), "fork")
	write(t, f.options(fork), 100, 120)
	for _, c := range []struct {
		name string
		log  []byte
		head string
		want attest.Code
	}{
		{"own end", long, second.String(), ""},
		{"older end", long, first.String(), ""},
		{"cut behind an older end", short, second.String(), attest.InferenceTruncated},
		{"written anew", read(t, fork), first.String(), attest.InferenceFork},
		{"written anew, shorter", read(t, fork), "25" + second.String()[2:], attest.InferenceTruncated},
		{"named", long, "r1=" + first.String(), ""},
	} {
		opt := f.check()
		replica, text, named := strings.Cut(c.head, "=")
		if !named {
			replica, text = "", c.head
		}
		head, err := ParseHead(text)
		if err != nil {
			t.Fatal(err)
		}
		opt.Heads = []ExpectedHead{{Replica: replica, Head: head}}
		if err := verdict(t, opt, c.log)[0].Err; attest.CodeOf(err) != c.want || err != nil && c.want == "" {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	opt := f.check()
	opt.Heads = []ExpectedHead{{Replica: "r2", Head: first}}
	if _, err := Check(context.Background(), []Source{{"l", bytes.NewReader(long)}}, opt); err == nil {
		t.Error("the head of a replica that is not there was taken")
	}
}

func TestTwoLogs(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	a, b, c := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
	head := write(t, f.options(a), 0, 6)
	continued := f.options(b)
	continued.After = &head
	write(t, continued, 6, 20)
	write(t, f.options(c), 0, 9) // other times: another history
	logA, logB, logC := read(t, a), read(t, b), read(t, c)

	for _, r := range verdict(t, f.check(), logB, logA) {
		if r.Err != nil {
			t.Error("continued:", r.Err)
		}
	}
	codes := func(opt CheckOptions, logs ...[]byte) (out []attest.Code) {
		for _, r := range verdict(t, opt, logs...) {
			out = append(out, attest.CodeOf(r.Err))
		}
		return out
	}
	if got := codes(f.check(), logB); got[0] != attest.InferenceGap {
		t.Error("continuation alone:", got)
	}
	after := f.check()
	after.After = &Head{Sequence: head.Sequence, Digest: head.Digest}
	if got := codes(after, logB); got[0] != "" {
		t.Error("continuation of a head:", got)
	}
	if got := codes(f.check(), logA, logC); got[0] != attest.InferenceFork || got[1] != attest.InferenceFork {
		t.Error("fork:", got)
	}
	if got := codes(f.check(), logA, logA); got[0] != "" || got[1] != attest.InferenceReplay {
		t.Error("copy:", got)
	}
	// A fork with a common beginning: a copy of a is continued apart from b.
	if err := writeFile(c, logA); err != nil {
		t.Fatal(err)
	}
	write(t, f.options(c), 50, 60)
	if got := codes(f.check(), logA, logB, read(t, c)); got[0] != "" || got[1] != attest.InferenceFork || got[2] != attest.InferenceFork {
		t.Error("fork with a common beginning:", got)
	}
}

func TestSameID(t *testing.T) {
	f := newFixture(t)
	for _, again := range []Record{
		{ID: "id-0", Request: SHA256([]byte("request 0")), Response: SHA256([]byte("another"))},
		answerRecord(0),
	} {
		path := filepath.Join(t.TempDir(), "log")
		r, err := Open(context.Background(), f.options(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range []Record{answerRecord(0), answerRecord(1), again} {
			if err := r.Add(context.Background(), record); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if err := verdict(t, f.check(), read(t, path))[0].Err; attest.CodeOf(err) != attest.InferenceReplay {
			t.Error(err)
		}
	}
}

func TestRevoked(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(t.TempDir(), "log")
	until := write(t, f.options(path), 0, 6)
	short := read(t, path)
	write(t, f.options(path), 6, 12)
	long := read(t, path)
	key := SHA256(f.replica.Public().PEM())
	cert, err := ReadCertificate(f.cert, f.operator.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, list string
		log        []byte
		want       attest.Code
	}{
		{"key", key.String(), long, attest.InferenceRevoked},
		{"certificate", cert.Digest().String(), long, attest.InferenceRevoked},
		{"another", "# note\n\n" + SHA256(nil).String(), long, ""},
		{"good up to the end", key.String() + " " + until.String(), short, ""},
		{"more behind the head", key.String() + " " + until.String(), long, attest.InferenceRevoked},
		{"the head is not there", key.String() + " 6:" + SHA256(nil).String(), short, attest.InferenceRevoked},
		{"both, one unlimited", key.String() + " " + until.String() + "\n" + cert.Digest().String(), short, attest.InferenceRevoked},
		{"twice, the stricter counts", key.String() + "\n" + key.String() + " " + until.String(), short, attest.InferenceRevoked},
	} {
		opt := f.check()
		if opt.Revoked, err = ParseRevocations([]byte(c.list)); err != nil {
			t.Fatal(err)
		}
		if err := verdict(t, opt, c.log)[0].Err; attest.CodeOf(err) != c.want || err != nil && c.want == "" {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	for _, bad := range []string{"x", "sha256:12", key.String() + " 3", key.String() + " " + until.String() + " x", "hmac-" + key.String()} {
		if _, err := ParseRevocations([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A log goes on under a new certificate, for a new key and a new model.
func TestRenewed(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(t.TempDir(), "log")
	write(t, f.options(path), 0, 6)
	f.replica = generate(t, "Ed25519")
	f.cert = f.certify(t, func(c *Certificate) { c.Model = SHA256([]byte("model 2")) })
	write(t, f.options(path), 6, 9)
	log := read(t, path)
	r := verdict(t, f.check(), log)[0]
	if r.Err != nil || r.Records != 9 || len(r.Certificates) != 2 {
		t.Errorf("%+v", r)
	}
	opt := f.check()
	opt.Model = SHA256([]byte("model"))
	if err := verdict(t, opt, log)[0].Err; attest.CodeOf(err) != attest.InferenceModel {
		t.Error(err)
	}
	// The key of the second certificate cannot have signed the first batches.
	lines := split(log)
	for i, l := range lines[2:] {
		if kindOf([]byte(l)) == certificateLine {
			lines[1], lines[i+2] = lines[i+2], lines[1]
		}
	}
	if err := verdict(t, f.check(), joinLines(lines))[0].Err; attest.CodeOf(err) != attest.InferenceModel {
		t.Error(err)
	}
}

func TestOperators(t *testing.T) {
	f := newFixture(t)
	log := f.logOf(t, 3)
	if _, err := Check(context.Background(), nil, CheckOptions{}); err == nil {
		t.Error("without an operator everything was right")
	}
	opt := f.check()
	opt.Operators = []*keys.Public{generate(t, "P-384").Public()}
	if err := verdict(t, opt, log)[0].Err; attest.CodeOf(err) != attest.InferenceCert {
		t.Error(err)
	}
	opt.Operators = append(opt.Operators, f.operator.Public())
	if err := verdict(t, opt, log)[0].Err; err != nil {
		t.Error(err)
	}
}

// Whoever has the replica's key, but not the operator's, is held to the
// certificate in all that it says.
func TestForgedByReplica(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		name   string
		change func(*writer)
		record func(*Record)
		want   attest.Code
	}{
		{"late record", nil, func(r *Record) { r.Time = f.now.Add(2 * time.Hour) }, attest.InferenceCert},
		{"early record", nil, func(r *Record) { r.Time = f.now.Add(-2 * time.Hour) }, attest.InferenceCert},
		{"another model", nil, func(r *Record) { r.Model = SHA256(nil) }, attest.InferenceModel},
		{"another configuration", nil, func(r *Record) { r.Configuration = SHA256(nil) }, attest.InferenceModel},
		{"more assurance", nil, func(r *Record) { r.Assurance = Hardware }, attest.InferenceCert},
		{"sequence skipped", func(w *writer) { w.next.Sequence = 5 }, nil, attest.InferenceGap},
		{"number skipped", func(w *writer) { w.next.Number, w.next.Digest = 5, SHA256(nil) }, nil, attest.InferenceGap},
		{"assurance hidden", func(w *writer) { w.lowest = SelfAttested }, nil, attest.InferenceMalformed},
	} {
		cert, _, err := parseCertificate(f.cert)
		if err != nil {
			t.Fatal(err)
		}
		opt := f.options(filepath.Join(t.TempDir(), "log"))
		opt.Now = time.Now
		w, err := openWriter(context.Background(), &opt, cert)
		if err != nil {
			t.Fatal(err)
		}
		r := answerRecord(1)
		r.Time, r.Model, r.Configuration, r.Assurance = f.now, cert.Model, cert.Configuration, Witnessed
		if c.record != nil {
			c.record(&r)
		}
		if c.change != nil {
			c.change(w)
		}
		w.add(item{record: r})
		// The writer holds itself to the certificate; a forger does not.
		b := w.batch(false)
		if b.Assurance.rank() > cert.Assurance.rank() {
			b.Assurance = cert.Assurance
		}
		if b.Time.After(cert.NotAfter) {
			b.Time = cert.NotAfter
		}
		envelope, err := w.sign(context.Background(), b)
		if err != nil {
			t.Fatal(c.name, err)
		}
		w.buf = appendLine(w.buf, batchPrefix, envelope)
		w.flush()
		w.close()
		live := f.check()
		live.Live = true
		if err := verdict(t, live, read(t, opt.Path))[0].Err; attest.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// No change of lines or bytes passes, wherever it is made, once the head is known.
func TestCheckProperty(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(t.TempDir(), "log")
	write(t, f.options(path), 0, 9)
	head := write(t, f.options(path), 9, 21)
	log := read(t, path)
	other := split(newFixture(t).logOf(t, 9))
	opt := f.check()
	opt.Heads = []ExpectedHead{{Replica: "r1", Head: head}}
	if err := verdict(t, opt, log)[0].Err; err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		changed := slices.Clone(log)
		for n := rapid.IntRange(1, 3).Draw(t, "changes"); n > 0; n-- {
			changed = change(t, changed, other)
		}
		if bytes.Equal(changed, log) {
			return
		}
		results, err := Check(context.Background(), []Source{{"log", bytes.NewReader(changed)}}, opt)
		if err != nil {
			t.Fatal(err)
		}
		// What stands behind the head may be torn: it claims nothing.
		if err := results[0].Err; err == nil && !(bytes.HasPrefix(changed, log) && results[0].Records == 21 && !results[0].Sealed) {
			t.Fatalf("accepted:\n%s", changed)
		}
	})
}

// change is one attack on a log.
func change(t *rapid.T, log []byte, other []string) []byte {
	lines := split(log)
	if len(lines) < 2 {
		return log
	}
	at := func(name string) int { return rapid.IntRange(0, len(lines)-1).Draw(t, name) }
	i, j := at("i"), at("j")
	from, to := min(i, j), max(i, j)+1
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0: // drop
		return joinLines(slices.Delete(lines, from, min(to, from+6)))
	case 1: // double
		return joinLines(slices.Insert(lines, at("where"), slices.Clone(lines[from:to])...))
	case 2: // swap
		lines[i], lines[j] = lines[j], lines[i]
		return joinLines(lines)
	case 3: // move
		moved := slices.Clone(lines[from:to])
		rest := slices.Delete(lines, from, to)
		return joinLines(slices.Insert(rest, rapid.IntRange(0, len(rest)).Draw(t, "where"), moved...))
	case 4: // a line of another replica
		lines[i] = other[rapid.IntRange(0, len(other)-1).Draw(t, "line")]
		return joinLines(lines)
	case 5: // cut
		return log[:rapid.IntRange(0, len(log)-1).Draw(t, "length")]
	case 6: // a bit
		out := slices.Clone(log)
		out[rapid.IntRange(0, len(out)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		return out
	default: // a byte more
		return slices.Insert(slices.Clone(log), rapid.IntRange(0, len(log)).Draw(t, "byte"), rapid.Byte().Draw(t, "value"))
	}
}
