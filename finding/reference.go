package finding

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	cwe  = regexp.MustCompile(`^CWE-[1-9][0-9]{0,4}$`)
	cve  = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,7}$`)
	ghsa = regexp.MustCompile(`^GHSA(-[23456789cfghjmpqrvwx]{4}){3}$`)
	llm  = regexp.MustCompile(`^LLM(0[1-9]|10):2025$`)
	ml   = regexp.MustCompile(`^ML(0[1-9]|10):2023$`)
)

// checkReference accepts CWE, CVE, GHSA, OWASP (LLM01:2025, ML06:2023), MITRE
// ATLAS techniques that the shipped table knows, and https addresses.
func checkReference(ref string) error {
	switch {
	case cwe.MatchString(ref), cve.MatchString(ref), ghsa.MatchString(ref), llm.MatchString(ref), ml.MatchString(ref):
		return nil
	case strings.HasPrefix(ref, "https://"):
		return nil
	case strings.HasPrefix(ref, "AML."):
		if _, ok := AtlasName(ref); !ok {
			return fmt.Errorf("reference %s: not in the ATLAS table (finding/atlas.go)", ref)
		}
		return nil
	}
	return fmt.Errorf("reference %q: want CWE-, CVE-, GHSA-, AML.T, LLMnn:2025, MLnn:2023 or https://", ref)
}
