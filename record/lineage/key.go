package lineage

import (
	"encoding/hex"
	"sort"
	"strings"
)

// algorithms are the digests that are kept as bytes and not as text. The order
// is part of the file form: new ones go to the end.
var algorithms = [...]string{"", "sha256", "sha512", "sha384", "sha224", "blake3", "blake2b", "gitCommit", "gitTree", "gitBlob", "gitTag", "sha1", "md5"}

// pack gives the short form of a key: one byte for the algorithm and the raw
// digest, or a zero byte and the text.
func pack(key string) string {
	name, value, ok := strings.Cut(key, ":")
	if ok && len(value)%2 == 0 && isLowerHex(value) {
		for i := 1; i < len(algorithms); i++ {
			if algorithms[i] == name {
				raw, err := hex.DecodeString(value)
				if err == nil {
					return string(rune(i)) + string(raw)
				}
			}
		}
	}
	return "\x00" + key
}

func unpack(packed string) string {
	if packed == "" {
		return ""
	}
	i := int(packed[0])
	if i == 0 || i >= len(algorithms) {
		return packed[1:]
	}
	name := algorithms[i]
	out := make([]byte, 0, len(name)+1+2*(len(packed)-1))
	out = append(append(out, name...), ':')
	return string(hex.AppendEncode(out, []byte(packed[1:])))
}

func isLowerHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// texts is a list of strings in one block of memory.
type texts struct {
	offsets []uint32 // one more than there are texts
	data    string
}

func newTexts(list []string) texts {
	size := 0
	for _, s := range list {
		size += len(s)
	}
	t := texts{offsets: make([]uint32, 1, len(list)+1)}
	data := make([]byte, 0, size)
	for _, s := range list {
		data = append(data, s...)
		t.offsets = append(t.offsets, uint32(len(data)))
	}
	t.data = string(data)
	return t
}

func (t *texts) len() int { return max(len(t.offsets)-1, 0) }

func (t *texts) at(i uint32) string { return t.data[t.offsets[i]:t.offsets[i+1]] }

// search gives the first index whose text is not below s; the texts are sorted.
func (t *texts) search(s string) int {
	return sort.Search(t.len(), func(i int) bool { return t.at(uint32(i)) >= s })
}
