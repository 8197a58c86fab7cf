package inference

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bartizan/attest/keys"
)

// fixture is an operator with a replica that is certified for an hour.
type fixture struct {
	operator, replica *keys.Private
	cert              []byte
	now               time.Time
}

func generate(t testing.TB, kind string) *keys.Private {
	t.Helper()
	key, err := keys.Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{operator: generate(t, "P-256"), replica: generate(t, "Ed25519"), now: time.Now().UTC().Truncate(time.Second)}
	f.cert = f.certify(t, func(*Certificate) {})
	return f
}

func (f *fixture) certify(t testing.TB, change func(*Certificate)) []byte {
	t.Helper()
	c := Certificate{
		Replica: "r1", Key: f.replica.Public(), Model: SHA256([]byte("model")), Configuration: SHA256([]byte("configuration")),
		NotBefore: f.now.Add(-time.Hour), NotAfter: f.now.Add(time.Hour), Assurance: Witnessed,
	}
	change(&c)
	raw, err := Certify(context.Background(), f.operator, c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (f *fixture) options(path string) Options {
	return Options{Path: path, Key: f.replica, Certificate: f.cert, Batch: 4, Wait: time.Second}
}

func (f *fixture) check() CheckOptions {
	return CheckOptions{Operators: []*keys.Public{f.operator.Public()}}
}

func answerRecord(i int) Record {
	return Record{ID: fmt.Sprintf("id-%d", i), Request: SHA256(fmt.Appendf(nil, "request %d", i)), Response: SHA256(fmt.Appendf(nil, "response %d", i))}
}

// write adds records from..to-1 to a log and closes it.
func write(t testing.TB, opt Options, from, to int) Head {
	t.Helper()
	r, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		if err := r.Add(context.Background(), answerRecord(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return r.Head()
}

// logOf gives a log of n records, by default in batches of four.
func (f *fixture) logOf(t testing.TB, n int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	write(t, f.options(path), 0, n)
	return read(t, path)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// verdict checks logs in memory and gives their errors.
func verdict(t testing.TB, opt CheckOptions, logs ...[]byte) []Result {
	t.Helper()
	var sources []Source
	for i, l := range logs {
		sources = append(sources, Source{Name: fmt.Sprintf("log%d", i), Reader: bytes.NewReader(l)})
	}
	results, err := Check(context.Background(), sources, opt)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func split(log []byte) []string {
	return strings.SplitAfter(strings.TrimSuffix(string(log), "\n"), "\n")
}

func joinLines(lines []string) []byte {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimSuffix(l, "\n") + "\n")
	}
	return []byte(b.String())
}

func writeFile(path string, data []byte) error { return os.WriteFile(path, data, 0o600) }
