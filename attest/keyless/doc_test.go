package keyless_test

import (
	"encoding/base64"
	"strconv"
	"strings"

	box "bartizan/attest/keyless/keylesstest"
)

// Where things lie in a bundle.
const (
	entry0     = "verificationMaterial/tlogEntries/0"
	checkpoint = "/inclusionProof/checkpoint/envelope"
	token0     = "verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp"
	cert       = "verificationMaterial/certificate/rawBytes"
)

// get, set and del reach into a document by a path of names and numbers.
func get(d box.Doc, path ...string) any {
	var at any = d
	for _, name := range split(path...) {
		at = step(at, name)
	}
	return at
}

func set(d box.Doc, path string, value any) {
	names := split(path)
	if raw, ok := value.([]byte); ok {
		value = b64(raw)
	}
	if m, ok := value.(box.Doc); ok {
		for k, v := range m {
			if raw, ok := v.([]byte); ok {
				m[k] = b64(raw)
			}
		}
	}
	switch at := get(d, names[:len(names)-1]...).(type) {
	case box.Doc:
		at[names[len(names)-1]] = value
	case []any:
		i, _ := strconv.Atoi(names[len(names)-1])
		at[i] = value
	}
}

func del(d box.Doc, path ...string) {
	names := split(path...)
	delete(get(d, names[:len(names)-1]...).(box.Doc), names[len(names)-1])
}

func split(path ...string) []string {
	return strings.FieldsFunc(strings.Join(path, "/"), func(r rune) bool { return r == '/' })
}

func step(at any, name string) any {
	switch at := at.(type) {
	case box.Doc:
		return at[name]
	case []any:
		i, _ := strconv.Atoi(name)
		return at[i]
	}
	return nil
}

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func unb64(s any) []byte {
	data, err := base64.StdEncoding.DecodeString(s.(string))
	if err != nil {
		panic(err)
	}
	return data
}

// bodyOf is what the log signed of the first entry.
func bodyOf(s *box.Signed) []byte { return unb64(get(s.Bundle, entry0, "canonicalizedBody")) }

// flip changes one bit of base64 text, in the middle.
func flip(d box.Doc, path string) {
	raw := unb64(get(d, path))
	raw[len(raw)/2] ^= 4
	set(d, path, raw)
}
