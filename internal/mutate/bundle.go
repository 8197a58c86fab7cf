package mutate

import "strings"

// bundleRules say what a change of the bundle's fields must lead to. An optional
// field may be missing; who else changes anything is refused.
var bundleRules = []rule{
	{"*", "key by an escape", Accept, nil}, // the same JSON
	{"*", "twice*", Reject, []string{"BUNDLE_MALFORMED"}},
	// OMS does not use keyid: absent, null and any text are the same.
	{"dsseEnvelope.signatures[0].keyid", "drop", Accept, nil},
	{"dsseEnvelope.signatures[0].keyid", "null", Accept, nil},
	{"dsseEnvelope.signatures[0].keyid", "type string", Accept, nil},
	{"dsseEnvelope.signatures[0].keyid", "empty", Accept, nil},
	{"dsseEnvelope.signatures[0].keyid", "key*", Either, []string{"BUNDLE_MALFORMED"}}, // DSSE ignores unknown members, OMS' schema refuses them
	{"dsseEnvelope.signatures[0].keyid", "*", Reject, []string{"BUNDLE_MALFORMED"}},
	// Only the keyless method has log entries; others may leave them out.
	{"verificationMaterial.tlogEntries", "drop", Accept, nil},
	{"verificationMaterial.tlogEntries", "null", Either, []string{"BUNDLE_MALFORMED"}},
	{"verificationMaterial.tlogEntries", "key*", Either, []string{"BUNDLE_MALFORMED"}},
	{"verificationMaterial.tlogEntries", "wrapped", Either, []string{"BUNDLE_MALFORMED", "METHOD_MISMATCH"}},
	{"verificationMaterial.tlogEntries", "*", Reject, []string{"BUNDLE_MALFORMED"}},
	// The hint names the key; without one the given key must verify alone. The
	// schema wants a hint or rawBytes, protocol buffers take null for missing.
	{"verificationMaterial.publicKey.hint", "type string", Reject, []string{"KEY_MISMATCH"}},
	{"verificationMaterial.publicKey.hint", "empty", Either, []string{"BUNDLE_MALFORMED", "KEY_MISMATCH"}},
	{"verificationMaterial.publicKey.hint", "null", Either, []string{"BUNDLE_MALFORMED", "KEY_MISMATCH"}},
	{"verificationMaterial.publicKey.hint", "drop", Either, []string{"BUNDLE_MALFORMED", "KEY_MISMATCH"}},
	{"verificationMaterial.publicKey.hint", "key*", Either, []string{"BUNDLE_MALFORMED", "KEY_MISMATCH"}},
	{"verificationMaterial*", "*", Reject, []string{"BUNDLE_MALFORMED"}},
	{"mediaType", "type string", Reject, []string{"BUNDLE_MEDIA_TYPE"}},
	{"mediaType", "empty", Reject, []string{"BUNDLE_MEDIA_TYPE"}},
	{"mediaType", "*", Reject, []string{"BUNDLE_MALFORMED", "BUNDLE_MEDIA_TYPE"}},
	{"dsseEnvelope.payloadType", "type string", Reject, []string{"DSSE_PAYLOAD_TYPE"}},
	{"dsseEnvelope.payloadType", "empty", Reject, []string{"DSSE_PAYLOAD_TYPE"}},
	{"dsseEnvelope.payload", "empty", Reject, []string{"DSSE_SIG_INVALID", "BUNDLE_MALFORMED"}},
	{"dsseEnvelope.signatures", "drop", Reject, []string{"DSSE_SIGNATURE_COUNT", "BUNDLE_MALFORMED"}},
	{"dsseEnvelope.signatures", "null", Reject, []string{"DSSE_SIGNATURE_COUNT", "BUNDLE_MALFORMED"}},
	{"dsseEnvelope.signatures", "key*", Reject, []string{"DSSE_SIGNATURE_COUNT", "BUNDLE_MALFORMED"}},
	{"dsseEnvelope.signatures[0]*", "*", Reject, []string{"DSSE_SIGNATURE_COUNT", "BUNDLE_MALFORMED"}},
	{"*", "*", Reject, []string{"BUNDLE_MALFORMED"}},
}

