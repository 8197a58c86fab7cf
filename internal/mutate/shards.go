package mutate

import (
	"fmt"
	"strings"
)

// shards has the good key sign shards that do not cover a file once.
func (g *generator) shards(b *Base) {
	invalid := "OMS_SHARDS_INVALID"
	const big, small = "weights/model-00001.safetensors", "name:1:2.txt" // 300 and 70 bytes
	data := b.Files[big]
	shard := func(start, end int) *value {
		return resource(fmt.Sprintf("%s:%d:%d", big, start, end), "sha256", data[start:end])
	}
	with := func(name string, want Want, shards []*value, codes ...string) {
		s := withoutFile(b.statement, big)
		l := s.at("predicate", "resources")
		l.items = append(l.items, shards...)
		g.add(Case{Name: "shards/" + name, Base: b, Bundle: b.resign(s), Want: want, Codes: codes})
	}
	all := []*value{shard(0, 64), shard(64, 128), shard(128, 192), shard(192, 256), shard(256, 300)}
	with("all", Accept, all)
	with("backwards", Accept, []*value{all[4], all[3], all[2], all[1], all[0]})
	with("none", Reject, nil, "OMS_FILE_UNSIGNED")
	for i := range all {
		rest := append(append([]*value{}, all[:i]...), all[i+1:]...)
		codes := []string{invalid}
		if i == len(all)-1 {
			codes = []string{"OMS_DIGEST_MISMATCH", invalid} // as if the file had grown
		}
		with(fmt.Sprintf("without number %d", i), Reject, rest, codes...)
		with(fmt.Sprintf("number %d twice", i), Reject, append(append([]*value{}, all...), all[i]), "OMS_NAME_DUPLICATE", invalid)
		wrong := all[i].clone()
		wrong.set("digest", strings.Repeat("0", 64))
		with(fmt.Sprintf("number %d twice with two digests", i), Reject, append(append([]*value{}, all...), wrong), "OMS_NAME_DUPLICATE", invalid)
		swapped := append([]*value{}, all...)
		swapped[i] = wrong
		with(fmt.Sprintf("number %d of other bytes", i), Reject, swapped, "OMS_DIGEST_MISMATCH")
	}
	with("an overlap", Reject, []*value{shard(0, 64), shard(60, 124), shard(124, 188), shard(188, 252), shard(252, 300)}, invalid)
	with("one shard twice as long", Reject, []*value{shard(0, 128), shard(128, 192), shard(192, 256), shard(256, 300)}, invalid)
	with("one whole shard", Reject, []*value{shard(0, 300)}, invalid)
	with("shards half as long", Reject, halves(shard), invalid)
	with("a short one first", Reject, []*value{shard(0, 44), shard(44, 108), shard(108, 172), shard(172, 236), shard(236, 300)}, invalid)
	with("beginning late", Reject, all[1:], invalid)
	with("beyond the end", Reject, append(append([]*value{}, all[:4]...), resource(big+":256:320", "sha256", data[256:])), "OMS_DIGEST_MISMATCH", invalid)
	with("ending early", Reject, append(append([]*value{}, all[:4]...), shard(256, 299)), "OMS_DIGEST_MISMATCH", invalid)
	with("one more beyond the end", Reject, append(append([]*value{}, all...), resource(big+":300:364", "sha256", nil)), "OMS_DIGEST_MISMATCH", invalid)
	with("one more that is empty", Reject, append(append([]*value{}, all...), resource(big+":300:300", "sha256", nil)), invalid)
	with("the whole file beside", Reject, append(append([]*value{}, all...), resource(big, "sha256", data)), invalid, "OMS_NAME_DUPLICATE")
	g.shardNames(b, all, with)
	g.shardSizes(b)
	g.shardTree(b, big, small)
}

// halves are shards of half the declared size.
func halves(shard func(start, end int) *value) []*value {
	var all []*value
	for start := 0; start < 300; start += 32 {
		all = append(all, shard(start, min(start+32, 300)))
	}
	return all
}

