package records

import (
	"errors"
	"fmt"
	"slices"

	json "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"bartizan/attest"
	"bartizan/attest/manifest"
	"bartizan/attest/manifest/digest"
	"bartizan/attest/manifest/merkle"
	"bartizan/attest/strictjson"
	"bartizan/attest/tree"
)

// ProofSchema is the version of the document of a proof.
const ProofSchema = "bartizan.record-proof/v1"

// Limits of a proof's document.
const (
	// MaxProof is its size in bytes.
	MaxProof = 16 << 20
	// MaxShapes is how many shapes the files of a dataset may have together.
	MaxShapes = 4096
)

// Proof shows whether one record is in a file or dataset to somebody who has the
// root that somebody trusted (a signed manifest), and the record.
//
// What it shows: that the record occurs so many times, or not at all, among
// the records that the maker of the root committed to. What it discloses: the
// header or schema, how many records there are, and of absence the digests of
// two neighbours, which without a salt can be guessed where records can be. What
// rests on trust in the maker: that the root is over the data, with its leaves
// in order (see merkle); that is what a check against the data is for.
type Proof struct {
	// File is whose root it is about, or "" for that of the whole dataset. It is a
	// hint where to look in a manifest: no root covers it.
	File     string
	Shapes   []Shape
	Salt     Digest
	Count    uint64
	Distinct uint64
	Tree     Digest
	// Claims has the leaves for the record as it reads in each shape; none where
	// it cannot be read in it, since then no such file has it.
	Claims [][]merkle.Leaf
}

// Prove makes the proof for a record in the form of ParseRecord's text.
// RECORD_MALFORMED says that it is no record of any shape of the set.
func (s *Set) Prove(file string, record []byte) (*Proof, error) {
	if len(s.Shapes) > MaxShapes {
		return nil, fmt.Errorf("the files have %d headers or schemas, more than the %d that one proof can speak of: prove file by file", len(s.Shapes), MaxShapes)
	}
	digests, err := digestsOf(s.Shapes, s.Salt, record)
	if err != nil {
		return nil, err
	}
	p := &Proof{
		File: file, Shapes: s.Shapes, Salt: s.Salt.ID(), Count: s.Tree.Total(),
		Distinct: s.Tree.Distinct(), Tree: s.Tree.Root(), Claims: make([][]merkle.Leaf, len(s.Shapes)),
	}
	for i, d := range digests {
		if d != nil {
			p.Claims[i] = s.Tree.Prove(*d)
		}
	}
	return p, nil
}

// digestsOf gives the digest of a record as it reads in each shape, nil where it
// does not. That it is no record at all is refused: a slip of the pen would be
// proven absent.
func digestsOf(shapes []Shape, salt *Salt, record []byte) ([]*Digest, error) {
	out := make([]*Digest, len(shapes))
	read := map[Format]parsed{}
	var first error
	readable, isEmpty := false, false
	for i, s := range shapes {
		p, done := read[s.Format]
		if !done {
			p.body, p.err = ParseRecord(s.Format, record)
			read[s.Format] = p
		}
		err := p.err
		if err == nil {
			err = s.fits(p.body)
		}
		if err != nil {
			if first == nil || isEmpty { // what another shape says of it tells more
				first, isEmpty = err, s.isEmpty()
			}
			continue
		}
		readable = true
		d := NewHasher(s.Digest(), salt).Sum(p.body)
		out[i] = &d
	}
	if !readable && first != nil {
		return nil, first
	}
	return out, nil
}

// parsed is what ParseRecord gives.
type parsed struct {
	body []byte
	err  error
}

// isEmpty says that it is the shape of a CSV file without even a header.
func (s Shape) isEmpty() bool { return s.Format == CSV && len(s.Around) == 0 }

