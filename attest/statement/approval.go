package statement

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Approval says that one person consents, or does not, to one digest for one
// purpose until a time. It is this project's own predicate (docs/predicates.md)
// and is read exactly: a member that is not known could restrict the consent,
// and ignoring it would grant more than was given.
//
// How many approvals of whom are enough is not decided here.
type Approval struct {
	// Verdict is APPROVED or REJECTED.
	Verdict ApprovalVerdict `json:"verdict"`
	// Purpose is what the subject may be used for: "deploy".
	Purpose string `json:"purpose"`
	// Environment is where: "production". Empty where the purpose has no place.
	Environment string `json:"environment,omitzero"`
	// Decision is the digest of the gate's decision that the approver saw, so
	// that consent to one state of knowledge is none to another. Empty where
	// there was no gate.
	Decision Digests `json:"decision,omitempty"`
	// Request is the id of the request that is answered.
	Request string `json:"request,omitzero"`
	// Requester is who asked; nobody approves what they asked for themselves.
	Requester  string `json:"requester,omitzero"`
	Approver   Person `json:"approver"`
	ApprovedOn Time   `json:"approvedOn"`
	// Expires is when the consent ends; there is none without an end.
	Expires Time `json:"expires"`
	// Comment is what the approver wrote.
	Comment string `json:"comment,omitzero"`
}

// Person is who approves.
type Person struct {
	ID    string       `json:"id"`
	Roles List[string] `json:"roles,omitempty"`
}

// ApprovalVerdict is what an approver says.
type ApprovalVerdict string

// The verdicts of an approval.
const (
	Approved ApprovalVerdict = "APPROVED"
	Rejected ApprovalVerdict = "REJECTED"
)

// ParseApproval reads the predicate of a statement.
func ParseApproval(s *Statement) (*Approval, error) { return parse(s, &Approval{}) }

// Type implements Predicate.
func (*Approval) Type() string { return ApprovalType }

func (*Approval) exact() bool { return true }

// maxComment bounds what an approver can write.
const maxComment = 64 << 10

func (a *Approval) check(subjects []Descriptor) error {
	if a.Verdict != Approved && a.Verdict != Rejected {
		return fmt.Errorf("verdict is %q, not APPROVED or REJECTED", clip(string(a.Verdict)))
	}
	if err := required("purpose", a.Purpose, "approver/id", a.Approver.ID); err != nil {
		return err
	}
	for _, s := range append([]string{a.Environment, a.Request, a.Requester}, a.Approver.Roles...) {
		if len(s) > MaxName {
			return fmt.Errorf("a member of %d bytes, more than %d", len(s), MaxName)
		}
	}
	if spelling(a.Approver.ID) == "" {
		return errors.New("approver/id shows nothing")
	}
	switch {
	case len(subjects) != 1:
		return fmt.Errorf("%d subjects: consent is to exactly one", len(subjects))
	case !subjects[0].Digest.Binds():
		return errors.New("the subject has no digest that binds, such as sha256")
	case len(a.Decision) > 0 && !a.Decision.Binds():
		return errors.New("decision has no digest that binds, such as sha256")
	case samePerson(a.Requester, a.Approver.ID):
		return errors.New("the approver is the one who asked")
	case len(a.Comment) > maxComment:
		return fmt.Errorf("a comment of more than %d bytes", maxComment)
	case a.ApprovedOn.IsZero() || a.Expires.IsZero():
		return errors.New("approvedOn and expires are both needed")
	case !a.Expires.After(a.ApprovedOn.Time):
		return errors.New("expires is not after approvedOn")
	}
	return a.Decision.check()
}

// samePerson says whether two names differ at most in how they are spelled:
// case, width, composition, and what does not show. Nobody approves their own
// request by writing themselves otherwise.
func samePerson(a, b string) bool { return spelling(a) == spelling(b) }

func spelling(name string) string {
	shown := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.C, r) || unicode.Is(unicode.Variation_Selector, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(name))
	return norm.NFKC.String(cases.Fold().String(shown))
}

// Holds says whether the consent is given and in time at t.
func (a *Approval) Holds(t time.Time) bool {
	return a.Verdict == Approved && !t.Before(a.ApprovedOn.Time) && t.Before(a.Expires.Time)
}
