package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"strings"
)

// Fingerprint names a fact so that it can be waived or compared over time: a
// hash of the rule, the subject's base name, the member's path within it, the
// evidence and the hidden identity. Offsets, folders and the subject's place on
// the host do not enter; anything that changes what the finding says does.
func Fingerprint(id string, f *Finding) string {
	inner := strings.TrimPrefix(f.Place.Path, id)
	if inner == f.Place.Path {
		inner = "?" + inner
	}
	h := sha256.New()
	for _, part := range []string{f.Rule, path.Base(id), inner, f.Place.Pointer, f.Place.Field, evidenceText(f), f.Identity} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// identity is the key under which repetitions fold together.
func identity(f *Finding) string {
	return f.Rule + "\x00" + f.Place.Path + "\x00" + f.Place.Pointer + "\x00" + f.Place.Field + "\x00" + evidenceText(f) + "\x00" + f.Identity
}

// evidenceText is the evidence as JSON, whose map keys encoding/json sorts.
func evidenceText(f *Finding) string {
	if len(f.Evidence) == 0 {
		return ""
	}
	b, err := json.Marshal(f.Evidence)
	if err != nil {
		return err.Error() // a detector put something in that JSON cannot hold; the report's encoder will say so
	}
	return string(b)
}