// fits refuses what could never be a record of the shape: a row of another
// number of fields than the header, or that the schema does not allow.
func (s Shape) fits(body []byte) error {
	switch s.Format {
	case CSV:
		switch have, want := countFields(body), countFields(s.Around); {
		case s.isEmpty():
			return attest.Refuse(attest.RecordMalformed, "", "a row under no header: the file is empty")
		case have != want:
			return attest.Refuse(attest.RecordMalformed, "", "a row of %d fields under a header of %d", have, want)
		}
	case Parquet:
		schema, err := parseSchema(s.Around)
		if err == nil {
			err = schema.fits(body)
		}
		if err != nil {
			return attest.Refuse(attest.RecordMalformed, "", "no row of the Parquet schema: %s", err)
		}
	}
	return nil
}

// check says why nothing can be read under the shape: what is passed over would
// be proven absent.
func (s Shape) check() error {
	switch {
	case !s.Format.Known():
		return errors.New("an unknown format of records")
	case s.Format == CSV && countFields(s.Around) < 0:
		return errors.New("a header that is none")
	case s.Format == JSONL && len(s.Around) > 0:
		return errors.New("something around JSON Lines")
	case s.Format == Parquet:
		_, err := parseSchema(s.Around)
		return err
	}
	return nil
}

// Verify says how often the record occurs under the root, 0 where it is proven
// absent. RECORD_PROOF_INVALID says that the proof shows nothing, and why;
// RECORD_MALFORMED that record is no record of any shape. A salt that is missing
// or another is an error without a code: nothing was checked.
func (p *Proof) Verify(root Digest, salt *Salt, record []byte) (count uint64, err error) {
	invalid := func(format string, args ...any) error {
		return attest.Refuse(attest.RecordUnproven, tree.Show(p.File), format, args...)
	}
	commitment, err := p.commitment()
	if err != nil {
		return 0, invalid("%s", err)
	}
	if commitment.Root() != root {
		return 0, invalid("the proof is about another root: %s, not %s", digest.SHA256(commitment.Root()), digest.SHA256(root))
	}
	switch id := salt.ID(); {
	case p.Salt == id:
	case salt == nil:
		return 0, errors.New("the records are salted: checking a proof needs the salt (--salt-file)")
	case p.Salt == Digest{}:
		return 0, errors.New("the records are not salted: leave the salt out")
	default:
		return 0, errSalt
	}
	digests, err := digestsOf(p.Shapes, salt, record)
	if err != nil {
		return 0, err
	}
	for i, d := range digests {
		if d == nil {
			continue
		}
		n, err := merkle.Verify(*d, p.Distinct, p.Tree, p.Claims[i])
		if err != nil {
			return 0, invalid("%s", err)
		}
		if n > p.Count-count {
			return 0, invalid("the record occurs more often than there are records")
		}
		count += n
	}
	if count == 0 && p.isHeader(record) {
		return 0, invalid("the record is the header of a CSV file, which is committed to as such and not as a record")
	}
	return count, nil
}

// Fits says of how many of the shapes the text is a record. Of the others it is
// none, and so trivially absent: of a dataset of several formats or headers, a
// slip of the pen for one can be a record of another.
func (p *Proof) Fits(record []byte) (n int) {
	for _, s := range p.Shapes {
		if body, err := ParseRecord(s.Format, record); err == nil && s.fits(body) == nil {
			n++
		}
	}
	return n
}

// isHeader says whether a record that is not among the rows is a header.
func (p *Proof) isHeader(record []byte) bool {
	for _, s := range p.Shapes {
		if body, err := ParseRecord(s.Format, record); s.Format == CSV && err == nil && string(body) == string(s.Around) {
			return true
		}
	}
	return false
}

// commitment is what the proof says the root commits to.
func (p *Proof) commitment() (*Commitment, error) {
	c := &Commitment{Salt: p.Salt, Count: p.Count, Distinct: p.Distinct, Tree: p.Tree}
	if len(p.Claims) != len(p.Shapes) {
		return nil, fmt.Errorf("%d claims for %d shapes", len(p.Claims), len(p.Shapes))
	}
	if p.Distinct > p.Count {
		return nil, errors.New("more distinct records than records")
	}
	for _, s := range p.Shapes {
		if err := s.check(); err != nil {
			return nil, err
		}
		c.Shapes = append(c.Shapes, s.Digest())
	}
	for i := 1; i < len(c.Shapes); i++ {
		if compare(c.Shapes[i-1], c.Shapes[i]) >= 0 {
			return nil, errors.New("shapes out of order")
		}
	}
	return c, nil
}

