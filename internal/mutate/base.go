package mutate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeebo/blake3"
	"golang.org/x/crypto/blake2b"
)

const (
	mediaType     = "application/vnd.dev.sigstore.bundle.v0.3+json"
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://model_signing/signature/v1.0"
	shardSize     = 64
)

// signer is a key made from a seed; its signatures are those of RFC 6979, so
// that the same seed gives the same bytes.
type signer struct {
	key  *ecdsa.PrivateKey
	hash crypto.Hash
}

func newSigner(seed uint64, name string, curve elliptic.Curve, hash crypto.Hash) (*signer, error) {
	size := (curve.Params().BitSize + 7) / 8
	for i := byte(0); ; i++ {
		sum := sha512.Sum512(append(binary.BigEndian.AppendUint64([]byte(name), seed), i))
		scalar := make([]byte, size)
		copy(scalar[size-min(size, 64):], sum[:]) // P-521 has 66 bytes, the first of them zero
		if key, err := ecdsa.ParseRawPrivateKey(curve, scalar); err == nil {
			return &signer{key, hash}, nil
		} else if i == 255 {
			return nil, fmt.Errorf("key %s: %w", name, err)
		}
	}
}

func (s *signer) publicPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// sign signs a message with the digest of the curve.
func (s *signer) sign(message string) []byte {
	h := s.hash.New()
	h.Write([]byte(message))
	sig, err := s.key.Sign(nil, h.Sum(nil), s.hash)
	if err != nil {
		return nil
	}
	return sig
}

