package keyless_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"time"

	"bartizan/attest"
	box "bartizan/attest/keyless/keylesstest"
)

func hexOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// note changes a checkpoint and signs it anew, with the log's key.
func note(change func(text string) string, sign func(*box.Box, string) string) func(*box.Box, *box.Signed) {
	return func(b *box.Box, s *box.Signed) {
		text, _, _ := strings.Cut(get(s.Bundle, entry0, checkpoint).(string), "\n\n")
		text = change(text + "\n")
		set(s.Bundle, entry0+checkpoint, text+"\n"+sign(b, text))
	}
}

func same(s string) string { return s }

// after is the checkpoint of a tree with a root hash of zeros.
func after(s string) string {
	lines := strings.Split(s, "\n")
	lines[2] = b64(make([]byte, 32))
	return strings.Join(lines, "\n")
}

func stranger(b *box.Box, text string) string {
	_, k, _ := ed25519.GenerateKey(rand.Reader)
	return box.Note2As("log2025.rekor.box", k, text)
}

var logs = []bad{
	{name: "no entry", Plan: box.Plan{Log: "none", Stamps: stamped}, code: attest.LogEntryMissing},
	{name: "no promise in 0.1", Plan: box.Plan{MediaType: box.V01}, code: attest.LogEntryMissing, change: drop(entry0 + "/inclusionPromise")},
	{name: "no proof in 0.2", Plan: box.Plan{MediaType: box.V02}, code: attest.LogEntryMissing, change: drop(entry0 + "/inclusionProof")},
	{name: "no proof in 0.3", code: attest.LogEntryMissing, change: drop(entry0 + "/inclusionProof")},
	{name: "Rekor v2 without proof in 0.1", Plan: box.Plan{MediaType: box.V01, Log: "hashedrekord/0.0.2", Stamps: stamped}, code: attest.LogEntryMissing, change: drop(entry0 + "/inclusionProof")},
	{name: "of a log that is not known", code: attest.LogUntrusted, change: func(_ *box.Box, s *box.Signed) {
		set(s.Bundle, entry0, box.New().Log1("hashedrekord", "0.0.1", bodyOf(s), minute))
	}},
	{name: "under the name of the log", code: attest.LogProofInvalid, change: func(b *box.Box, s *box.Signed) {
		set(s.Bundle, entry0, box.New().Log1("hashedrekord", "0.0.1", bodyOf(s), minute))
		set(s.Bundle, entry0+"/logId/keyId", b.Rekor1ID())
	}},
	{name: "the log's key began later", code: attest.LogUntrusted, root: window("tlogs/0/publicKey/validFor", minute.Add(time.Second), time.Time{})},
	{name: "the log's key ended before", code: attest.LogUntrusted, root: window("tlogs/0/publicKey/validFor", box.Epoch.AddDate(-1, 0, 0), minute.Add(-time.Second))},
	{name: "Rekor v2, the log's key ended before", Plan: v2(), code: attest.LogUntrusted, root: window("tlogs/1/publicKey/validFor", box.Epoch.AddDate(-1, 0, 0), minute)},
	{name: "proof alone, the log's key ended before", Plan: box.Plan{Stamps: stamped}, code: attest.LogUntrusted, root: window("tlogs/0/publicKey/validFor", box.Epoch.AddDate(-1, 0, 0), minute), change: drop(entry0 + "/inclusionPromise")},
	{name: "changed promise", code: attest.LogProofInvalid, change: flipped(entry0 + "/inclusionPromise/signedEntryTimestamp")},
	{name: "another time than promised", code: attest.LogProofInvalid, change: edit(entry0+"/integratedTime", "1740830401")},
	{name: "another index than promised", code: attest.LogProofInvalid, change: edit(entry0+"/logIndex", "1")},
	{name: "changed proof", code: attest.LogProofInvalid, change: flipped(entry0 + "/inclusionProof/hashes/1")},
	{name: "proof of another place", code: attest.LogProofInvalid, change: edit(entry0+"/inclusionProof/logIndex", "4")},
	{name: "proof of another size", code: attest.LogProofInvalid, change: edit(entry0+"/inclusionProof/treeSize", "12")},
	{name: "another root", code: attest.LogProofInvalid, change: flipped(entry0 + "/inclusionProof/rootHash")},
	{name: "no checkpoint", code: attest.LogProofInvalid, change: drop(entry0 + "/inclusionProof/checkpoint")},
	{name: "a checkpoint of nothing", code: attest.LogProofInvalid, change: edit(entry0+checkpoint, "x")},
	{name: "a checkpoint of another tree", code: attest.LogProofInvalid, change: note(after, (*box.Box).Note1)},
	{name: "a checkpoint by another key", code: attest.LogProofInvalid, change: note(same, stranger)},
	{name: "a checkpoint whose signature is of another text", code: attest.LogProofInvalid, change: func(_ *box.Box, s *box.Signed) {
		set(s.Bundle, entry0+checkpoint, strings.Replace(get(s.Bundle, entry0, checkpoint).(string), "1193", "1194", 1))
	}},
	{name: "Rekor v2, changed proof", Plan: v2(), code: attest.LogProofInvalid, change: flipped(entry0 + "/inclusionProof/hashes/1")},
	{name: "Rekor v2, another root", Plan: v2(), code: attest.LogProofInvalid, change: flipped(entry0 + "/inclusionProof/rootHash")},
	{name: "Rekor v2, another place", Plan: v2(), code: attest.LogProofInvalid, change: edit(entry0+"/inclusionProof/logIndex", "4")},
	{name: "Rekor v2, another index", Plan: v2(), code: attest.LogProofInvalid, change: edit(entry0+"/logIndex", "4")},
	{name: "Rekor v2, a checkpoint of another tree", Plan: v2(), code: attest.LogProofInvalid, change: note(after, (*box.Box).Note2)},
	{name: "Rekor v2, a checkpoint by another key", Plan: v2(), code: attest.LogProofInvalid, change: note(same, stranger)},
	{name: "Rekor v2, a checkpoint of another origin", Plan: v2(), code: attest.LogProofInvalid, change: note(func(s string) string { return "evil.box" + s[strings.Index(s, "\n"):] }, (*box.Box).Note2)},
	{name: "Rekor v2, a promise", Plan: v2(), code: attest.LogProofInvalid, change: edit(entry0+"/inclusionPromise", box.Doc{"signedEntryTimestamp": "AAAA"})},
	{name: "Rekor v2, a log without address", Plan: v2(), code: attest.LogProofInvalid, root: func(_ *box.Box, root box.Doc) { set(root, "tlogs/1/baseUrl", "") }},
	{name: "Rekor v2, dsse 0.0.2, changed proof", Plan: v2Statement("dsse/0.0.2"), code: attest.LogProofInvalid, change: flipped(entry0 + "/inclusionProof/hashes/0")},

	// Entries that verify, of something else: CVE-2022-36056, CVE-2026-22703.
	{name: "of another file", code: attest.LogEntryMismatch, change: swapEntry(box.Plan{})},
	{name: "of another file, 0.1", Plan: box.Plan{MediaType: box.V01}, code: attest.LogEntryMismatch, change: swapEntry(box.Plan{})},
	{name: "of another file, Rekor v2", Plan: v2(), code: attest.LogEntryMismatch, change: swapEntry(v2())},
	{name: "of another statement", Plan: dsse(), code: attest.LogEntryMismatch, change: swapEntry(dsse())},
	{name: "of another statement, intoto", Plan: box.Plan{Payload: box.Statement(artifact), Log: "intoto/0.0.2"}, code: attest.LogEntryMismatch, change: swapEntry(box.Plan{Payload: []byte("x"), Log: "intoto/0.0.2"})},
	{name: "of another statement, Rekor v2", Plan: v2Statement("hashedrekord/0.0.2"), code: attest.LogEntryMismatch, change: swapEntry(v2Statement("hashedrekord/0.0.2"))},
	{name: "of another statement, dsse 0.0.2", Plan: v2Statement("dsse/0.0.2"), code: attest.LogEntryMismatch, change: swapEntry(v2Statement("dsse/0.0.2"))},
	{name: "of another signer over the same file", code: attest.LogEntryMismatch, change: func(b *box.Box, s *box.Signed) {
		set(s.Bundle, entry0, get(b.Sign(box.Plan{Artifact: artifact}).Bundle, entry0))
	}},
	{name: "of the same key in another certificate", code: attest.LogEntryMismatch, change: func(b *box.Box, s *box.Signed) {
		other := b.Certify(s.Key.Public(), box.Cert{})
		set(s.Bundle, cert, other.Raw)
	}},
	{name: "of the file, for an envelope", Plan: dsse(), code: attest.LogEntryMismatch, change: func(b *box.Box, s *box.Signed) {
		set(s.Bundle, entry0, get(b.Sign(box.Plan{Artifact: artifact, Key: s.Key}).Bundle, entry0))
	}},
	{name: "of an envelope, for the file", code: attest.LogEntryMismatch, change: func(b *box.Box, s *box.Signed) {
		p := dsse()
		p.Key = s.Key
		set(s.Bundle, entry0, get(b.Sign(p).Bundle, entry0))
	}},
	{name: "of another digest", code: attest.LogEntryMismatch, change: entrySays(hexOf(artifact), hexOf([]byte("x")))},
	{name: "of another algorithm", code: attest.LogEntryMismatch, change: entrySays(`"sha256"`, `"sha1"`)},
	{name: "of a kind that is not known", code: attest.LogEntryMismatch, change: func(b *box.Box, s *box.Signed) {
		set(s.Bundle, entry0, b.Log1("rekord", "0.0.1", bytes.ReplaceAll(bodyOf(s), []byte("hashedrekord"), []byte("rekord")), minute))
	}},
	{name: "one that fits and one that does not", code: attest.LogEntryMismatch, change: func(b *box.Box, s *box.Signed) {
		other := b.Sign(box.Plan{Artifact: []byte("longer than the other artefact of the test")})
		set(other.Bundle, entry0+"/logIndex", "77")
		set(s.Bundle, "verificationMaterial/tlogEntries", []any{get(s.Bundle, entry0), get(other.Bundle, entry0)})
	}},
	{name: "one that verifies and one that does not", code: attest.LogProofInvalid, change: func(b *box.Box, s *box.Signed) {
		second := b.Log1("hashedrekord", "0.0.1", append([]byte(" "), bodyOf(s)...), minute) // else it stood there twice
		second["logIndex"] = "77"
		set(s.Bundle, "verificationMaterial/tlogEntries", []any{get(s.Bundle, entry0), second})
	}},
	{name: "a key in place of the certificate", code: attest.LogEntryMismatch, change: func(b *box.Box, s *box.Signed) {
		managed := b.Sign(box.Plan{Artifact: artifact, Key: s.Key, Managed: true})
		body := bytes.ReplaceAll(bodyOf(managed), []byte(b64(managed.Signature)), []byte(b64(s.Signature)))
		set(s.Bundle, entry0, b.Log1("hashedrekord", "0.0.1", body, minute))
	}},
	{name: "of another managed key", Plan: box.Plan{Managed: true}, code: attest.LogEntryMismatch, change: func(b *box.Box, s *box.Signed) {
		other := b.Sign(box.Plan{Artifact: artifact, Managed: true})
		body := bytes.ReplaceAll(bodyOf(s), []byte(b64(s.Public)), []byte(b64(other.Public)))
		set(s.Bundle, entry0, b.Log1("hashedrekord", "0.0.1", body, minute))
	}},
}

