package inference

import (
	"context"
	"io"

	"bartizan/attest/keys"
)

// ReadHead gives the replica and the head of a log, so that another log can
// continue it ([Options.After]). Signatures and the chain are checked, records
// by their hashes only; certificates are judged where operators are given. A log
// without a batch has the zero head.
func ReadHead(ctx context.Context, log io.Reader, operators ...*keys.Public) (replica string, head Head, err error) {
	w := newWalk(log)
	w.light, w.operators = true, operators
	w.begin = anywhere
	if err := w.run(ctx); err != nil {
		return "", Head{}, err
	}
	if w.cert != nil {
		replica = w.cert.Replica
	}
	return replica, w.head, nil
}

// anywhere lets a log begin with any batch, as the continuation of what that
// batch says it continues.
func anywhere(b *Batch) (Head, error) {
	return Head{Number: b.Number - 1, Sequence: b.First - 1, Digest: b.Previous}, nil
}