// pae is the encoding of DSSE 1.0.
func pae(kind, payload string) string {
	return fmt.Sprintf("DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
}

// envelope signs a payload.
func (s *signer) envelope(kind, payload string) *value {
	return envelopeOf(kind, payload, s.sign(pae(kind, payload)))
}

func envelopeOf(kind, payload string, sig []byte) *value {
	return object("payload", base64.StdEncoding.EncodeToString([]byte(payload)), "payloadType", kind,
		"signatures", list(object("sig", base64.StdEncoding.EncodeToString(sig), "keyid", "")))
}

// keyBundle is the bundle of an envelope for the method key.
func (s *signer) keyBundle(envelope *value) *value {
	sum := sha256.Sum256(s.publicPEM())
	return object("mediaType", mediaType,
		"verificationMaterial", object("publicKey", object("hint", hex.EncodeToString(sum[:])), "tlogEntries", list()),
		"dsseEnvelope", envelope)
}

// signed gives the base's bundle over another statement, with the good key.
func (b *Base) signed(statement []byte) *value {
	c := b.bundle.clone()
	c.set("dsseEnvelope", b.signer.envelope(payloadType, string(statement)))
	return c
}

// resign fixes the root digest of the statement and signs it.
func (b *Base) resign(statement *value) []byte {
	fixRoot(statement)
	return b.signed(statement.encode("")).encode("")
}

// fixRoot makes the subject's digest that of the listed resources, as far as
// these can be read.
func fixRoot(statement *value) {
	resources := statement.at("predicate", "resources")
	digest := statement.at("subject", 0, "digest")
	if resources == nil || digest == nil || digest.kind != '{' {
		return
	}
	h := sha256.New()
	for _, r := range resources.items {
		if d := r.member("digest"); d != nil {
			data, err := hex.DecodeString(d.text)
			if err != nil {
				continue
			}
			h.Write(data)
		}
	}
	if digest.member("sha256") != nil {
		digest.set("sha256", hex.EncodeToString(h.Sum(nil)))
	}
}

func digestOf(algorithm string, data []byte) string {
	switch algorithm {
	case "blake2b":
		sum := blake2b.Sum512(data)
		return hex.EncodeToString(sum[:])
	case "blake3":
		sum := blake3.Sum256(data)
		return hex.EncodeToString(sum[:])
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func resource(name, algorithm string, data []byte) *value {
	return object("digest", digestOf(algorithm, data), "algorithm", algorithm, "name", name)
}

// statementOf is the honest statement over files, as model_signing writes it.
func statementOf(files map[string][]byte, algorithm string, shard int64, ignore ...any) *value {
	serialization := object("method", "files", "hash_type", algorithm, "allow_symlinks", false)
	if shard > 0 {
		serialization = object("method", "shards", "hash_type", algorithm, "shard_size", shard, "allow_symlinks", false)
	}
	if len(ignore) > 0 {
		serialization.set("ignore_paths", list(ignore...))
	}
	resources := list()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		data := files[name]
		if shard == 0 {
			resources.items = append(resources.items, resource(name, algorithm, data))
			continue
		}
		for start := int64(0); start < int64(len(data)); start += shard {
			end := min(start+shard, int64(len(data)))
			resources.items = append(resources.items, resource(fmt.Sprintf("%s:%d:%d", name, start, end), algorithm, data[start:end]))
		}
	}
	statement := object("_type", statementType,
		"subject", list(object("name", "model", "digest", object("sha256", ""))),
		"predicateType", predicateType,
		"predicate", object("serialization", serialization, "resources", resources))
	fixRoot(statement)
	return statement
}

// baseFiles have the shapes that break naive walkers.
func baseFiles(random *rand.Rand) map[string][]byte {
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	return map[string][]byte{
		"config.json":                               []byte("{\"a\": 1}\n"),
		"weights/model-00001.safetensors":           noise(300),
		"weights/model-00002.safetensors":           noise(200),
		"zeros.bin":                                 make([]byte, 8192),
		"empty.txt":                                 {},
		".hidden":                                   []byte("h"),
		"a b/c+d%20(1).txt":                         []byte("space"),
		"n\u00e4me/\u6a21\u578b \u2603.bin":         noise(128), // ä composed (NFC)
		"deep/" + strings.Repeat("d/", 20) + "leaf": []byte("x"),
		"README.md":                                 []byte("# r\n"),
		"aa":                                        []byte("1"),
		"a-b":                                       []byte("2"),
		"a/b":                                       []byte("3"),
		"name:1:2.txt":                              noise(70),
	}
}

var algorithms = []string{"sha256", "blake2b", "blake3"}

// makeBases gives the signed trees. The first is the plainest.
func makeBases(seed uint64) ([]*Base, error) {
	random := rand.New(rand.NewPCG(seed, 0x62617365))
	key, err := newSigner(seed, "good", elliptic.P256(), crypto.SHA256)
	if err != nil {
		return nil, err
	}
	files := baseFiles(random)
	defaults := []any{".git", ".gitattributes", ".github", ".gitignore", "model.sig"}
	base := func(name string, s *signer, files map[string][]byte, statement *value) *Base {
		b := &Base{Name: name, Files: files, Folders: []string{"nothing here/at all"}, Key: s.publicPEM(), signer: s, statement: statement}
		b.bundle = s.keyBundle(s.envelope(payloadType, string(padded(statement, s))))
		return b
	}
	bases := []*Base{base("files", key, files, statementOf(files, "sha256", 0, defaults...))}
	for _, a := range algorithms[1:] {
		bases = append(bases, base(a, key, files, statementOf(files, a, 0, defaults...)))
	}
	bases = append(bases, base("shards", key, files, statementOf(files, "sha256", shardSize, defaults...)),
		base("shards blake2b", key, files, statementOf(files, "blake2b", shardSize, defaults...)))
	for _, c := range []struct {
		curve elliptic.Curve
		hash  crypto.Hash
	}{{elliptic.P384(), crypto.SHA384}, {elliptic.P521(), crypto.SHA512}} {
		s, err := newSigner(seed, c.curve.Params().Name, c.curve, c.hash)
		if err != nil {
			return nil, err
		}
		bases = append(bases, base(c.curve.Params().Name, s, files, statementOf(files, "sha256", 0, defaults...)))
	}
	bases = append(bases, ignoringBase(base, key, files), legacyBase(key, files))
	certificate, err := certificateBase(seed, files, statementOf(files, "sha256", 0, defaults...))
	return append(bases, certificate), err
}

// ignoringBase has files that the signed statement ignores, none that anything loads.
func ignoringBase(base func(string, *signer, map[string][]byte, *value) *Base, key *signer, files map[string][]byte) *Base {
	statement := statementOf(files, "sha256", 0, ".git", "logs", "notes.txt")
	more := maps.Clone(files)
	more["logs/run.log"] = []byte("step 1\n")
	more["logs/old/run.log"] = []byte("step 0\n")
	more["notes.txt"] = []byte("to do\n")
	more[".git/config"] = []byte("[core]\n")
	return base("ignoring", key, more, statement)
}

// padded makes the statement's text one whose base64 has padding and a
// character that the URL alphabet writes otherwise, so that variants of the
// encoding are other texts.
func padded(statement *value, s *signer) []byte {
	text := statement.encode("")
	for range 64 {
		sig := base64.StdEncoding.EncodeToString(s.sign(pae(payloadType, string(text))))
		if len(text)%3 == 1 && strings.ContainsAny(sig, "+/") && strings.HasSuffix(sig, "=") {
			break
		}
		text = append(text, ' ')
	}
	return text
}

// Write makes the base's tree below root, which must not exist.
func (b *Base) Write(root string) error {
	for name, data := range b.Files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	for _, name := range b.Folders {
		if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
			return err
		}
	}
	return nil
}