var outsideTime = box.Epoch.Add(11 * time.Minute)

// second adds an authority to the root, and a token of it in place of the first.
func second(validUntil time.Time) (func(*box.Box, *box.Signed), func(*box.Box, box.Doc)) {
	tsa := box.NewAuthority("https://tsa.box/two")
	tsa.End = validUntil
	change := func(b *box.Box, s *box.Signed) {
		set(s.Bundle, token0, tsa.Stamp(s.Signature, stamped[0]))
	}
	root := func(b *box.Box, root box.Doc) {
		b.TSA = append(b.TSA, tsa)
		root["timestampAuthorities"] = b.TrustedRoot()["timestampAuthorities"]
	}
	return change, root
}

// nested is a timestamp response whose token opens n sequences of indefinite
// length, and closes none.
func nested(n int) []byte {
	wrap := func(content []byte) []byte {
		out, err := asn1.Marshal(asn1.RawValue{Tag: 16, IsCompound: true, Bytes: content})
		if err != nil {
			panic(err)
		}
		return out
	}
	signedData := []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}
	token := wrap(append(signedData, bytes.Repeat([]byte{0x30, 0x80}, n)...))
	return wrap(append([]byte{0x30, 3, 2, 1, 0}, token...))
}

var times = func() []bad {
	borrow, both := second(box.Epoch)
	foreign, _ := second(time.Time{})
	return []bad{
		{name: "Rekor v2 without timestamp", Plan: box.Plan{Log: "hashedrekord/0.0.2"}, code: attest.TimestampMissing},
		{name: "Rekor v2 with a time that nobody signed", Plan: box.Plan{Log: "hashedrekord/0.0.2"}, code: attest.TimestampMissing, change: edit(entry0+"/integratedTime", "1740830460")},
		{name: "Rekor v2, dsse 0.0.2, without timestamp", Plan: box.Plan{Log: "dsse/0.0.2", Payload: box.Statement(artifact)}, code: attest.TimestampMissing},
		{name: "proof alone", code: attest.TimestampMissing, change: drop(entry0 + "/inclusionPromise")},
		{name: "a root without authorities", Plan: v2(), code: attest.TimestampMissing, root: func(_ *box.Box, root box.Doc) { del(root, "timestampAuthorities") }},
		{name: "of another signature", Plan: v2(), code: attest.TimestampInvalid, change: func(b *box.Box, s *box.Signed) {
			set(s.Bundle, token0, b.TSA[0].Stamp([]byte("another"), stamped[0]))
		}},
		{name: "changed token", Plan: v2(), code: attest.TimestampInvalid, change: flipped(token0)},
		{name: "token of garbage", Plan: v2(), code: attest.TimestampInvalid, change: edit(token0, []byte("garbage"))},
		{name: "brackets that never end", Plan: v2(), code: attest.TimestampInvalid, change: edit(token0, nested(15<<10))},
		{name: "more brackets than a stack holds", Plan: v2(), code: attest.BundleMalformed, change: edit(token0, nested(12<<20))},
		{name: "of an authority that is not known", Plan: v2(), code: attest.TimestampInvalid, change: foreign},
		{name: "promise and a changed token", Plan: box.Plan{Stamps: stamped}, code: attest.TimestampInvalid, change: flipped(token0)},
		{name: "validity borrowed from another authority", Plan: v2(), code: attest.TimestampInvalid, change: borrow, root: both},
		{name: "the authority began later", Plan: v2(), code: attest.TimestampInvalid, root: window("timestampAuthorities/0/validFor", stamped[0].Add(time.Second), time.Time{})},
		{name: "the authority ended before", Plan: v2(), code: attest.TimestampInvalid, root: window("timestampAuthorities/0/validFor", box.Epoch.AddDate(-1, 0, 0), stamped[0].Add(-time.Second))},
		{name: "promised after the certificate ended", Plan: box.Plan{At: box.Epoch.Add(10*time.Minute + time.Second)}, code: attest.TimestampInvalid},
		{name: "promised before the certificate began", Plan: box.Plan{At: box.Epoch.Add(-time.Second)}, code: attest.TimestampInvalid},
		{name: "stamped after the certificate ended", Plan: box.Plan{Log: "hashedrekord/0.0.2", Stamps: []time.Time{outsideTime}}, code: attest.TimestampInvalid},
		{name: "promised in time, stamped after", Plan: box.Plan{Stamps: []time.Time{outsideTime}}, code: attest.TimestampInvalid},
		{name: "one stamp in time, one after", Plan: box.Plan{Log: "hashedrekord/0.0.2", Stamps: []time.Time{stamped[0], outsideTime}}, code: attest.TimestampInvalid},
		{name: "an unsigned time outside", Plan: v2(), code: attest.TimestampInvalid, change: edit(entry0+"/integratedTime", "1")},
	}
}()
