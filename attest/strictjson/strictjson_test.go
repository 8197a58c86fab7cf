package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"bartizan/attest/strictjson"
)

type doc struct {
	A string `json:"a"`
	B []int  `json:"b"`
}

func TestUnmarshal(t *testing.T) {
	for _, c := range []struct {
		name, text string
		ok, exact  bool
	}{
		{"plain", `{"a":"x","b":[1,2]}`, true, true},
		{"unknown member", `{"a":"x","c":1}`, true, false},
		{"other case is another member", `{"A":"x"}`, true, false},
		{"a key twice", `{"a":"x","a":"y"}`, false, false},
		{"a key twice, escaped", `{"a":"x","\u0061":"y"}`, false, false},
		{"an unknown key twice", `{"c":1,"c":2}`, false, false},
		{"a key twice, deep in what is unknown", `{"c":[{"d":1,"d":2}]}`, false, false},
		{"trailing data", `{"a":"x"}{}`, false, false},
		{"trailing comma", `{"a":"x",}`, false, false},
		{"byte order mark", "\ufeff{\"a\":\"x\"}", false, false},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", false, false},
		{"lone surrogate", `{"a":"\ud800"}`, false, false},
		{"comment", `{"a":"x"/**/}`, false, false},
		{"single quotes", `{'a':'x'}`, false, false},
		{"wrong kind", `{"a":1}`, false, false},
		{"nothing", ``, false, false},
		{"brackets in a string", `{"a":"` + strings.Repeat("[", 500) + `"}`, true, true},
		{"escaped quote before brackets", `{"a":"\"` + strings.Repeat("[", 500) + `"}`, true, true},
		{"nested to the limit", `{"c":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, true, false},
		{"nested past the limit", `{"c":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, false, false},
		{"nested very deep", strings.Repeat(`{"c":`, 100_000), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d doc
			if err := strictjson.Unmarshal([]byte(c.text), &d); (err == nil) != c.ok {
				t.Errorf("Unmarshal: %v", err)
			}
			if err := strictjson.UnmarshalExact([]byte(c.text), &d); (err == nil) != c.exact {
				t.Errorf("UnmarshalExact: %v", err)
			}
		})
	}
}

func TestErrorsDoNotQuoteContent(t *testing.T) {
	for _, text := range []string{`{"a":"x" secret}`, `{"a":secret}`, `{"a":{"secret":1}}`} {
		err := strictjson.Unmarshal([]byte(text), new(doc))
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "doc") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What is read here is valid JSON to the standard library too, and means the same.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"a":"x","b":[1,2]}`))
	f.Add([]byte(`{"a":"x","a":"y"}`))
	f.Add([]byte(strings.Repeat("[", 40)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got map[string]any
		if strictjson.Unmarshal(data, &got) != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("read here, and not by encoding/json: %v", err)
		}
		if len(got) != len(want) {
			t.Fatalf("%d members, %d to encoding/json", len(got), len(want))
		}
	})
}
