package keyless

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/rekor-tiles/v2/pkg/note"
	tiles "github.com/sigstore/rekor-tiles/v2/pkg/verify"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"bartizan/attest"
)

// log demands an entry in a log of the trusted root. Entries in logs that the
// root does not know count for nothing; every other has to verify.
func (c *check) log() error {
	if c.trust.root == nil {
		return nil
	}
	if len(c.bundle.entries) == 0 {
		return attest.Refuse(attest.LogEntryMissing, "", "the bundle has no transparency log entry")
	}
	for _, e := range c.bundle.entries {
		log := c.trust.root.RekorLogs()[hex.EncodeToString(e.logID)]
		if log == nil {
			continue
		}
		if err := c.logEntry(e, log); err != nil {
			return err
		}
	}
	if len(c.result.Entries) == 0 {
		return attest.Refuse(attest.LogUntrusted, "", "no entry is of a log that the trusted root knows")
	}
	return nil
}

// logEntry verifies what the log said of one entry.
func (c *check) logEntry(e *entry, log *root.TransparencyLog) error {
	proven := e.wire.Proof != nil
	switch {
	case c.bundle.version == v01 && !e.promised:
		return e.missing("version 0.1 of bundles needs the log's promise (a signed entry timestamp)")
	case c.bundle.version > v01 && !proven:
		return e.missing("version 0.2 of bundles and later need an inclusion proof")
	case e.rekorV2() && !proven:
		return e.missing("entries of Rekor v2 need an inclusion proof")
	case e.rekorV2() && e.promised:
		return e.unproven("Rekor v2 makes no promises, and here is one")
	case proven && (e.wire.Proof.Checkpoint == nil || e.wire.Proof.Checkpoint.Envelope == ""):
		return e.unproven("no checkpoint says that the log ever had the tree of the inclusion proof")
	}
	if e.promised {
		if t := e.time(); !within(t, log.ValidityPeriodStart, log.ValidityPeriodEnd) {
			return attest.Refuse(attest.LogUntrusted, "", "log entry %d: the key of the log was not valid at %s", e.index, stamp(t))
		}
		if err := e.verifyPromise(c.trust.root); err != nil {
			return e.unproven("its promise (the signed entry timestamp) is not the log's")
		}
		c.result.Times = append(c.result.Times, Time{Source: "log", URI: log.BaseURL, Time: e.time()})
	}
	if proven {
		if err := e.verifyProof(log); err != nil {
			return e.unproven("inclusion is not proven: " + err.Error())
		}
	}
	index := e.index
	if !e.promised {
		index = int64(e.wire.Proof.Index)
	}
	c.result.Entries = append(c.result.Entries, Entry{
		Log: log.BaseURL, Kind: e.kind, Version: e.version, Index: index, Promised: e.promised, Proven: proven,
	})
	return nil
}

func (e *entry) missing(detail string) error {
	return attest.Refuse(attest.LogEntryMissing, "", "log entry %d: %s", e.index, detail)
}

func (e *entry) unproven(detail string) error {
	return attest.Refuse(attest.LogProofInvalid, "", "log entry %d: %s", e.index, detail)
}

// time is when the log says that it took the entry, or zero.
func (e *entry) time() time.Time {
	if e.wire.Time == 0 {
		return time.Time{}
	}
	return time.Unix(int64(e.wire.Time), 0).UTC()
}

// proto is the entry as the library wants it.
func (e *entry) proto() *protorekor.TransparencyLogEntry {
	out := &protorekor.TransparencyLogEntry{
		LogIndex:          e.index,
		LogId:             &protocommon.LogId{KeyId: e.logID},
		KindVersion:       &protorekor.KindVersion{Kind: e.kind, Version: e.version},
		IntegratedTime:    int64(e.wire.Time),
		CanonicalizedBody: e.wire.Body,
	}
	if e.promised {
		out.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: e.wire.Promise.Signature}
	}
	if p := e.wire.Proof; p != nil {
		out.InclusionProof = &protorekor.InclusionProof{
			LogIndex: int64(p.Index), RootHash: p.Root, TreeSize: int64(p.Size),
		}
		if p.Checkpoint != nil {
			out.InclusionProof.Checkpoint = &protorekor.Checkpoint{Envelope: p.Checkpoint.Envelope}
		}
		for _, h := range p.Hashes {
			out.InclusionProof.Hashes = append(out.InclusionProof.Hashes, h)
		}
	}
	return out
}