func withoutFile(statement *value, file string) *value {
	s := statement.clone()
	l := s.at("predicate", "resources")
	kept := l.items[:0]
	for _, r := range l.items {
		if !strings.HasPrefix(r.member("name").text, file+":") {
			kept = append(kept, r)
		}
	}
	l.items = kept
	return s
}

// shardNames writes the offsets of the first shard in other forms.
func (g *generator) shardNames(b *Base, all []*value, with func(string, Want, []*value, ...string)) {
	const big = "weights/model-00001.safetensors"
	for _, form := range []string{":0:064", ":00:64", ":+0:64", ":-0:64", ":0:+64", ": 0:64", ":0: 64", ":0:64 ", ":0x0:0x40", ":0:6_4", ":0.0:64", ":0:64.0", ":0:6.4e1", ":\u0660:64", ":0:\uff16\uff14",
		":0", "", ":0:", "::64", ":64:0", ":64:64", ":-64:0", ":-1:64", ":0:64:", ":0:64:64", ":0-64", ":a:b", ":0:18446744073709551616", ":0:9223372036854775808", ":-9223372036854775808:64", ":0:1e1", "\x00:0:64"} {
		first := all[0].clone()
		first.set("name", big+form)
		with("named "+clip(form), Reject, append([]*value{first}, all[1:]...), "OMS_SHARDS_INVALID", "OMS_NAME_INVALID")
	}
	huge := all[0].clone()
	huge.set("name", big+":0:9223372036854775807")
	with("as long as can be", Reject, []*value{huge}, "OMS_SHARDS_INVALID", "OMS_DIGEST_MISMATCH")
	for _, name := range []string{"../outside.bin", "/etc/passwd", "a/../../x"} {
		with("of "+name, Reject, append(append([]*value{}, all...), resource(name+":0:7", "sha256", []byte("outside"))), "OMS_NAME_ESCAPES_ROOT")
	}
	for _, name := range []string{"", ".", "a//b", "a\\b"} {
		with("of "+clip(name), Reject, append(append([]*value{}, all...), resource(name+":0:7", "sha256", []byte("outside"))), "OMS_NAME_INVALID")
	}
	with("of a file that is not there", Reject, append(append([]*value{}, all...), resource("missing:0:7", "sha256", []byte("outside"))), "OMS_FILE_MISSING")
	with("of a name in capitals", Reject, append(append([]*value{}, all...), resource("CONFIG.JSON:0:9", "sha256", []byte("{\"a\": 1}\n"))), "OMS_NAME_COLLISION")
	with("of an empty file", Either, append(append([]*value{}, all...), resource("empty.txt:0:0", "sha256", nil)), "OMS_SHARDS_INVALID")
	with("of a name with colons, cut at the first", Reject, append(append([]*value{}, all...), resource("name:1:2", "sha256", nil)), "OMS_FILE_MISSING", "OMS_SHARDS_INVALID")
}