// bundleFields alters each field of the bundle in each way.
func (g *generator) bundleFields(b *Base) {
	for _, p := range b.bundle.places() {
		for _, c := range changesOf(b.bundle, p) {
			want, codes := judge(bundleRules, p.name, c.how)
			g.add(Case{Name: "bundle/" + p.name + "/" + c.how, Base: b, Bundle: altered(b.bundle, p, c).encode(""), Want: want, Codes: codes})
		}
	}
	g.bundleValues(b)
	g.unknownMembers(b)
}

// bundleValues give fields other values of the right type.
func (g *generator) bundleValues(b *Base) {
	with := func(edit func(v *value)) []byte {
		c := b.bundle.clone()
		edit(c)
		return c.encode("")
	}
	for _, t := range []string{"application/json", "application/vnd.dev.sigstore.bundle.v0.4+json", "application/vnd.dev.sigstore.bundle.v9+json",
		"application/vnd.dev.sigstore.bundle+json;version=7.7", "application/vnd.dev.sigstore.bundle+json", mediaType + " ", " " + mediaType,
		strings.ToUpper(mediaType), mediaType + "\n", mediaType + ";charset=utf-8", "application/vnd.dev.sigstore.bundle.v0.3", "text/plain"} {
		g.reject(b, "bundle/mediaType/"+t, with(func(v *value) { v.set("mediaType", t) }), "BUNDLE_MEDIA_TYPE")
	}
	for _, t := range []string{"0.1", "0.2", "0.3"} { // what is signed by a key is the same in all of them
		g.either(b, "bundle/mediaType/version "+t, with(func(v *value) { v.set("mediaType", "application/vnd.dev.sigstore.bundle+json;version="+t) }), "BUNDLE_MEDIA_TYPE")
	}
	for _, t := range []string{"application/json", "application/vnd.in-toto+json ", "Application/vnd.in-toto+json", "application/vnd.in-toto+jso", "text/plain",
		"application/vnd.in-toto+json\x00", "application/vnd.in-toto.provenance+json", "\u0430pplication/vnd.in-toto+json"} {
		g.reject(b, "bundle/payloadType/"+t, with(func(v *value) { v.at("dsseEnvelope").set("payloadType", t) }), "DSSE_PAYLOAD_TYPE")
		resigned := b.bundle.clone()
		resigned.set("dsseEnvelope", b.signer.envelope(t, string(b.statement.encode(""))))
		g.reject(b, "bundle/payloadType signed/"+t, resigned.encode(""), "DSSE_PAYLOAD_TYPE")
	}
	hint := b.bundle.at("verificationMaterial", "publicKey", "hint").text
	for _, t := range []string{strings.Repeat("0", 64), hint[:63], hint + "0", "x", hint[1:] + hint[:1]} {
		g.reject(b, "bundle/hint/"+t, with(func(v *value) { v.at("verificationMaterial", "publicKey").set("hint", t) }), "KEY_MISMATCH")
	}
	g.either(b, "bundle/hint/in capitals", with(func(v *value) { v.at("verificationMaterial", "publicKey").set("hint", strings.ToUpper(hint)) }), "KEY_MISMATCH")
	g.signatures(b, with)
	g.materials(b, with)
}

