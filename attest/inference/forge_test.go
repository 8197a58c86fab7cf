package inference

import (
	"context"
	"testing"
	"time"

	"bartizan/attest/dsse"
	"bartizan/attest/statement"
)

// forger writes what a replica's key can sign, whether or not it should.
type forger struct {
	t       *testing.T
	f       *fixture
	cert    *Certificate
	log     []byte
	records [][]byte
	head    Head
}

func (f *fixture) forger(t *testing.T, cert []byte) *forger {
	t.Helper()
	c, _, err := parseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	g := &forger{t: t, f: f, cert: c, log: []byte(header + "\n")}
	g.certificate(cert)
	return g
}

func (g *forger) certificate(cert []byte) {
	g.log = appendLine(g.log, certificatePrefix, cert)
}

// record adds one, behind which no batch needs to come.
func (g *forger) record(at time.Time) *forger {
	g.t.Helper()
	r := answerRecord(0)
	r.ID, r.Sequence, r.Time = "", g.head.Sequence+int64(len(g.records))+1, at
	r.Model, r.Configuration, r.Assurance = g.cert.Model, g.cert.Configuration, g.cert.Assurance
	line, err := r.Marshal()
	if err != nil {
		g.t.Fatal(err)
	}
	g.records = append(g.records, line)
	g.log = append(append(g.log, line...), '\n')
	return g
}

// batch signs the records, or an end marker where there are none.
func (g *forger) batch(at time.Time) *forger {
	g.t.Helper()
	m := newMerkle()
	var leaves []node
	for _, r := range g.records {
		leaves = append(leaves, m.leaf(r))
	}
	b := &Batch{
		Replica: g.cert.Replica, Certificate: g.cert.digest, Model: g.cert.Model, Configuration: g.cert.Configuration, Assurance: g.cert.Assurance,
		Number: g.head.Number + 1, First: g.head.Sequence + 1, Last: g.head.Sequence + int64(len(leaves)), Root: m.root(leaves),
		Previous: g.head.Digest, End: len(leaves) == 0, Time: at,
	}
	payload, err := b.payload()
	if err != nil {
		g.t.Fatal(err)
	}
	envelope, err := dsse.Sign(context.Background(), g.f.replica, statement.PayloadType, payload)
	if err != nil {
		g.t.Fatal(err)
	}
	raw, err := envelope.Marshal()
	if err != nil {
		g.t.Fatal(err)
	}
	g.log = appendLine(g.log, batchPrefix, raw)
	b.digest = SHA256(payload)
	g.head, g.records = b.Head(), nil
	return g
}
