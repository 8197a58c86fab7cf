// Package subject names what Bartizan examines: a kind and an id that stays
// the same from run to run, and a digest where the whole was read.
//
// It decides nothing; every other package speaks about things by it.
package subject

// Kind says which sort of thing a subject is. Its text is part of the report.
type Kind string

// The kinds. A kind is never renamed: reports and stored records carry it.
const (
	File    Kind = "file"
	Model   Kind = "model"
	Dataset Kind = "dataset"
	Message Kind = "message"
	Media   Kind = "media"
	Usage   Kind = "usage"
	Log     Kind = "log"
	Prompt  Kind = "prompt"
	Action  Kind = "action"
	Window  Kind = "window"
	Run     Kind = "run"
	System  Kind = "system"
	Agent   Kind = "agent"
)

// Kinds lists every kind in the order of the design.
func Kinds() []Kind {
	return []Kind{File, Model, Dataset, Message, Media, Usage, Log, Prompt, Action, Window, Run, System, Agent}
}

// Subject is one thing that is examined.
type Subject struct {
	Kind Kind
	// ID is the path as it was given (relative stays relative) or the record's own id.
	ID string
	// Size is the number of bytes, or -1 where it is not known.
	Size int64
	// Digest is "sha256:" and 64 hex digits, or empty where the whole was not read.
	Digest string
}
