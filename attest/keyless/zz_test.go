package keyless_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"fmt"
	"testing"
	"time"

	"bartizan/attest/keyless"
	box "bartizan/attest/keyless/keylesstest"
)

func TestZZ(t *testing.T) {
	b := box.New()
	for _, unit := range [][]byte{{0x30, 0x80}, {0x24, 0x80}, {0x30, 0x84, 0x00, 0x00, 0x00, 0x00}} {
		for _, n := range []int{1 << 10, 1 << 14, 1 << 15, 1 << 17, 1<<20} {
			inner := bytes.Repeat(unit, n)
			oid, _ := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
			seq, _ := asn1.Marshal(asn1.RawValue{Class: 0, Tag: 16, IsCompound: true, Bytes: append(oid, append(inner, make([]byte, len(inner))...)...)})
			status, _ := asn1.Marshal(struct{ Status int }{0})
			resp, _ := asn1.Marshal(asn1.RawValue{Class: 0, Tag: 16, IsCompound: true, Bytes: append(status, seq...)})
			s := b.Sign(box.Plan{Artifact: artifact, Stamps: stamped})
			set(s.Bundle, token0, resp)
			at := time.Now()
			_, err := keyless.VerifyArtifact(context.Background(), box.JSON(s.Bundle), bytes.NewReader(artifact), who(b, s, false))
			fmt.Println(len(unit), n, time.Since(at), err)
		}
	}
}
