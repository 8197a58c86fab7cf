package mutate

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const legacyPredicateType = "https://model_signing/Digests/v0.1"

// legacyStatement is what releases 0.1 and 0.2 of model_signing signed: a subject
// for each file, and no digest over all.
func legacyStatement(files map[string][]byte) *value {
	subjects := list()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		subjects.items = append(subjects.items, object("name", name, "digest", object("sha256", digestOf("sha256", files[name]))))
	}
	return object("_type", statementType, "subject", subjects, "predicateType", legacyPredicateType,
		"predicate", object("unused", "Unused, just passed due to API requirements"))
}

func legacyBase(s *signer, files map[string][]byte) *Base {
	b := &Base{Name: "legacy", Files: files, Key: s.publicPEM(), signer: s, statement: legacyStatement(files)}
	b.bundle = legacyBundle(s, string(b.statement.encode("")))
	return b
}

// legacyBundle holds the key itself and no log entries, as those releases wrote it.
func legacyBundle(s *signer, payload string) *value {
	return object("mediaType", mediaType,
		"verificationMaterial", object("publicKey", object("rawBytes", base64.StdEncoding.EncodeToString(s.publicPEM()), "keyDetails", "PKIX_ECDSA_P256_SHA_256")),
		"dsseEnvelope", s.envelope(payloadType, payload))
}

// pythonBytes is how Python prints bytes: release 0.2 signed it by mistake.
func pythonBytes(payload string) string {
	var out strings.Builder
	out.WriteString("b'")
	for i := range len(payload) {
		switch c := payload[i]; {
		case c == '\'' || c == '\\':
			out.WriteString(`\` + string(rune(c)))
		case c == '\n':
			out.WriteString(`\n`)
		case c == '\t':
			out.WriteString(`\t`)
		case c == '\r':
			out.WriteString(`\r`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String() + "'"
}

// oddEncoding is the bundle of release 0.2.
func oddEncoding(s *signer, payload string) []byte {
	text := fmt.Sprintf("DSSEV1 %d %s %d %s", len(payloadType), payloadType, len(payload), pythonBytes(payload))
	b := legacyBundle(s, payload)
	b.set("dsseEnvelope", envelopeOf(payloadType, payload, s.sign(text)))
	return b.encode("")
}

func (g *generator) legacy(b *Base) {
	sign := func(edit func(s *value)) []byte {
		s := b.statement.clone()
		edit(s)
		return b.signed(s.encode("")).encode("")
	}
	text := string(b.statement.encode(""))
	g.accept(b, "legacy/signed in the encoding of release 0.2", oddEncoding(b.signer, text))
	g.reject(b, "legacy/that encoding, other bytes", []byte(strings.Replace(string(oddEncoding(b.signer, text+" ")), base64.StdEncoding.EncodeToString([]byte(text+" ")), base64.StdEncoding.EncodeToString([]byte(text)), 1)), "DSSE_SIG_INVALID")
	modern := statementOf(b.Files, "sha256", 0)
	g.either(b, "legacy/a modern statement in that encoding", oddEncoding(b.signer, string(modern.encode(""))), "DSSE_SIG_INVALID")
	first := b.statement.at("subject", 0)
	for name, edit := range inOrder(map[string]func(s *value){
		"one twice":       func(s *value) { l := s.at("subject"); l.items = append(l.items, first) },
		"one left out":    func(s *value) { l := s.at("subject"); l.items = l.items[1:] },
		"no subjects":     func(s *value) { s.set("subject", list()) },
		"no digest":       func(s *value) { s.at("subject", 0).drop("digest") },
		"another digest":  func(s *value) { s.at("subject", 0).set("digest", object("sha256", strings.Repeat("0", 64))) },
		"a short digest":  func(s *value) { s.at("subject", 0).set("digest", object("sha256", "00")) },
		"by md5":          func(s *value) { s.at("subject", 0).set("digest", object("md5", strings.Repeat("0", 32))) },
		"no name":         func(s *value) { s.at("subject", 0).drop("name") },
		"name escapes":    func(s *value) { s.at("subject", 0).set("name", "../outside.bin") },
		"absolute name":   func(s *value) { s.at("subject", 0).set("name", "/etc/passwd") },
		"name not there":  func(s *value) { s.at("subject", 0).set("name", "missing") },
		"another version": func(s *value) { s.set("predicateType", "https://model_signing/Digests/v0.2") },
		"another type":    func(s *value) { s.set("_type", "https://in-toto.io/Statement/v0.1") },
	}) {
		g.reject(b, "legacy/"+name, sign(edit), "OMS_NAME_DUPLICATE", "OMS_FILE_UNSIGNED", "OMS_EMPTY", "STATEMENT_MALFORMED", "OMS_DIGEST_MISMATCH",
			"OMS_NAME_ESCAPES_ROOT", "OMS_NAME_INVALID", "OMS_FILE_MISSING", "PREDICATE_TYPE", "STATEMENT_TYPE")
	}
	g.accept(b, "legacy/no predicate body", sign(func(s *value) { s.set("predicate", object()) }))
	g.accept(b, "legacy/turned round", sign(func(s *value) { slices.Reverse(s.at("subject").items) }))
	for name, text := range inOrder(map[string]string{"of another key": base64.StdEncoding.EncodeToString([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")), "that is none": "AAAA", "that is no base64": "*"}) {
		c := b.bundle.clone()
		c.at("verificationMaterial", "publicKey").set("rawBytes", text)
		g.reject(b, "legacy/rawBytes "+name, c.encode(""), "KEY_MISMATCH", "BUNDLE_MALFORMED")
	}
}
