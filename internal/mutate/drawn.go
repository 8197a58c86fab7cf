package mutate

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// drawn makes n more cases at random: bits of payload and signature, bytes of
// the bundle's text, statements that were altered and not signed again, bits and
// names of files, two changes at once.
func (g *generator) drawn(bases []*Base, n int) {
	for made := 0; made < n; made++ {
		b := bases[g.random.IntN(len(bases))]
		switch g.random.IntN(6) {
		case 0:
			g.drawnBit(b, made)
		case 1:
			g.drawnText(b, made)
		case 2:
			g.drawnUnsigned(b, made)
		case 3:
			g.drawnFile(b, made, 1)
		case 4:
			g.drawnFile(b, made, 2+g.random.IntN(3))
		case 5:
			g.drawnOrder(b, made)
		}
	}
}

func (g *generator) drawnBit(b *Base, number int) {
	c := b.bundle.clone()
	field, at := "payload", c.at("dsseEnvelope")
	if g.random.IntN(2) == 0 {
		field, at = "sig", c.at("dsseEnvelope", "signatures", 0)
	}
	data, err := base64.StdEncoding.DecodeString(at.member(field).text)
	if err != nil {
		return
	}
	bit := g.random.IntN(len(data) * 8)
	data[bit/8] ^= 1 << (bit % 8)
	at.set(field, base64.StdEncoding.EncodeToString(data))
	g.reject(b, fmt.Sprintf("drawn/%d: %s, bit %d of %s", number, b.Name, bit, field), c.encode(""), "DSSE_SIG_INVALID")
}

// drawnText replaces, removes or doubles a byte of the text. What means the same
// all the same is drawn again.
func (g *generator) drawnText(b *Base, number int) {
	text := b.bundle.encode("")
	for {
		at := g.random.IntN(len(text))
		other := slices.Clone(text)
		how := g.random.IntN(3)
		switch how {
		case 0:
			other[at] = byte(g.random.IntN(256))
		case 1:
			other = append(other[:at], other[at+1:]...)
		case 2:
			other = slices.Insert(other, at, other[at])
		}
		if same(text, other) {
			continue
		}
		g.reject(b, fmt.Sprintf("drawn/%d: %s, text, way %d at %d", number, b.Name, how, at), other,
			"BUNDLE_MALFORMED", "BUNDLE_MEDIA_TYPE", "DSSE_PAYLOAD_TYPE", "DSSE_SIG_INVALID", "DSSE_SIGNATURE_COUNT", "KEY_MISMATCH", "METHOD_MISMATCH", "CERT_UNTRUSTED")
		return
	}
}

// same says whether two bundles mean the same to a reader that ignores what it
// does not know, and keyid. It errs on the side of yes.
func same(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return string(a) == string(b)
	}
	return reflect.DeepEqual(essence(x), essence(y))
}

func essence(x any) any {
	m, ok := x.(map[string]any)
	if !ok {
		return x
	}
	out := maps.Clone(m)
	delete(out, "keyid")
	delete(out, "tlogEntries")
	delete(out, "keyDetails")
	for k, v := range out {
		if l, ok := v.([]any); ok {
			for i := range l {
				l[i] = essence(l[i])
			}
			continue
		}
		out[k] = essence(v)
	}
	for k := range out {
		if _, known := knownKeys[k]; !known {
			delete(out, k)
		}
	}
	return out
}

var knownKeys = map[string]struct{}{"mediaType": {}, "verificationMaterial": {}, "publicKey": {}, "hint": {}, "rawBytes": {}, "x509CertificateChain": {}, "certificates": {},
	"dsseEnvelope": {}, "payload": {}, "payloadType": {}, "signatures": {}, "sig": {}}

// drawnUnsigned alters a field of the statement and keeps the old signature.
func (g *generator) drawnUnsigned(b *Base, number int) {
	places := b.statement.places()
	p := places[g.random.IntN(len(places))]
	changes := changesOf(b.statement, p)
	c := changes[g.random.IntN(len(changes))]
	other := b.bundle.clone()
	other.at("dsseEnvelope").set("payload", base64.StdEncoding.EncodeToString(altered(b.statement, p, c).encode("")))
	g.reject(b, fmt.Sprintf("drawn/%d: %s, not signed again, %s/%s", number, b.Name, p.name, c.how), other.encode(""), "DSSE_SIG_INVALID")
}

// drawnFile makes some changes to files, none of which undoes another.
func (g *generator) drawnFile(b *Base, number, count int) {
	names := slices.Sorted(maps.Keys(signedFiles(b)))
	g.random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var change alter
	what := ""
	codes := map[string]bool{}
	for _, name := range names[:count] {
		next, how, code := g.drawnChange(name, b.Files[name])
		what += ", " + clip(name) + " " + how
		for _, c := range code {
			codes[c] = true
		}
		if change == nil {
			change = next
		} else {
			change = both(change, next)
		}
	}
	g.add(Case{Name: fmt.Sprintf("drawn/%d: %s%s", number, b.Name, what), Base: b, Change: change, Want: Reject, Codes: slices.Sorted(maps.Keys(codes))})
}

// signedFiles are those that the statement lists: not empty ones, which shards
// do not list, nor ignored ones.
func signedFiles(b *Base) map[string][]byte {
	out := map[string][]byte{}
	for name, data := range b.Files {
		if len(data) > 0 && name != "notes.txt" && (len(name) < 5 || name[:5] != "logs/" && name[:5] != ".git/") {
			out[name] = data
		}
	}
	return out
}

func (g *generator) drawnChange(name string, data []byte) (alter, string, []string) {
	switch g.random.IntN(5) {
	case 0:
		return remove(name), "removed", []string{"OMS_FILE_MISSING"}
	case 1:
		return rename(name, name+fmt.Sprintf(".%d", g.random.IntN(1000))), "renamed", []string{"OMS_FILE_MISSING", "OMS_FILE_UNSIGNED"}
	case 2:
		return write(name, append(slices.Clone(data), byte(g.random.IntN(256)))), "longer", []string{"OMS_DIGEST_MISMATCH"}
	case 3:
		return write(name+".new", []byte{1}), "with one beside", []string{"OMS_FILE_UNSIGNED"}
	}
	other := slices.Clone(data)
	bit := g.random.IntN(len(other) * 8)
	other[bit/8] ^= 1 << (bit % 8)
	return write(name, other), fmt.Sprintf("bit %d", bit), []string{"OMS_DIGEST_MISMATCH"}
}

// drawnOrder shuffles the resources and signs them again: a valid statement.
func (g *generator) drawnOrder(b *Base, number int) {
	s := b.statement.clone()
	l := s.at("predicate", "resources")
	if l == nil {
		l = s.at("subject")
	}
	g.random.Shuffle(len(l.items), func(i, j int) { l.items[i], l.items[j] = l.items[j], l.items[i] })
	bundle := b.resign(s)
	if b.Name == "legacy" {
		bundle = b.signed(s.encode("")).encode("")
	}
	g.accept(b, fmt.Sprintf("drawn/%d: %s in another order", number, b.Name), bundle)
}
