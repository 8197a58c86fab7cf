package oms

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest"
	"bartizan/attest/hashing"
	"bartizan/attest/statement"
	"bartizan/attest/strictjson"
	"bartizan/attest/tree"
)

// The JSON of the statement, as schemas/v1.0 of the specification has it: the
// statement and the predicate have exactly these members, what lies within may
// have more.
type (
	wireStatement struct {
		Type          *string        `json:"_type"`
		Subject       []wireSubject  `json:"subject"`
		PredicateType *string        `json:"predicateType"`
		Predicate     *wirePredicate `json:"predicate"`
	}
	wireSubject struct {
		Name    string            `json:"name"`
		Digest  map[string]string `json:"digest"`
		Unknown jsontext.Value    `json:",embed"`
	}
	wirePredicate struct {
		Serialization *wireSerialization `json:"serialization"`
		Resources     []wireResource     `json:"resources"`
	}
	wireSerialization struct {
		Method        string         `json:"method"`
		HashType      string         `json:"hash_type"`
		ShardSize     jsontext.Value `json:"shard_size,omitempty"`
		AllowSymlinks bool           `json:"allow_symlinks"`
		IgnorePaths   []string       `json:"ignore_paths,omitempty"`
		Unknown       jsontext.Value `json:",embed"`
	}
	wireResource struct {
		Name      string         `json:"name"`
		Algorithm string         `json:"algorithm"`
		Digest    string         `json:"digest"`
		Unknown   jsontext.Value `json:",embed"`
	}
	// wireLegacy is the statement of releases before the specification.
	wireLegacy struct {
		Type          string         `json:"_type"`
		Subject       []wireSubject  `json:"subject"`
		PredicateType string         `json:"predicateType"`
		Predicate     jsontext.Value `json:"predicate,omitempty"`
	}
)

func malformed(name, format string, args ...any) error {
	return attest.Refuse(attest.StatementMalformed, name, format, args...)
}

// limits bound a statement: an object a resource, with a few members each.
func limits() strictjson.Limits {
	const others = 100
	return strictjson.Limits{Objects: MaxResources + others, Commas: 4*MaxResources + maxIgnored}
}

// maxIgnored is how many paths a signer may leave out.
const maxIgnored = 10_000

// kindOf reads only what the statement says that it is.
func kindOf(payload []byte) (typ, predicate string, err error) {
	var k struct {
		Type          *string `json:"_type"`
		PredicateType *string `json:"predicateType"`
	}
	if err := strictjson.Unmarshal(payload, &k); err != nil {
		return "", "", malformed("", "%v", err)
	}
	if k.Type == nil || k.PredicateType == nil {
		return "", "", malformed("", "_type and predicateType are required")
	}
	return *k.Type, *k.PredicateType, nil
}

// parse reads a payload that was authenticated.
func parse(payload []byte) (*Model, error) {
	typ, predicate, err := kindOf(payload)
	switch {
	case err != nil:
		return nil, err
	case typ != statement.Type:
		return nil, attest.Refuse(attest.StatementType, "", "want %s", statement.Type)
	case predicate == LegacyPredicateType:
		return parseLegacy(payload)
	case predicate != PredicateType:
		return nil, attest.Refuse(attest.PredicateType, "", "want %s", PredicateType)
	}
	if err := strictjson.Check(payload, limits()); err != nil {
		return nil, attest.Refuse(attest.OMSLimit, "", "%v", err)
	}
	var s wireStatement
	if err := strictjson.UnmarshalExact(payload, &s); err != nil {
		return nil, malformed("", "%v", err)
	}
	if len(s.Subject) != 1 {
		return nil, malformed("subject", "%d subjects: want exactly one", len(s.Subject))
	}
	if s.Predicate == nil || s.Predicate.Serialization == nil {
		return nil, malformed("predicate", "serialization is required")
	}
	m := &Model{Name: s.Subject[0].Name}
	if err := m.serialization(s.Predicate.Serialization); err != nil {
		return nil, err
	}
	if err := m.resources(s.Predicate.Resources); err != nil {
		return nil, err
	}
	return m, m.root(s.Subject[0].Digest)
}

func (m *Model) serialization(s *wireSerialization) (err error) {
	if m.Algorithm, err = hashing.ParseAlgorithm(s.HashType); err != nil {
		return err
	}
	switch s.Method {
	case methodFiles:
		if kind := strictjson.Kind(s.ShardSize); kind != 0 && kind != 'n' {
			return attest.Refuse(attest.OMSShardsInvalid, "", "whole files have no shard_size")
		}
	case methodShards:
		if m.ShardSize, err = shardSize(s.ShardSize); err != nil {
			return err
		}
	default:
		return malformed("predicate.serialization.method", "neither files nor shards")
	}
	if len(s.IgnorePaths) > maxIgnored {
		return attest.Refuse(attest.OMSLimit, "", "%d ignored paths: at most %d are read", len(s.IgnorePaths), maxIgnored)
	}
	for _, p := range s.IgnorePaths {
		if p == "." { // everything: the policy refuses it where it matters
			m.Ignored = append(m.Ignored, p)
			continue
		}
		if err := tree.CheckName(p); err != nil {
			return err
		}
		m.Ignored = append(m.Ignored, p)
	}
	return nil
}