// verifyPromise verifies the signed entry timestamp of Rekor v1, which binds
// body, time, index and log.
func (e *entry) verifyPromise(r *root.TrustedRoot) error {
	_, err := guard(func() (struct{}, error) {
		parsed, err := tlog.ParseTransparencyLogEntry(e.proto())
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, tlog.VerifySET(parsed, r.RekorLogs())
	})
	return err
}

// verifyProof verifies the way from the entry to the tree head, and the log's
// signature of that.
func (e *entry) verifyProof(log *root.TransparencyLog) error {
	_, err := guard(func() (struct{}, error) {
		v, err := signature.LoadVerifier(log.PublicKey, log.SignatureHashFunc)
		if err != nil {
			return struct{}{}, err
		}
		if e.rekorV2() {
			return struct{}{}, e.verifyProof2(log, v)
		}
		return struct{}{}, e.verifyProof1(v)
	})
	return err
}

// verifyProof1 is that of Rekor v1, whose tree heads name a tree.
func (e *entry) verifyProof1(v signature.Verifier) error {
	p := e.wire.Proof
	size, head, err := checkpoint(p.Checkpoint.Envelope)
	if err != nil {
		return err
	}
	if size != int64(p.Size) || !bytes.Equal(head, p.Root) {
		return errors.New("the checkpoint is of another tree than the proof")
	}
	if err := e.leadsTo(uint64(p.Index), uint64(size), head); err != nil {
		return err
	}
	parsed, err := tlog.ParseTransparencyLogEntry(e.proto())
	if err != nil {
		return err
	}
	if tlog.VerifyInclusion(parsed, v) != nil {
		return errors.New("the checkpoint is not signed by the log")
	}
	return nil
}

// verifyProof2 is that of Rekor v2: a checkpoint as C2SP tlog-checkpoint has
// it, whose origin is the host of the log.
func (e *entry) verifyProof2(log *root.TransparencyLog, v signature.Verifier) error {
	u, err := url.Parse(log.BaseURL)
	if err != nil || u.Hostname() == "" {
		return errors.New("the trusted root does not say where the log is, which is its name in checkpoints")
	}
	named, err := note.NewNoteVerifier(u.Hostname(), v)
	if err != nil {
		return err
	}
	p := e.wire.Proof
	head, err := tiles.VerifyCheckpoint(p.Checkpoint.Envelope, named)
	if err != nil {
		return errors.New("the checkpoint is not one of the log, or not signed by it")
	}
	if p.Index != e.wire.Index || uint64(p.Size) != head.Size || len(p.Root) > 0 && !bytes.Equal(p.Root, head.Hash) {
		return errors.New("the checkpoint is of another tree than the proof, or the proof of another entry")
	}
	return e.leadsTo(uint64(p.Index), head.Size, head.Hash)
}

// leadsTo follows the hashes from the entry to the root of a tree (RFC 9162,
// 2.1.3.2).
func (e *entry) leadsTo(index, size uint64, head []byte) error {
	hashes := make([][]byte, len(e.wire.Proof.Hashes))
	for i, h := range e.wire.Proof.Hashes {
		hashes[i] = h
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(e.wire.Body)
	if proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf, hashes, head) != nil {
		return errors.New("the hashes do not lead from the entry to the root of the tree")
	}
	return nil
}

// checkpoint reads size and root hash of a signed tree head: the second and
// third line.
func checkpoint(text string) (size int64, head []byte, err error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 {
		return 0, nil, errors.New("the checkpoint is too short")
	}
	if size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return 0, nil, errors.New("the checkpoint has no tree size")
	}
	if head, err = base64.StdEncoding.DecodeString(lines[2]); err != nil {
		return 0, nil, errors.New("the checkpoint has no root hash")
	}
	return size, head, nil
}
