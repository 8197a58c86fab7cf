package statement

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// VSA says that somebody decided about the subjects by a policy: SLSA
// Verification Summary v1 (https://slsa.dev/verification_summary/v1). Members
// that are not known are ignored, as the specification demands.
type VSA struct {
	Verifier     Verifier `json:"verifier"`
	TimeVerified Time     `json:"timeVerified"`
	// ResourceURI is what the decision is for: a decision for one environment
	// or name is none for another.
	ResourceURI string `json:"resourceUri"`
	// Policy has a URI; those of this project also a digest.
	Policy Descriptor `json:"policy"`
	// InputAttestations, if there are any, are all that were looked at. Only URI
	// and Digest: in-toto's protobuf of this predicate knows no more.
	InputAttestations  List[Descriptor] `json:"inputAttestations,omitempty"`
	VerificationResult Result           `json:"verificationResult"`
	VerifiedLevels     List[string]     `json:"verifiedLevels"`
	DependencyLevels   map[string]Count `json:"dependencyLevels,omitempty"`
	SLSAVersion        string           `json:"slsaVersion,omitzero"`
}

// Verifier is who decided.
type Verifier struct {
	// ID is a URI. Whoever acts on a VSA accepts only certain pairs of signer and ID.
	ID string `json:"id"`
	// Version came with SLSA 1.1; in-toto's protobuf of 1.0 does not know it.
	Version map[string]string `json:"version,omitempty"`
}

// Count is a number that protobuf's JSON writes as a string and everybody else
// as a number. It is written as a number.
type Count uint64

// UnmarshalJSON reads both.
func (c *Count) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	if jsontext.Value(raw).Kind() == '"' {
		unquoted, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return err
		}
		text = string(unquoted)
	}
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		return errors.New("no count")
	}
	*c = Count(n)
	return nil
}

// ParseVSA reads the predicate of a statement.
func ParseVSA(s *Statement) (*VSA, error) { return parse(s, &VSA{}) }

// Type implements Predicate.
func (*VSA) Type() string { return VSAType }

func (*VSA) exact() bool { return false }

func (v *VSA) check([]Descriptor) error {
	if err := checkURI(v.Verifier.ID); err != nil {
		return fmt.Errorf("verifier/id: %w", err)
	}
	if v.TimeVerified.IsZero() {
		return errors.New("timeVerified is missing")
	}
	if err := checkURI(v.ResourceURI); err != nil {
		return fmt.Errorf("resourceUri: %w", err)
	}
	if v.Policy.URI == "" {
		return errors.New("policy/uri is missing")
	}
	if err := v.Policy.check(); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if err := checkDescriptors("inputAttestations", v.InputAttestations); err != nil {
		return err
	}
	for i := range v.InputAttestations {
		if len(v.InputAttestations[i].Digest) == 0 {
			return fmt.Errorf("inputAttestations/%d has no digest", i)
		}
	}
	return v.checkResult()
}

// maxLevels bounds what one summary can list.
const maxLevels = 1000

// checkResult holds the result and the levels together: whoever reads only one
// of them must not be misled.
func (v *VSA) checkResult() error {
	if v.VerificationResult != Passed && v.VerificationResult != Failed {
		return fmt.Errorf("verificationResult is %q, not PASSED or FAILED", clip(string(v.VerificationResult)))
	}
	if n := len(v.VerifiedLevels); n == 0 || n > maxLevels || len(v.DependencyLevels) > maxLevels {
		return fmt.Errorf("verifiedLevels or dependencyLevels: want 1 to %d levels", maxLevels)
	}
	tracks := map[string]bool{}
	for _, level := range v.VerifiedLevels {
		if level == "" || len(level) > MaxName {
			return errors.New("verifiedLevels: a level that is empty or too long")
		}
		if (level == string(Failed)) != (v.VerificationResult == Failed) {
			return fmt.Errorf("verifiedLevels has %q where the result is %s", clip(level), v.VerificationResult)
		}
		track := track(level)
		if track != "" && tracks[track] {
			return fmt.Errorf("verifiedLevels has more than one level of %s", clip(track))
		}
		tracks[track] = true
	}
	return nil
}

// track gives SLSA_BUILD of SLSA_BUILD_LEVEL_3, and "" of what is no SLSA level.
func track(level string) string {
	if name, _, ok := strings.Cut(level, "_LEVEL_"); ok && strings.HasPrefix(name, "SLSA_") {
		return name
	}
	return ""
}
