package encode

import (
	"reflect"
	"testing"
)

func TestDetailLines(t *testing.T) {
	type read struct {
		Files int `json:"files"`
	}
	got := detailLines(map[string]any{
		"algorithm": "sha256", "resources": 3, "signer": map[string]any{"method": "key", "fingerprint": "ab"},
		"states": map[string]int{"tainted": 4, "clean": 1}, "read": read{4}, "names": []string{"a", "b"}, "rows": make([]map[string]any, 3),
		"hostile": "a\x1b[2Jb",
	})
	want := []string{
		"algorithm: sha256", `hostile: a\x1b[2Jb`, "names: a, b", `read: {"files":4}`, "resources: 3", "rows: 3 rows",
		"signer: fingerprint ab, method key", "states: clean 1, tainted 4",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
