package mutate

import (
	"strings"
)

// statementRules say what a change of a signed field must lead to, where the
// change was signed by an accepted key and the root digest fits again.
var statementRules = []rule{
	{"*", "key by an escape", Accept, nil},
	{"*", "twice*", Reject, []string{"STATEMENT_MALFORMED"}},
	{"_type", "type string", Reject, []string{"STATEMENT_TYPE"}},
	{"_type", "*", Reject, []string{"STATEMENT_MALFORMED", "STATEMENT_TYPE"}},
	{"predicateType", "type string", Reject, []string{"PREDICATE_TYPE"}},
	{"predicateType", "*", Reject, []string{"STATEMENT_MALFORMED", "PREDICATE_TYPE"}},
	// The model's name decides nothing; in-toto lets it be missing, OMS does not.
	{"subject[0].name", "type string", Accept, nil},
	{"subject[0].name", "drop", Either, []string{"STATEMENT_MALFORMED"}},
	{"subject[0].name", "null", Either, []string{"STATEMENT_MALFORMED"}},
	{"subject[0].name", "empty", Either, []string{"STATEMENT_MALFORMED"}},
	{"subject[0].name", "key*", Either, []string{"STATEMENT_MALFORMED"}},
	{"subject[0].digest*", "*", Reject, []string{"STATEMENT_MALFORMED", "OMS_ROOT_MISMATCH"}},
	{"predicate", "*", Reject, []string{"STATEMENT_MALFORMED", "OMS_EMPTY"}},
	{"predicate.serialization.method", "*", Reject, []string{"STATEMENT_MALFORMED"}},
	{"predicate.serialization.hash_type", "*", Reject, []string{"STATEMENT_MALFORMED", "OMS_ALGORITHM"}},
	// Required by the schema, and decides nothing where there is no link.
	{"predicate.serialization.allow_symlinks", "drop", Either, []string{"STATEMENT_MALFORMED"}},
	{"predicate.serialization.allow_symlinks", "null", Either, []string{"STATEMENT_MALFORMED"}},
	{"predicate.serialization.allow_symlinks", "key*", Either, []string{"STATEMENT_MALFORMED"}},
	{"predicate.serialization.shard_size", "number as string", Reject, []string{"STATEMENT_MALFORMED", "OMS_SHARDS_INVALID"}},
	{"predicate.serialization.shard_size", "*", Reject, []string{"STATEMENT_MALFORMED", "OMS_SHARDS_INVALID"}},
	// The paths that nobody signs anyway need not be listed.
	{"predicate.serialization.ignore_paths", "drop", Accept, nil},
	{"predicate.serialization.ignore_paths", "null", Either, []string{"STATEMENT_MALFORMED"}},
	{"predicate.serialization.ignore_paths", "key*", Either, []string{"STATEMENT_MALFORMED"}},
	{"predicate.serialization.ignore_paths[*", "drop", Accept, nil},
	{"predicate.serialization.ignore_paths[*", "type string", Accept, nil}, // ignores a path that is not there
	{"predicate.serialization.ignore_paths[*", "null", Reject, []string{"STATEMENT_MALFORMED", "OMS_NAME_INVALID"}},
	{"predicate.serialization.ignore_paths[*", "empty", Reject, []string{"STATEMENT_MALFORMED", "OMS_NAME_INVALID"}},
	{"predicate.serialization*", "*", Reject, []string{"STATEMENT_MALFORMED"}},
	{"predicate.resources", "*", Reject, []string{"STATEMENT_MALFORMED", "OMS_EMPTY"}},
	{"predicate.resources[*name", "type string", Reject, []string{"OMS_FILE_UNSIGNED", "OMS_FILE_MISSING", "OMS_SHARDS_INVALID"}},
	{"predicate.resources[*", "drop", Reject, []string{"OMS_FILE_UNSIGNED"}},
}

// resourceRules are for the members of one resource.
var resourceRules = []rule{
	{"", "drop", Reject, []string{"OMS_FILE_UNSIGNED", "OMS_SHARDS_INVALID", "OMS_DIGEST_MISMATCH"}}, // the resource itself
	{"name", "type string", Reject, []string{"OMS_FILE_MISSING", "OMS_FILE_UNSIGNED", "OMS_SHARDS_INVALID"}},
	{"name", "*", Reject, []string{"STATEMENT_MALFORMED", "OMS_NAME_INVALID", "OMS_SHARDS_INVALID"}},
	{"algorithm", "*", Reject, []string{"STATEMENT_MALFORMED", "OMS_ALGORITHM"}},
	{"digest", "*", Reject, []string{"STATEMENT_MALFORMED"}},
	{"", "*", Reject, []string{"STATEMENT_MALFORMED", "OMS_ALGORITHM", "OMS_NAME_INVALID"}},
}

// statementFields alters each field of the signed statement in each way, and has
// the good key sign it. Of the resources only the first and the last are taken:
// they are all alike.
func (g *generator) statementFields(b *Base) {
	last := len(b.statement.at("predicate", "resources").items) - 1
	for _, p := range b.statement.places() {
		rules, field := statementRules, p.name
		if rest, is := strings.CutPrefix(p.name, "predicate.resources["); is {
			number, member, _ := strings.Cut(rest, "]")
			if number != "0" && number != itoa(last) {
				continue
			}
			rules, field = resourceRules, strings.TrimPrefix(member, ".")
		}
		for _, c := range changesOf(b.statement, p) {
			want, codes := judge(statementRules[:2], field, c.how)
			if codes == nil && want == Reject {
				want, codes = judge(rules, field, c.how)
			}
			if codes == nil && want == Reject {
				codes = []string{"STATEMENT_MALFORMED"}
			}
			other := altered(b.statement, p, c)
			if !strings.HasPrefix(p.name, "subject[0].digest.") { // else it would undo the change
				fixRoot(other)
			}
			g.add(Case{Name: "statement " + b.Name + "/" + p.name + "/" + c.how, Base: b,
				Bundle: b.signed(other.encode("")).encode(""), Want: want, Codes: codes})
		}
	}
}

// statementValues give signed fields other values of the right type.
func (g *generator) statementValues(b *Base) {
	sign := func(edit func(s *value)) []byte {
		s := b.statement.clone()
		edit(s)
		return b.resign(s)
	}
	for _, t := range []string{"https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v9", "https://in-toto.io/statement/v1", "https://in-toto.io/Statement/v1/", "Statement"} {
		g.reject(b, "statement value/_type/"+t, sign(func(s *value) { s.set("_type", t) }), "STATEMENT_TYPE")
	}
	for _, t := range []string{"https://slsa.dev/provenance/v1", "https://model_signing/signature/v2.0", "https://model_signing/signature/v1", "https://model_signing/Signature/v1.0",
		"http://model_signing/signature/v1.0", "https://model_signing/signature/v1.0 ", "https://model_signing/Digests/v0.2", "https://in-toto.io/attestation/test-result/v0.1"} {
		g.reject(b, "statement value/predicateType/"+t, sign(func(s *value) { s.set("predicateType", t) }), "PREDICATE_TYPE", "STATEMENT_MALFORMED")
	}
	g.rootDigests(b)
	g.algorithms_(b, sign)
	g.digests(b, sign)
	g.resourceLists(b, sign)
	g.signedMembers(b, sign)
	g.payloads(b)
}

// rootDigests: the subject's digest is not that of the resources.
func (g *generator) rootDigests(b *Base) {
	sign := func(edit func(subject *value)) []byte {
		s := b.statement.clone()
		edit(s.at("subject"))
		return b.signed(s.encode("")).encode("")
	}
	good := b.statement.at("subject", 0, "digest", "sha256").text
	for name, d := range inOrder(map[string]string{"zeros": strings.Repeat("0", 64), "turned round": good[32:] + good[:32], "of the digests' text": digestOf("sha256", []byte(good)), "of nothing": digestOf("sha256", nil)}) {
		g.reject(b, "root/"+name, sign(func(v *value) { v.at(0, "digest").set("sha256", d) }), "OMS_ROOT_MISMATCH")
	}
	for name, d := range inOrder(map[string]string{"in capitals": strings.ToUpper(good), "half": good[:32], "odd": good[:63], "longer": good + "00", "no hexadecimal": "g" + good[1:], "with a prefix": "sha256:" + good, "with 0x": "0x" + good, "with a space": good + " ", "base64": "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="}) {
		g.reject(b, "root/"+name, sign(func(v *value) { v.at(0, "digest").set("sha256", d) }), "STATEMENT_MALFORMED", "OMS_ROOT_MISMATCH")
	}
	g.reject(b, "root/by another algorithm alone", sign(func(v *value) {
		v.items[0].set("digest", object("blake3", good))
	}), "STATEMENT_MALFORMED", "OMS_ROOT_MISMATCH", "OMS_ALGORITHM")
	g.reject(b, "root/key of other case", sign(func(v *value) { v.items[0].set("digest", object("SHA256", good)) }), "STATEMENT_MALFORMED", "OMS_ROOT_MISMATCH")
	g.either(b, "root/another algorithm beside", sign(func(v *value) { v.at(0, "digest").set("gitTree", "00") }), "STATEMENT_MALFORMED")
	other := object("name", "x", "digest", object("sha256", good))
	g.reject(b, "subjects/two, the same", sign(func(v *value) { v.items = append(v.items, v.items[0]) }), "STATEMENT_MALFORMED")
	g.reject(b, "subjects/two", sign(func(v *value) { v.items = append(v.items, other) }), "STATEMENT_MALFORMED")
	g.reject(b, "subjects/another first", sign(func(v *value) { v.items = append([]*value{other}, v.items...) }), "STATEMENT_MALFORMED")
	g.reject(b, "subjects/none", sign(func(v *value) { v.items = nil }), "STATEMENT_MALFORMED")
	g.reject(b, "subjects/a thousand", sign(func(v *value) { v.items = list(manyTimes(other, 1000)...).items }), "STATEMENT_MALFORMED")
}

// algorithms_: digests by algorithms that are not in the specification, or not
// by the one that was declared.
func (g *generator) algorithms_(b *Base, sign func(func(*value)) []byte) {
	for _, a := range []string{"md5", "sha1", "sha512", "sha384", "SHA256", "sha-256", "sha3-256", "blake2s", "none", "sha256 "} {
		g.reject(b, "algorithm/all "+a, sign(func(s *value) {
			s.at("predicate", "serialization").set("hash_type", a)
			for _, r := range s.at("predicate", "resources").items {
				r.set("algorithm", a)
			}
		}), "OMS_ALGORITHM")
		g.reject(b, "algorithm/one "+a, sign(func(s *value) { s.at("predicate", "resources", 3).set("algorithm", a) }), "OMS_ALGORITHM")
		g.reject(b, "algorithm/declared "+a, sign(func(s *value) { s.at("predicate", "serialization").set("hash_type", a) }), "OMS_ALGORITHM")
	}
	for _, a := range algorithms[1:] {
		data := b.Files["README.md"]
		g.reject(b, "algorithm/one by "+a, sign(func(s *value) {
			resourceNamed(s, "README.md").set("algorithm", a)
			resourceNamed(s, "README.md").set("digest", digestOf(a, data))
		}), "OMS_ALGORITHM")
		g.reject(b, "algorithm/declared "+a, sign(func(s *value) { s.at("predicate", "serialization").set("hash_type", a) }), "OMS_ALGORITHM")
		g.reject(b, "algorithm/digests of another, said to be "+a, sign(func(s *value) {
			s.at("predicate", "serialization").set("hash_type", a)
			for _, r := range s.at("predicate", "resources").items {
				r.set("algorithm", a)
			}
		}), "STATEMENT_MALFORMED", "OMS_DIGEST_MISMATCH")
	}
	g.reject(b, "algorithm/sharded where files are whole", sign(func(s *value) {
		for _, r := range s.at("predicate", "resources").items {
			r.set("algorithm", "sha256-sharded-64")
		}
	}), "OMS_ALGORITHM")
}

func resourceNamed(s *value, name string) *value {
	for _, r := range s.at("predicate", "resources").items {
		if r.member("name").text == name {
			return r
		}
	}
	return nil
}

// digests of resources that are none, or not in the one form.
func (g *generator) digests(b *Base, sign func(func(*value)) []byte) {
	good := resourceNamed(b.statement, "config.json").member("digest").text
	for name, d := range inOrder(map[string]string{"in capitals": strings.ToUpper(good), "half": good[:32], "odd": good[:63], "longer": good + "00", "twice": good + good, "no hexadecimal": "zz", "with a prefix": "sha256:" + good,
		"with 0x": "0x" + good[2:], "with a space": " " + good[1:], "full width": "\uff11" + good[1:], "one letter in capitals": oneCapital(good)}) {
		g.reject(b, "digest/"+name, sign(func(s *value) { resourceNamed(s, "config.json").set("digest", d) }), "STATEMENT_MALFORMED")
	}
	for i, r := range b.statement.at("predicate", "resources").items {
		name := r.member("name").text
		d := r.member("digest").text
		flipped := "0" + d[1:]
		if d[0] == '0' {
			flipped = "1" + d[1:]
		}
		g.reject(b, "digest/other than of "+name, sign(func(s *value) { s.at("predicate", "resources", i).set("digest", flipped) }), "OMS_DIGEST_MISMATCH")
	}
}

func oneCapital(s string) string {
	i := strings.IndexAny(s, "abcdef")
	return s[:i] + strings.ToUpper(s[i:i+1]) + s[i+1:]
}

// resourceLists: one left out, one too many, one twice.
func (g *generator) resourceLists(b *Base, sign func(func(*value)) []byte) {
	for i, r := range b.statement.at("predicate", "resources").items {
		name := r.member("name").text
		g.reject(b, "resources/without "+name, sign(func(s *value) {
			l := s.at("predicate", "resources")
			l.items = append(l.items[:i:i], l.items[i+1:]...)
		}), "OMS_FILE_UNSIGNED")
	}
	more := func(name string, first bool, extra []*value, codes ...string) {
		g.reject(b, "resources/"+name, sign(func(s *value) {
			l := s.at("predicate", "resources")
			if first {
				l.items = append(append([]*value{}, extra...), l.items...)
			} else {
				l.items = append(l.items, extra...)
			}
		}), codes...)
	}
	config := resourceNamed(b.statement, "config.json")
	wrong := resource("config.json", "sha256", []byte("other"))
	for _, first := range []bool{true, false} {
		where := map[bool]string{true: " first", false: " last"}[first]
		more("one twice"+where, first, []*value{config}, "OMS_NAME_DUPLICATE")
		more("one twice with two digests"+where, first, []*value{wrong}, "OMS_NAME_DUPLICATE")
		more("one that is not there"+where, first, []*value{resource("missing.bin", "sha256", nil)}, "OMS_FILE_MISSING")
		more("one in a folder that is not there"+where, first, []*value{resource("no/where/x", "sha256", nil)}, "OMS_FILE_MISSING")
		more("one by another case"+where, first, []*value{resource("Config.json", "sha256", b.Files["config.json"])}, "OMS_NAME_COLLISION")
		more("a folder's name in capitals"+where, first, []*value{resource("WEIGHTS/model-00001.safetensors", "sha256", nil)}, "OMS_NAME_COLLISION")
		more("one decomposed"+where, first, []*value{resource("na\u0308me/\u6a21\u578b \u2603.bin", "sha256", nil)}, "OMS_NAME_COLLISION")
		more("a file as a folder"+where, first, []*value{resource("config.json/x", "sha256", nil)}, "OMS_NAME_COLLISION", "OMS_FILE_MISSING")
		more("a folder"+where, first, []*value{resource("weights", "sha256", nil)}, "OMS_NAME_COLLISION", "OMS_FILE_MISSING", "OMS_FILE_SPECIAL")
		more("an empty folder"+where, first, []*value{resource("nothing here", "sha256", nil)}, "OMS_FILE_MISSING", "OMS_FILE_SPECIAL")
		more("long s for s"+where, first, []*value{resource("README.md/\u017f", "sha256", nil), resource("README.md/s", "sha256", nil)}, "OMS_NAME_COLLISION", "OMS_FILE_MISSING")
		more("a thousand that are not there"+where, first, thousand(), "OMS_FILE_MISSING")
	}
	g.reject(b, "resources/none", sign(func(s *value) { s.at("predicate").set("resources", list()) }), "OMS_EMPTY", "STATEMENT_MALFORMED")
	g.reject(b, "resources/a million and one", sign(func(s *value) { s.at("predicate").set("resources", list(manyTimes(object(), 1_000_001)...)) }), "OMS_LIMIT", "STATEMENT_MALFORMED")
	swap := func(s *value) {
		one, two := resourceNamed(s, "weights/model-00001.safetensors"), resourceNamed(s, "weights/model-00002.safetensors")
		first, second := one.member("name").text, two.member("name").text
		one.set("name", second)
		two.set("name", first)
	}
	g.reject(b, "resources/names of two swapped", sign(swap), "OMS_DIGEST_MISMATCH")
}

func thousand() []*value {
	all := make([]*value, 1000)
	for i := range all {
		all[i] = resource("missing-"+itoa(i), "sha256", nil)
	}
	return all
}

// signedMembers are members that nobody knows: in-toto and the reference ignore
// them in statement and predicate, the schema of OMS refuses them there.
func (g *generator) signedMembers(b *Base, sign func(func(*value)) []byte) {
	for what, x := range inOrder(map[string]*value{"text": of("y"), "nested": object("a", list(object("b", nil))), "null": of(nil), "a large number": raw("1e999")}) {
		for name, at := range inOrder(map[string][]any{"statement": {}, "subject": {"subject", 0}, "predicate": {"predicate"}, "serialization": {"predicate", "serialization"}, "resource": {"predicate", "resources", 2}}) {
			bundle := sign(func(s *value) { s.at(at...).set("x-new", x) })
			if name == "subject" || name == "resource" {
				g.accept(b, "statement member/"+name+"/"+what, bundle)
			} else {
				g.either(b, "statement member/"+name+"/"+what, bundle, "STATEMENT_MALFORMED")
			}
		}
	}
	g.reject(b, "statement member/resources under another key too", sign(func(s *value) {
		s.at("predicate").set("Resources", list())
	}), "STATEMENT_MALFORMED")
}

// payloads are signed texts that are no statement.
func (g *generator) payloads(b *Base) {
	text := string(b.statement.encode(""))
	for name, t := range inOrder(map[string]string{
		"nothing": "", "null": "null", "a list": "[1, 2]", "a number": "7", "a string": `"statement"`, "no JSON": "statement", "an empty object": "{}",
		"a second document": text + "{}", "NUL behind": text + "\x00", "byte order mark": "\ufeff" + text, "a comment": text + "/**/", "cut off": text[:len(text)/2],
		"nested 100,000 deep": strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), "invalid UTF-8": strings.Replace(text, `"model"`, "\"m\xff\"", 1),
		"half a pair": strings.Replace(text, `"model"`, `"\udc00"`, 1), "UTF-16": utf16Text(text), "NaN": strings.Replace(text, `"allow_symlinks":false`, `"allow_symlinks":NaN`, 1),
		"predicate twice": strings.Replace(text, `"predicate":`, `"predicate":{},"predicate":`, 1), "resources twice": strings.Replace(text, `"resources":`, `"resources":[],"resources":`, 1),
		"deep within a resource": strings.Replace(text, `"algorithm":`, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"algorithm":`, 1),
		"a bundle":               string(b.bundle.encode("")), "base64 of a statement": b.bundle.at("dsseEnvelope", "payload").text,
	}) {
		g.reject(b, "payload/"+name, b.signed([]byte(t)).encode(""), "STATEMENT_MALFORMED")
	}
}
