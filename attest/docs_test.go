package attest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"bartizan/attest"
)

// docs/provenance.md lists every code with its meaning, word for word.
func TestDocsListEveryCode(t *testing.T) {
	page, err := os.ReadFile("../docs/provenance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range attest.Codes() {
		row := fmt.Sprintf("| `%s` | %s |\n", m.Code, m.Text)
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/provenance.md lacks the row\n%s", row)
		}
	}
}
