package encode

import (
	"encoding/json"
	"testing"
)

func TestSARIFExample(t *testing.T) {
	list, end, opt := example()
	end.Reasons = []string{"cancelled"}
	out := encodeAll(t, "sarif", list, end, opt)
	validate(t, sarifSchema(t), out)
	var doc struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Rules []struct {
						ID   string
						Help struct{ Text string }
					}
				}
			}
			Invocations []struct {
				ExecutionSuccessful        bool
				ToolExecutionNotifications []struct {
					Level      string
					Message    struct{ Text string }
					Descriptor struct{ ID string }
				}
			}
			Results []struct {
				RuleID              string
				Level               string
				OccurrenceCount     int
				PartialFingerprints map[string]string
				Suppressions        []struct{ Kind, Justification string }
				Locations           []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ ByteOffset int }
					}
					LogicalLocations []struct{ FullyQualifiedName string }
				}
			}
			Artifacts []struct{ Location struct{ URI string } }
		}
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	run := doc.Runs[0]
	if len(run.Results) != 2 || len(run.Artifacts) != 5 {
		t.Fatalf("%d results and %d artifacts, want 2 and 5", len(run.Results), len(run.Artifacts))
	}
	first, second := run.Results[0], run.Results[1]
	if first.RuleID != "pickle/dangerous-call" || first.Level != "error" || first.OccurrenceCount != 3 || first.Suppressions != nil {
		t.Errorf("first result: %+v", first)
	}
	if at := first.Locations[0]; at.PhysicalLocation.Region != nil || at.LogicalLocations[0].FullyQualifiedName != "models/a.pt!/archive/data.pkl" {
		t.Errorf("a member's offset is none of the file: %+v", at)
	}
	if at := second.Locations[0].PhysicalLocation; at.Region == nil || at.Region.ByteOffset != 1 {
		t.Errorf("the file's own offset is missing: %+v", at)
	}
	if first.PartialFingerprints[fingerprintKey] != list[0].Findings[0].Fingerprint {
		t.Errorf("fingerprints: %v", first.PartialFingerprints)
	}
	if len(second.Suppressions) != 1 || second.Suppressions[0].Kind != "external" || second.Suppressions[0].Justification != "our own <b>logger</b>" {
		t.Errorf("a waiver is a suppression: %+v", second.Suppressions)
	}
	calls := run.Invocations[0]
	if calls.ExecutionSuccessful || len(calls.ToolExecutionNotifications) != 3 || calls.ToolExecutionNotifications[0].Descriptor.ID != "unknown-format" {
		t.Errorf("what was not seen is notified, and a cancelled run was no success: %+v", calls)
	}
	if got := run.Artifacts[2].Location.URI; got != "caf%E9%20%E2%80%AE.bin" {
		t.Errorf("the name's own bytes: got %s", got)
	}
	if rules := run.Tool.Driver.Rules; len(rules) != 1 || rules[0].Help.Text == "" {
		t.Errorf("rules carry help: %+v", rules)
	}
}

func TestURI(t *testing.T) {
	for in, want := range map[string]string{
		"a/b.pt": "a/b.pt", "/m/a b.pt": "file:///m/a%20b.pt", "c:x": "./c:x", "//host/x": "file:////host/x",
		"100%.pt": "100%25.pt", "?#.pt": "%3F%23.pt", "-": "-", "\xff": "%FF", "../a": "../a",
	} {
		if got := uri(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestMessageHasNoLinksOrPlaceholders(t *testing.T) {
	if got, want := message("see [here](https://example.org) {0} {x}"), `see [here\](https://example.org) {{0}} {x}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