// shardSize reads a whole number, which released signers wrote as a float.
func shardSize(raw jsontext.Value) (int64, error) {
	refused := attest.Refuse(attest.OMSShardsInvalid, "", "shard_size is no whole number of at least 1")
	if strictjson.Kind(raw) != '0' {
		return 0, refused
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(string(raw)), 64)
	if err != nil || f < 1 || f > 1<<53 || f != math.Trunc(f) {
		return 0, refused
	}
	return int64(f), nil
}

func (m *Model) resources(list []wireResource) error {
	switch {
	case len(list) == 0:
		return attest.Refuse(attest.OMSEmpty, "", "the statement lists no files")
	case len(list) > MaxResources:
		return attest.Refuse(attest.OMSLimit, "", "%d resources: at most %d are read", len(list), MaxResources)
	}
	m.Resources = make([]Resource, len(list))
	for i := range list {
		r, err := m.resource(&list[i])
		if err != nil {
			return err
		}
		m.Resources[i] = r
	}
	if m.ShardSize > 0 {
		return m.checkShards()
	}
	return m.checkNames(func(yield func(string)) {
		for i := range m.Resources {
			yield(m.Resources[i].Name)
		}
	})
}

// checkNames lets a lone "." stand for the model that is one file.
func (m *Model) checkNames(each func(yield func(string))) error {
	var names []string
	each(func(n string) { names = append(names, n) })
	if len(names) == 1 && names[0] == tree.Only {
		return nil
	}
	return tree.CheckNames(names)
}

func (m *Model) resource(w *wireResource) (Resource, error) {
	r := Resource{Name: w.Name, End: -1}
	declared := string(m.Algorithm)
	sharded := declared + "-sharded-" + strconv.FormatInt(m.ShardSize, 10) // as released signers write it
	if w.Algorithm != declared && (m.ShardSize == 0 || w.Algorithm != sharded) {
		return r, attest.Refuse(attest.OMSAlgorithm, tree.Show(w.Name), "the resource has another algorithm than hash_type")
	}
	var err error
	if r.Digest, err = hexDigest(w.Digest, m.Algorithm.Size()); err != nil {
		return r, malformed(tree.Show(w.Name), "%v", err)
	}
	if m.ShardSize > 0 {
		return r, r.cut()
	}
	return r, nil
}

func hexDigest(s string, size int) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || strings.ToLower(s) != s {
		return nil, errHex
	}
	if len(b) != size {
		return nil, errDigestSize
	}
	return b, nil
}

// root recomputes the subject's digest.
func (m *Model) root(digests map[string]string) error {
	want, err := hexDigest(digests["sha256"], sha256.Size)
	if err != nil {
		return malformed("subject.digest.sha256", "%v", err)
	}
	h := sha256.New()
	for i := range m.Resources {
		h.Write(m.Resources[i].Digest)
	}
	h.Sum(m.Root[:0])
	if string(want) != string(m.Root[:]) {
		return attest.Refuse(attest.OMSRootMismatch, "", "the resources hash to %x", m.Root)
	}
	return nil
}

// parseLegacy reads the statement of releases 0.1 and 0.2 of model_signing: each
// file is a subject, always SHA-256, and nothing sums them up.
func parseLegacy(payload []byte) (*Model, error) {
	var s wireLegacy
	if err := strictjson.UnmarshalExact(payload, &s); err != nil {
		return nil, malformed("", "%v", err)
	}
	m := &Model{Algorithm: hashing.SHA256, Legacy: true}
	list := make([]wireResource, len(s.Subject))
	for i, sub := range s.Subject {
		list[i] = wireResource{Name: sub.Name, Algorithm: string(hashing.SHA256), Digest: sub.Digest["sha256"]}
	}
	if err := m.resources(list); err != nil {
		return nil, err
	}
	h := sha256.New()
	for i := range m.Resources {
		h.Write(m.Resources[i].Digest)
	}
	h.Sum(m.Root[:0])
	return m, nil
}

// payload writes the statement of a model.
func (m *Model) payload() ([]byte, error) {
	typ, predicate := statement.Type, PredicateType
	method, algorithm := methodFiles, string(m.Algorithm)
	s := wireSerialization{HashType: string(m.Algorithm), IgnorePaths: m.Ignored}
	if m.ShardSize > 0 {
		method = methodShards
		size := strconv.FormatInt(m.ShardSize, 10)
		s.ShardSize = jsontext.Value(size)
		algorithm += "-sharded-" + size // as the reference implementation writes and wants it
	}
	s.Method = method
	list := make([]wireResource, len(m.Resources))
	for i := range m.Resources {
		list[i] = wireResource{Name: m.Resources[i].wireName(), Algorithm: algorithm, Digest: hex.EncodeToString(m.Resources[i].Digest)}
	}
	return json.Marshal(wireStatement{
		Type:          &typ,
		Subject:       []wireSubject{{Name: m.Name, Digest: map[string]string{"sha256": hex.EncodeToString(m.Root[:])}}},
		PredicateType: &predicate,
		Predicate:     &wirePredicate{Serialization: &s, Resources: list},
	})
}