// proofJSON is the document; its members are in the order of RFC 8785.
type proofJSON struct {
	Claims   [][]leafJSON   `json:"claims"`
	Count    uint64         `json:"count"`
	Distinct uint64         `json:"distinct"`
	File     string         `json:"file,omitempty"`
	Salt     *digest.SHA256 `json:"salt,omitempty"`
	Schema   string         `json:"schema"`
	Shapes   []Shape        `json:"shapes"`
	Tree     digest.SHA256  `json:"tree"`
}

type leafJSON struct {
	Count  uint64          `json:"count"`
	Digest digest.SHA256   `json:"digest"`
	Index  uint64          `json:"index"`
	Path   []digest.SHA256 `json:"path"`
}

// Marshal gives the document in canonical form (RFC 8785).
func (p *Proof) Marshal() ([]byte, error) {
	doc := proofJSON{
		Claims: make([][]leafJSON, len(p.Claims)), Count: p.Count, Distinct: p.Distinct,
		File: p.File, Schema: ProofSchema, Shapes: p.Shapes, Tree: p.Tree,
	}
	if salt := digest.SHA256(p.Salt); !salt.IsZero() {
		doc.Salt = &salt
	}
	for i, claim := range p.Claims {
		doc.Claims[i] = make([]leafJSON, len(claim))
		for j, l := range claim {
			path := make([]digest.SHA256, len(l.Path))
			for k := range l.Path {
				path[k] = l.Path[k]
			}
			doc.Claims[i][j] = leafJSON{Count: l.Count, Digest: l.Member, Index: l.Index, Path: path}
		}
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	out := jsontext.Value(raw)
	if err := out.Canonicalize(); err != nil {
		return nil, fmt.Errorf("proof: %w", err)
	}
	return out, nil
}

// ParseProof reads the document of a proof. RECORD_PROOF_INVALID says that it is
// none; that it proves something is for Verify to say.
func ParseProof(data []byte) (*Proof, error) {
	invalid := func(format string, args ...any) error {
		return attest.Refuse(attest.RecordUnproven, "", format, args...)
	}
	if len(data) > MaxProof {
		return nil, invalid("more than %d bytes", MaxProof)
	}
	var doc proofJSON
	if err := strictjson.UnmarshalExact(data, &doc); err != nil {
		return nil, invalid("no proof: %s", err)
	}
	switch {
	case manifest.HasNull(data):
		return nil, invalid("no proof: null, which no member is")
	case doc.Schema != ProofSchema:
		return nil, invalid("the schema is not %s", ProofSchema)
	case len(doc.Shapes) > MaxShapes:
		return nil, invalid("more than %d shapes", MaxShapes)
	case doc.Salt != nil && doc.Salt.IsZero():
		return nil, invalid("a salt of zeros")
	}
	p := &Proof{File: doc.File, Shapes: doc.Shapes, Count: doc.Count, Distinct: doc.Distinct, Tree: doc.Tree}
	if doc.Salt != nil {
		p.Salt = *doc.Salt
	}
	for _, claim := range doc.Claims {
		leaves := make([]merkle.Leaf, len(claim))
		for j, l := range claim {
			leaves[j] = merkle.Leaf{Index: l.Index, Member: l.Digest, Count: l.Count}
			for _, h := range l.Path {
				leaves[j].Path = append(leaves[j].Path, Digest(h))
			}
		}
		p.Claims = append(p.Claims, slices.Clip(leaves))
	}
	if _, err := p.commitment(); err != nil {
		return nil, invalid("%s", err)
	}
	return p, nil
}