// shardSizes: what was declared is no size, or not the one that was used.
func (g *generator) shardSizes(b *Base) {
	sign := func(size *value) []byte {
		s := b.statement.clone()
		if size == nil {
			s.at("predicate", "serialization").drop("shard_size")
		} else {
			s.at("predicate", "serialization").set("shard_size", size)
		}
		return b.resign(s)
	}
	for _, text := range []string{"0", "-1", "-64", "-0", "0.5", "64.5", "1e400", "-1e400", "9223372036854775808", "18446744073709551615", "1e30", "1", "32", "63", "65", "6400000000", `"64"`, `"sixty-four"`,
		"true", "[64]", `{"n":64}`, "64.0000001", "6.4", "1e-3", "0e0"} {
		g.reject(b, "shards/size "+text, sign(raw(text)), "OMS_SHARDS_INVALID", "STATEMENT_MALFORMED")
	}
	for _, text := range []string{"064", "+64", "0x40", ".64e2", "64.", "6_4", "NaN", "Infinity", "64e"} {
		g.reject(b, "shards/size "+text, sign(raw(text)), "STATEMENT_MALFORMED")
	}
	for _, text := range []string{"64.0", "6.4e1", "64.000", "640e-1"} { // released signers wrote floats
		g.accept(b, "shards/size "+text, sign(raw(text)))
	}
	s := b.statement.clone()
	s.at("predicate", "serialization").set("method", "files")
	g.reject(b, "shards/said to be files", b.resign(s), "OMS_SHARDS_INVALID", "OMS_FILE_MISSING", "OMS_NAME_DUPLICATE", "STATEMENT_MALFORMED", "OMS_FILE_UNSIGNED")
	s.at("predicate", "serialization").drop("shard_size")
	g.reject(b, "shards/said to be files, no size", b.resign(s), "OMS_FILE_MISSING", "OMS_FILE_UNSIGNED")
	for _, a := range []string{"sha256-sharded-64"} { // as released signers write it
		s := b.statement.clone()
		for _, r := range s.at("predicate", "resources").items {
			r.set("algorithm", a)
		}
		g.accept(b, "shards/algorithm "+a, b.resign(s))
	}
	for _, a := range []string{"sha256-sharded-65", "sha256-sharded-", "sha256-sharded", "blake2b-sharded-64", "sha256-sharded-064", "sha256-sharded-64.0", "SHA256-sharded-64", "sha256-sharded-64 "} {
		s := b.statement.clone()
		for _, r := range s.at("predicate", "resources").items {
			r.set("algorithm", a)
		}
		g.reject(b, "shards/algorithm "+a, b.resign(s), "OMS_ALGORITHM")
	}
}

// shardTree changes files at the edges of shards.
func (g *generator) shardTree(b *Base, big, small string) {
	tree := func(name string, change func(string) (string, error), want Want, codes ...string) {
		g.add(Case{Name: "shards/tree: " + name, Base: b, Change: change, Want: want, Codes: codes})
	}
	data := b.Files[big]
	for _, n := range []int{0, 1, 63, 64, 65, 128, 256, 299} {
		tree(fmt.Sprintf("cut to %d", n), write(big, data[:n]), Reject, "OMS_DIGEST_MISMATCH", "OMS_FILE_MISSING")
	}
	for _, n := range []int{1, 20, 64, 128} {
		tree(fmt.Sprintf("%d zeros more", n), write(big, append(append([]byte{}, data...), make([]byte, n)...)), Reject, "OMS_DIGEST_MISMATCH", "OMS_FILE_UNSIGNED")
	}
	swapped := append([]byte{}, data...)
	copy(swapped[:64], data[64:128])
	copy(swapped[64:128], data[:64])
	tree("two shards swapped", write(big, swapped), Reject, "OMS_DIGEST_MISMATCH")
	for _, at := range []int{0, 63, 64, 127, 255, 256, 299} {
		other := append([]byte{}, data...)
		other[at] ^= 1
		tree(fmt.Sprintf("byte %d", at), write(big, other), Reject, "OMS_DIGEST_MISMATCH")
	}
	tree("a file emptied", write(small, nil), Reject, "OMS_DIGEST_MISMATCH", "OMS_FILE_MISSING")
	tree("an empty file removed", remove("empty.txt"), Accept) // the format does not list it
	tree("an empty file filled", write("empty.txt", []byte("x")), Reject, "OMS_FILE_UNSIGNED")
	tree("an empty file added", write("more.txt", nil), Either, "OMS_FILE_UNSIGNED")
	tree("a file added", write("more.txt", []byte("x")), Reject, "OMS_FILE_UNSIGNED")
	tree("a file named as a shard", write(big+":0:64", data[:64]), Reject, "OMS_FILE_UNSIGNED")
}
