package template

import (
	"fmt"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/jinja"
	"bartizan/finding"
)

// How says how a template is to be taken.
type How struct {
	// Chat forces the rules of chat templates; else the template's variables decide.
	Chat bool
	// Guess is set where the text may not be a template at all (any string of a
	// JSON file): what does not parse is then no fault.
	Guess bool
	// Quoted is set where nothing renders the text as far as is known (a record of
	// a dataset): findings then have low confidence, which never blocks.
	Quoted bool
}

// Report judges a chat template and adds what is found to a. The place names
// where the template stands; line and column are those within the template.
func Report(a *format.Artifact, src string, place finding.Place) {
	ReportAs(a, src, place, How{Chat: true})
}

// ReportAs is Report for templates of any kind.
func ReportAs(a *format.Artifact, src string, place finding.Place, how How) {
	t := jinja.Parse(src, jinja.Limits{})
	r := t.Judge(how.Chat || t.Chat())
	for _, is := range r.Issues {
		if how.Guess && !r.Chat && (is.Kind == jinja.HiddenText || is.Kind == jinja.IncludeFile) {
			continue // text of any kind, not known to be a template
		}
		a.Add(found(is, place, how))
	}
	if how.Guess && !(how.Chat || r.Chat && len(r.Problems) == 0) {
		return
	}
	for _, p := range r.Problems {
		a.Incomplete("template-parse", fmt.Sprintf("%sline %d, column %d: %s", where(place), p.Line, p.Column, p.Message))
	}
	if r.Spent {
		a.Incomplete("template-too-complex", where(place)+"evaluation was cut short")
	}
	if how.Chat && (place.Pointer == "" || place.Pointer == "/chat_template") {
		a.Out.Fact(finding.Fact{Kind: finding.FactChatTemplate, Place: place, Text: src})
	}
}

func where(p finding.Place) string {
	if p.Pointer == "" {
		return ""
	}
	return p.Pointer + ": "
}

// found makes the finding of an issue.
func found(is jinja.Issue, place finding.Place, how How) finding.Finding {
	rule := ruleOf[is.Kind]
	if place.Offset != nil { // the place is the template's own file
		off := *place.Offset + int64(is.Off)
		place.Offset, place.Length = &off, nil
	}
	place.Line, place.Column = is.Line, is.Column
	evidence := map[string]any{}
	for k, v := range map[string]string{"symbol": is.Symbol, "form": is.Detail, "trigger": is.Trigger, "text": is.Text} {
		if v != "" {
			evidence[k] = v
		}
	}
	f := rule.New(place, is.Message, evidence)
	f.Severity = severities[is.Weight]
	if how.Quoted {
		f.Confidence = finding.ConfidenceLow
	}
	return f
}

var severities = [...]finding.Severity{finding.Info, finding.Low, finding.Medium, finding.High, finding.Critical}

// Drift compares two templates of one model and makes the finding where they
// differ. The place is that of the second; other names the first's.
func Drift(place finding.Place, other, first, second string) (finding.Finding, bool) {
	same, diff := jinja.Same(first, second)
	if same {
		return finding.Finding{}, false
	}
	return driftRule.New(place, "the chat template differs from the one in "+other,
		map[string]any{"other": other, "difference": diff}), true
}
