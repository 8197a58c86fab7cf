package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// Rule is a catalogued reason for findings.
type Rule struct {
	// ID is family/name, lower case, words joined by hyphens. It is never reused.
	ID string `json:"id"`
	// Title is one line without a full stop; Help says what was seen, why it
	// matters and what it cannot tell.
	Title string `json:"title"`
	Help  string `json:"help"`
	// Severity and Confidence are the defaults; a finding may say otherwise.
	Severity   Severity   `json:"severity"`
	Confidence Confidence `json:"confidence"`
	// References are CWE-…, CVE-…, GHSA-…, AML.T…, LLM03:2025, ML06:2023, https://….
	References  []string `json:"references,omitempty"`
	Remediation string   `json:"remediation"`
	// Evidence documents the keys of Finding.Evidence.
	Evidence map[string]string `json:"evidence,omitempty"`
}

// New makes a finding of the rule at a place.
func (r *Rule) New(place Place, message string, evidence map[string]any) Finding {
	return Finding{
		Rule: r.ID, Severity: r.Severity, Confidence: r.Confidence,
		Place: place, Message: message, Evidence: evidence, References: r.References,
	}
}

// Catalogue is a set of rules by id.
type Catalogue struct {
	rules []Rule
	byID  map[string]int
}

// NewCatalogue joins rules. It errs on an id that is badly formed or given
// twice, and on a rule without title, help, remediation or known references.
func NewCatalogue(rules ...[]Rule) (*Catalogue, error) {
	c := &Catalogue{byID: map[string]int{}}
	for _, set := range rules {
		for _, r := range set {
			if err := check(r); err != nil {
				return nil, err
			}
			if _, twice := c.byID[r.ID]; twice {
				return nil, fmt.Errorf("rule %s: declared twice", r.ID)
			}
			c.byID[r.ID] = 0
			c.rules = append(c.rules, r)
		}
	}
	sort.Slice(c.rules, func(i, j int) bool { return c.rules[i].ID < c.rules[j].ID })
	for i, r := range c.rules {
		c.byID[r.ID] = i
	}
	return c, nil
}

// Digest names the catalogue's content, "sha256:" and 64 hex digits.
func (c *Catalogue) Digest() string {
	h := sha256.New()
	for _, r := range c.rules {
		b, err := json.Marshal(r)
		if err != nil {
			b = []byte(err.Error())
		}
		h.Write(b)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Rules gives the rules in order of id. The slice must not be changed.
func (c *Catalogue) Rules() []Rule { return c.rules }

// Rule gives the rule of that id.
func (c *Catalogue) Rule(id string) (Rule, bool) {
	i, ok := c.byID[id]
	if !ok {
		return Rule{}, false
	}
	return c.rules[i], true
}

func check(r Rule) error {
	family, name, ok := strings.Cut(r.ID, "/")
	if !ok || !isWord(family) || !isWord(name) {
		return fmt.Errorf("rule %q: id must be family/name in lower case", r.ID)
	}
	if r.Title == "" || r.Help == "" || r.Remediation == "" {
		return fmt.Errorf("rule %s: title, help and remediation are required", r.ID)
	}
	if r.Confidence == ConfidenceDefault {
		return fmt.Errorf("rule %s: confidence is required", r.ID)
	}
	for _, ref := range r.References {
		if err := checkReference(ref); err != nil {
			return fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	return nil
}

func isWord(s string) bool {
	if s == "" {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
