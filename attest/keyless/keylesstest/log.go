package keylesstest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"time"
)

// Names of the logs in checkpoints.
const (
	origin1 = "rekor.box - 1193050959916656506"
	name1   = "rekor.box"
	name2   = "log2025.rekor.box"
)

// Rekor1ID is the SHA-256 of the key.
func (b *Box) Rekor1ID() []byte { return keyID(b.Rekor1.Public()) }

// Rekor2ID is the hash of C2SP signed-note keys, whole.
func (b *Box) Rekor2ID() []byte {
	pub, _ := b.Rekor2.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(append([]byte(name2+"\n\x01"), pub...))
	return sum[:]
}

// sct is the extension with one promise of a CT log (RFC 6962, 3.3) for a
// certificate that is otherwise complete.
func sct(key *ecdsa.PrivateKey, pre, issuer *x509.Certificate) []byte {
	at := uint64(pre.NotBefore.UnixMilli())
	issuerHash := sha256.Sum256(issuer.RawSubjectPublicKeyInfo)
	tbs := pre.RawTBSCertificate
	signed := []byte{0, 0}
	signed = binary.BigEndian.AppendUint64(signed, at)
	signed = append(signed, 0, 1)
	signed = append(signed, issuerHash[:]...)
	signed = append(signed, byte(len(tbs)>>16), byte(len(tbs)>>8), byte(len(tbs)))
	signed = append(append(signed, tbs...), 0, 0)
	sum := sha256.Sum256(signed)
	sig := must(ecdsa.SignASN1(rand.Reader, key, sum[:]))

	one := append([]byte{0}, keyID(key.Public())...)
	one = binary.BigEndian.AppendUint64(one, at)
	one = append(one, 0, 0, 4, 3)
	one = append(binary.BigEndian.AppendUint16(one, uint16(len(sig))), sig...)
	list := append(binary.BigEndian.AppendUint16(nil, uint16(len(one)+2)), binary.BigEndian.AppendUint16(nil, uint16(len(one)))...)
	return must(asn1.Marshal(append(list, one...)))
}

// Log1 puts a body into Rekor v1 and gives the entry of a bundle.
func (b *Box) Log1(kind, version string, body []byte, at time.Time) Doc {
	index := 1000 + int64(len(body))
	promise := fmt.Sprintf(`{"body":%q,"integratedTime":%d,"logID":%q,"logIndex":%d}`, b64(body), at.Unix(), hex.EncodeToString(b.Rekor1ID()), index)
	sum := sha256.Sum256([]byte(promise))
	place, size, root, path := tree(body)
	text := fmt.Sprintf("%s\n%d\n%s\n", origin1, size, b64(root))
	return Doc{
		"logIndex": fmt.Sprint(index), "logId": Doc{"keyId": b64(b.Rekor1ID())},
		"kindVersion": Doc{"kind": kind, "version": version}, "integratedTime": fmt.Sprint(at.Unix()),
		"inclusionPromise": Doc{"signedEntryTimestamp": b64(must(ecdsa.SignASN1(rand.Reader, b.Rekor1, sum[:])))},
		"inclusionProof": Doc{
			"logIndex": fmt.Sprint(place), "treeSize": fmt.Sprint(size), "rootHash": b64(root), "hashes": path,
			"checkpoint": Doc{"envelope": text + "\n" + b.Note1(text)},
		},
		"canonicalizedBody": b64(body),
	}
}

// Log2 puts a body into Rekor v2.
func (b *Box) Log2(kind string, body []byte) Doc {
	place, size, root, path := tree(body)
	text := fmt.Sprintf("%s\n%d\n%s\n", name2, size, b64(root))
	return Doc{
		"logIndex": fmt.Sprint(place), "logId": Doc{"keyId": b64(b.Rekor2ID())},
		"kindVersion": Doc{"kind": kind, "version": "0.0.2"},
		"inclusionProof": Doc{
			"logIndex": fmt.Sprint(place), "treeSize": fmt.Sprint(size), "rootHash": b64(root), "hashes": path,
			"checkpoint": Doc{"envelope": text + "\n" + b.Note2(text)},
		},
		"canonicalizedBody": b64(body),
	}
}

// Note1 is Rekor v1's signature line under a text.
func (b *Box) Note1(text string) string {
	sum := sha256.Sum256([]byte(text))
	sig := must(ecdsa.SignASN1(rand.Reader, b.Rekor1, sum[:]))
	return fmt.Sprintf("— %s %s\n", name1, b64(append(b.Rekor1ID()[:4:4], sig...)))
}

// Note2 is Rekor v2's.
func (b *Box) Note2(text string) string {
	return fmt.Sprintf("— %s %s\n", name2, b64(append(b.Rekor2ID()[:4:4], ed25519.Sign(b.Rekor2, []byte(text))...)))
}

// Note2As signs as another name, or with another key.
func Note2As(name string, key ed25519.PrivateKey, text string) string {
	pub, _ := key.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(append([]byte(name+"\n\x01"), pub...))
	return fmt.Sprintf("— %s %s\n", name, b64(append(sum[:4:4], ed25519.Sign(key, []byte(text))...)))
}

// tree places a body as the 6th of 11 leaves (RFC 6962, 2.1).
func tree(body []byte) (place, size int64, root []byte, path []any) {
	const at, n = 5, 11
	leaves := make([][]byte, n)
	for i := range leaves {
		leaves[i] = leaf([]byte(fmt.Sprint("other ", i)))
	}
	leaves[at] = leaf(body)
	for _, h := range proof(at, leaves) {
		path = append(path, b64(h))
	}
	return at, n, head(leaves), path
}

func leaf(data []byte) []byte {
	sum := sha256.Sum256(append([]byte{0}, data...))
	return sum[:]
}

func head(leaves [][]byte) []byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := split(len(leaves))
	sum := sha256.Sum256(append(append([]byte{1}, head(leaves[:k])...), head(leaves[k:])...))
	return sum[:]
}

func proof(m int, leaves [][]byte) [][]byte {
	if len(leaves) == 1 {
		return nil
	}
	k := split(len(leaves))
	if m < k {
		return append(proof(m, leaves[:k]), head(leaves[k:]))
	}
	return append(proof(m-k, leaves[k:]), head(leaves[:k]))
}

// split is the largest power of two below n.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }
