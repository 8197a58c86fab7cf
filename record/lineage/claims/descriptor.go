package claims

import (
	"sort"
	"strings"

	"bartizan/attest/statement"
	"bartizan/record/lineage"
)

// thing is what a descriptor names: by its digests that bind; where none does by
// the others, and without any by its URI, which nothing holds to its content.
func thing(d *statement.Descriptor, kind lineage.Kind, sure int) lineage.Thing {
	t := lineage.Thing{Kind: kind, Sure: sure, Name: d.Name}
	if t.Name == "" {
		t.Name = d.URI
	}
	t.Version = purlVersion(d.URI)
	if t.Version != "" {
		t.Name = d.URI
	}
	if t.Keys, t.Weak = digestKeys(d.Digest); len(t.Keys) == 0 {
		t.Keys, t.Weak = []string{lineage.NameKey("uri", d.URI)}, true
	}
	for _, k := range t.Keys { // a digest of folders alone
		t.Tree = t.Tree || strings.HasPrefix(k, "dirHash1:")
	}
	return t
}

// digestKeys gives the digests that bind, sha256 first; where none does, the
// others, which are weak.
func digestKeys(d statement.Digests) (keys []string, weak bool) {
	var others []string
	for name, value := range d {
		key := digestKey(name, value)
		if (statement.Digests{name: value}).Binds() {
			keys = append(keys, key)
		} else {
			others = append(others, key)
		}
	}
	if weak = len(keys) == 0; weak {
		keys = others
	}
	sort.Slice(keys, func(i, j int) bool { return order(keys[i]) < order(keys[j]) })
	return keys, weak && len(keys) > 0
}

// digestKey makes a key of a digest, which no name of an algorithm can make look
// like a key of another kind.
func digestKey(name, value string) string {
	switch name {
	case "run", "dataset", "manifest", "uri", "other":
		name = "other." + name
	}
	return name + ":" + value
}

// order puts sha256 first.
func order(key string) string {
	if strings.HasPrefix(key, "sha256:") {
		return ""
	}
	return key
}

// purlVersion gives the version of a package URL, which stands for one content:
// pkg:huggingface/org/model@REVISION.
func purlVersion(uri string) string {
	if !strings.HasPrefix(uri, "pkg:") {
		return ""
	}
	uri, _, _ = strings.Cut(uri, "#")
	uri, _, _ = strings.Cut(uri, "?")
	if i := strings.LastIndexByte(uri, '@'); i >= 0 {
		return uri[i+1:]
	}
	return ""
}

// kindOf says what a dependency is, by its role or else by its digest.
func kindOf(d *statement.Descriptor) (lineage.Kind, int) {
	switch d.Role() {
	case statement.RoleDataset:
		return lineage.Dataset, lineage.Role
	case statement.RoleCode:
		return lineage.Code, lineage.Role
	case statement.RoleBaseModel:
		return lineage.Model, lineage.Role
	}
	if d.Digest["gitCommit"] != "" || d.Digest["gitTree"] != "" {
		return lineage.Code, lineage.Guess
	}
	return lineage.Artifact, lineage.Guess
}