// signatures: more than one, or one that says nothing.
func (g *generator) signatures(b *Base, with func(func(v *value)) []byte) {
	good := b.bundle.at("dsseEnvelope", "signatures", 0)
	junk := object("sig", "AAAA", "keyid", "")
	for name, l := range inOrder(map[string]*value{
		"the same twice": list(good, good), "a bad one behind": list(good, junk), "a bad one before": list(junk, good),
		"an empty object behind": list(good, object()), "null behind": list(good, nil), "none": list(), "an empty object": list(object()),
		"an empty signature": list(object("sig", "")), "keyid alone": list(object("keyid", "x")),
		"a thousand": list(manyTimes(good, 1000)...),
	}) {
		codes := []string{"DSSE_SIGNATURE_COUNT"}
		if name == "null behind" {
			codes = append(codes, "BUNDLE_MALFORMED")
		}
		g.reject(b, "bundle/signatures/"+name, with(func(v *value) { v.at("dsseEnvelope").set("signatures", l) }), codes...)
	}
}

func manyTimes(x any, n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = x
	}
	return all
}

// materials: verification material of another method, of two, of none; content
// of two kinds.
func (g *generator) materials(b *Base, with func(func(v *value)) []byte) {
	material := func(name string, want Want, edit func(m *value), codes ...string) {
		bundle := with(func(v *value) { edit(v.at("verificationMaterial")) })
		g.add(Case{Name: "bundle/material/" + name, Base: b, Bundle: bundle, Want: want, Codes: codes})
	}
	junk := object("rawBytes", "MIIB")
	material("a certificate beside the key", Reject, func(m *value) { m.set("certificate", junk) }, "BUNDLE_MALFORMED")
	material("a chain beside the key", Reject, func(m *value) { m.set("x509CertificateChain", object("certificates", list(junk))) }, "BUNDLE_MALFORMED")
	material("a chain for the key", Reject, func(m *value) {
		m.drop("publicKey")
		m.set("x509CertificateChain", object("certificates", list(junk)))
	}, "METHOD_MISMATCH")
	material("an empty chain for the key", Reject, func(m *value) {
		m.drop("publicKey")
		m.set("x509CertificateChain", object("certificates", list()))
	}, "BUNDLE_MALFORMED", "METHOD_MISMATCH")
	material("a certificate for the key", Reject, func(m *value) {
		m.drop("publicKey")
		m.set("certificate", junk)
	}, "BUNDLE_MALFORMED", "METHOD_MISMATCH")
	material("another key in rawBytes", Reject, func(m *value) {
		m.at("publicKey").set("rawBytes", "AAAA")
	}, "KEY_MISMATCH", "BUNDLE_MALFORMED")
	g.reject(b, "bundle/content/a message digest beside", with(func(v *value) {
		v.set("messageSignature", object("messageDigest", object("algorithm", "SHA2_256", "digest", "AAAA"), "signature", "AAAA"))
	}), "BUNDLE_MALFORMED")
	g.reject(b, "bundle/content/a message digest alone", with(func(v *value) {
		v.drop("dsseEnvelope")
		v.set("messageSignature", object("messageDigest", object("algorithm", "SHA2_256", "digest", "AAAA"), "signature", "AAAA"))
	}), "BUNDLE_MALFORMED")
}

// unknownMembers adds members that nobody knows. Within the verification
// material everybody ignores them; elsewhere DSSE and the schema disagree.
func (g *generator) unknownMembers(b *Base) {
	values := map[string]*value{"text": of("y"), "nested": object("a", list(object("b", nil))), "null": of(nil)}
	for what, x := range inOrder(values) {
		for _, at := range [][]any{{}, {"dsseEnvelope"}, {"dsseEnvelope", "signatures", 0}, {"verificationMaterial"}, {"verificationMaterial", "publicKey"}} {
			c := b.bundle.clone()
			c.at(at...).set("x-new", x)
			name := "bundle/unknown member/" + what
			for _, step := range at {
				if s, ok := step.(string); ok {
					name += "." + s
				}
			}
			if len(at) > 0 && at[0] == "verificationMaterial" {
				g.accept(b, name, c.encode(""))
			} else {
				g.either(b, name, c.encode(""), "BUNDLE_MALFORMED")
			}
		}
	}
}
