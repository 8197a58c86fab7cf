package statement

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// SLSAProvenance says how the subjects were made: SLSA Provenance v1
// (https://slsa.dev/provenance/v1). [Training] makes one for a training run;
// any other build type is read as well. Members that are not known are ignored,
// as the specification demands.
type SLSAProvenance struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// BuildDefinition is what went in.
type BuildDefinition struct {
	// BuildType is the URI that says how the parameters are to be read.
	BuildType string `json:"buildType"`
	// ExternalParameters are those that whoever started the run chose;
	// InternalParameters those of the platform. Any JSON values.
	ExternalParameters   map[string]jsontext.Value `json:"externalParameters"`
	InternalParameters   map[string]jsontext.Value `json:"internalParameters,omitempty"`
	ResolvedDependencies List[Descriptor]          `json:"resolvedDependencies,omitempty"`
}

// RunDetails is where and when it ran.
type RunDetails struct {
	Builder    Builder          `json:"builder"`
	Metadata   BuildMetadata    `json:"metadata,omitzero"`
	Byproducts List[Descriptor] `json:"byproducts,omitempty"`
}

// Builder is who vouches that it ran so.
type Builder struct {
	// ID is a URI for the platform with everything that it trusts.
	ID           string            `json:"id"`
	Version      map[string]string `json:"version,omitempty"`
	Dependencies List[Descriptor]  `json:"builderDependencies,omitempty"`
}

// BuildMetadata is about the one run. Times are zero where they are not known.
type BuildMetadata struct {
	InvocationID string `json:"invocationId,omitzero"`
	StartedOn    Time   `json:"startedOn,omitzero"`
	FinishedOn   Time   `json:"finishedOn,omitzero"`
}

// ParseSLSAProvenance reads the predicate of a statement.
func ParseSLSAProvenance(s *Statement) (*SLSAProvenance, error) { return parse(s, &SLSAProvenance{}) }

// Type implements Predicate.
func (*SLSAProvenance) Type() string { return SLSAProvenanceType }

func (*SLSAProvenance) exact() bool { return false }

func (p *SLSAProvenance) check([]Descriptor) error {
	b, r := &p.BuildDefinition, &p.RunDetails
	if err := checkURI(b.BuildType); err != nil {
		return fmt.Errorf("buildDefinition/buildType: %w", err)
	}
	if err := checkURI(r.Builder.ID); err != nil {
		return fmt.Errorf("runDetails/builder/id: %w", err)
	}
	if len(r.Metadata.InvocationID) > MaxURI {
		return fmt.Errorf("runDetails/metadata/invocationId: more than %d bytes", MaxURI)
	}
	if m := r.Metadata; !m.StartedOn.IsZero() && !m.FinishedOn.IsZero() && m.FinishedOn.Before(m.StartedOn.Time) {
		return fmt.Errorf("runDetails/metadata: finished before it started")
	}
	for where, list := range map[string][]Descriptor{
		"buildDefinition/resolvedDependencies":   b.ResolvedDependencies,
		"runDetails/byproducts":                  r.Byproducts,
		"runDetails/builder/builderDependencies": r.Builder.Dependencies,
	} {
		if err := checkDescriptors(where, list); err != nil {
			return err
		}
	}
	return nil
}

// Training says whether the build type is that of a training run.
func (p *SLSAProvenance) Training() bool { return p.BuildDefinition.BuildType == TrainingRunType }

// Dependencies gives the resolved dependencies with a role; with "", all.
func (p *SLSAProvenance) Dependencies(role Role) []Descriptor {
	var out []Descriptor
	for _, d := range p.BuildDefinition.ResolvedDependencies {
		if role == "" || d.Role() == role {
			out = append(out, d)
		}
	}
	return out
}
