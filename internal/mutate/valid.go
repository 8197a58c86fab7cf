package mutate

import (
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"slices"
)

// valid are variants that alter nothing that is signed, or that were signed so
// by released signers.
func (g *generator) valid(bases []*Base) {
	b := bases[0]
	material := func(name string, edit func(m *value)) {
		c := b.bundle.clone()
		edit(c.at("verificationMaterial"))
		g.accept(b, "valid/"+name, c.encode(""))
	}
	raw64 := base64.StdEncoding.EncodeToString(b.Key)
	material("key in rawBytes", func(m *value) { m.set("publicKey", object("rawBytes", raw64, "keyDetails", "PKIX_ECDSA_P256_SHA_256")) })
	material("key in rawBytes, no log entries", func(m *value) {
		m.set("publicKey", object("rawBytes", raw64))
		m.drop("tlogEntries")
	})
	material("hint and rawBytes", func(m *value) { m.at("publicKey").set("rawBytes", raw64) })
	material("timestamps, empty", func(m *value) { m.set("timestampVerificationData", object("rfc3161Timestamps", list())) })
	for _, base := range bases {
		if base.Name == "legacy" {
			continue
		}
		g.orders(base)
		for name, text := range inOrder(map[string][]byte{"indented": base.statement.encode("  "), "by tabs": base.statement.encode("\t"), "members turned round": turned(base.statement).encode(""), "line end behind": append(base.statement.encode(""), '\n')}) {
			g.accept(base, "valid/statement of "+base.Name+" "+name, base.signed(text).encode(""))
		}
	}
	g.ecdsa(b)
}

// orders lists the resources otherwise, with the root digest of that order, and
// with the root digest of another.
func (g *generator) orders(b *Base) {
	for i := range 4 {
		s := b.statement.clone()
		l := s.at("predicate", "resources")
		if i == 0 {
			slices.Reverse(l.items)
		} else {
			g.random.Shuffle(len(l.items), func(i, j int) { l.items[i], l.items[j] = l.items[j], l.items[i] })
		}
		g.reject(b, "root/of another order, "+b.Name, b.signed(s.encode("")).encode(""), "OMS_ROOT_MISMATCH")
		g.accept(b, "valid/resources of "+b.Name+" in another order", b.resign(s))
	}
}

// ecdsa alters the signature as the numbers that it is.
func (g *generator) ecdsa(b *Base) {
	type pair struct{ R, S *big.Int }
	var good pair
	sig, err := base64.StdEncoding.DecodeString(b.bundle.at("dsseEnvelope", "signatures", 0, "sig").text)
	if err != nil {
		return
	}
	if _, err := asn1.Unmarshal(sig, &good); err != nil {
		return
	}
	order := elliptic.P256().Params().N
	with := func(name string, want Want, sig []byte) {
		c := b.bundle.clone()
		c.at("dsseEnvelope", "signatures", 0).set("sig", base64.StdEncoding.EncodeToString(sig))
		g.add(Case{Name: "signature/" + name, Base: b, Bundle: c.encode(""), Want: want, Codes: []string{"DSSE_SIG_INVALID"}})
	}
	der := func(r, s *big.Int) []byte {
		out, err := asn1.Marshal(pair{r, s})
		if err != nil {
			return nil
		}
		return out
	}
	zero, one := new(big.Int), big.NewInt(1)
	with("the other of the two that are valid", Accept, der(good.R, new(big.Int).Sub(order, good.S)))
	for name, p := range inOrder(map[string]pair{"zeros": {zero, zero}, "r zero": {zero, good.S}, "s zero": {good.R, zero}, "r and s swapped": {good.S, good.R}, "ones": {one, one}, "r the order": {order, good.S},
		"s the order": {good.R, order}, "r plus the order": {new(big.Int).Add(good.R, order), good.S}, "s plus the order": {good.R, new(big.Int).Add(good.S, order)},
		"r negative": {new(big.Int).Neg(good.R), good.S}, "s negative": {good.R, new(big.Int).Neg(good.S)}, "huge": {new(big.Int).Lsh(one, 4000), good.S}}) {
		with(name, Reject, der(p.R, p.S))
	}
	bare := append(good.R.FillBytes(make([]byte, 32)), good.S.FillBytes(make([]byte, 32))...)
	with("r and s bare", Reject, bare)
	with("a byte behind", Reject, append(slices.Clone(sig), 0))
	with("a byte less", Reject, sig[:len(sig)-1])
	with("in a long length", Reject, append([]byte{0x30, 0x81, sig[1]}, sig[2:]...))
	with("in an endless length", Reject, append(append([]byte{0x30, 0x80}, sig[2:]...), 0, 0))
	with("a set", Reject, append([]byte{0x31}, sig[1:]...))
	with("one byte", Reject, []byte{0x30})
	with("a megabyte", Reject, make([]byte, 1<<20))
	with("r with a zero before", Reject, leadingZero(sig))
	s := b.statement.clone()
	other := b.signer.sign(string(s.encode("")))
	with("over the payload alone", Reject, other)
	with("over another type", Reject, b.signer.sign(pae("application/json", string(s.encode("")))))
	with("over the base64", Reject, b.signer.sign(pae(payloadType, b.bundle.at("dsseEnvelope", "payload").text)))
	with("of the empty payload", Reject, b.signer.sign(pae(payloadType, "")))
}

// leadingZero writes r longer than it need be.
func leadingZero(sig []byte) []byte {
	out := slices.Clone(sig[:4])
	out[1]++
	out[3]++
	return append(append(out, 0), sig[4:]...)
}
