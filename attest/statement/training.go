package statement

import (
	"github.com/go-json-experiment/json/jsontext"
)

// TrainingRunType is the SLSA build type of a training run, described in
// docs/predicates.md: external parameters are the hyper-parameters and seeds,
// each a member; resolved dependencies carry their [Role].
const TrainingRunType = "https://bartizan.invalid/build-types/training-run/v1"

// Role is what a thing was in a run or an evaluation, in the annotation
// bartizan_role of its descriptor. A descriptor without one plays a part that
// is not known.
type Role string

// The roles that are written. Others are read and kept.
const (
	RoleDataset     Role = "dataset"
	RoleCode        Role = "code"
	RoleBaseModel   Role = "base-model"
	RoleEnvironment Role = "environment"
	RoleLog         Role = "log"
	RoleMetrics     Role = "metrics"
	RoleReport      Role = "report"
)

// roleAnnotation has the vendor's name before it, as SLSA and in-toto want
// extension fields.
const roleAnnotation = "bartizan_role"

// WithRole gives the descriptor with a role.
func (d Descriptor) WithRole(r Role) Descriptor {
	annotations := make(map[string]jsontext.Value, len(d.Annotations)+1)
	for k, v := range d.Annotations {
		annotations[k] = v
	}
	d.Annotations = annotations
	d.Annotate(roleAnnotation, string(r))
	return d
}

// Role gives the role, or "".
func (d *Descriptor) Role() Role { return Role(d.Annotation(roleAnnotation)) }

// Training is a training run in the terms of those who train: what the subject,
// the model, was made of. Provenance gives it as SLSA Provenance.
type Training struct {
	// Parameters are hyper-parameters and seeds, any JSON values.
	Parameters map[string]jsontext.Value
	// Platform are parameters that the platform set and not the user.
	Platform    map[string]jsontext.Value
	Datasets    []Descriptor
	Code        []Descriptor
	BaseModels  []Descriptor
	Environment []Descriptor // lock files, container images
	Logs        []Descriptor
	Metrics     []Descriptor

	BuilderID      string
	BuilderVersion map[string]string
	InvocationID   string
	Started        Time
	Finished       Time
}

// Provenance gives the run as SLSA Provenance of build type TrainingRunType.
func (t *Training) Provenance() *SLSAProvenance {
	p := &SLSAProvenance{
		BuildDefinition: BuildDefinition{
			BuildType: TrainingRunType, ExternalParameters: t.Parameters, InternalParameters: t.Platform,
		},
		RunDetails: RunDetails{
			Builder:  Builder{ID: t.BuilderID, Version: t.BuilderVersion},
			Metadata: BuildMetadata{InvocationID: t.InvocationID, StartedOn: t.Started, FinishedOn: t.Finished},
		},
	}
	for _, in := range []struct {
		role Role
		list []Descriptor
	}{{RoleDataset, t.Datasets}, {RoleCode, t.Code}, {RoleBaseModel, t.BaseModels}, {RoleEnvironment, t.Environment}} {
		p.BuildDefinition.ResolvedDependencies = withRole(p.BuildDefinition.ResolvedDependencies, in.role, in.list)
	}
	p.RunDetails.Byproducts = withRole(p.RunDetails.Byproducts, RoleLog, t.Logs)
	p.RunDetails.Byproducts = withRole(p.RunDetails.Byproducts, RoleMetrics, t.Metrics)
	return p
}

func withRole(to []Descriptor, role Role, list []Descriptor) []Descriptor {
	for _, d := range list {
		to = append(to, d.WithRole(role))
	}
	return to
}
