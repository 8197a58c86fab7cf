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

// ReferenceName gives the name that a reference's publisher gave it, where the
// shipped tables know one: ATLAS techniques and the two OWASP lists.
func ReferenceName(ref string) (string, bool) {
	if name, ok := AtlasName(ref); ok {
		return name, true
	}
	name, ok := owasp[ref]
	return name, ok
}

// ReferenceURL gives the page where a reference's publisher explains it, or ""
// where the reference is of no known kind.
func ReferenceURL(ref string) string {
	switch {
	case strings.HasPrefix(ref, "https://"):
		return ref
	case cwe.MatchString(ref):
		return "https://cwe.mitre.org/data/definitions/" + strings.TrimPrefix(ref, "CWE-") + ".html"
	case cve.MatchString(ref):
		return "https://www.cve.org/CVERecord?id=" + ref
	case ghsa.MatchString(ref):
		return "https://github.com/advisories/" + ref
	case llm.MatchString(ref):
		return "https://genai.owasp.org/llm-top-10/"
	case ml.MatchString(ref):
		return "https://owasp.org/www-project-machine-learning-security-top-10/"
	}
	if _, ok := AtlasName(ref); ok {
		return "https://atlas.mitre.org/techniques/" + ref
	}
	return ""
}

// owasp is read only: the Top 10 for LLM Applications of 2025 and the Machine
// Learning Security Top 10 of 2023.
var owasp = map[string]string{
	"LLM01:2025": "Prompt Injection",
	"LLM02:2025": "Sensitive Information Disclosure",
	"LLM03:2025": "Supply Chain",
	"LLM04:2025": "Data and Model Poisoning",
	"LLM05:2025": "Improper Output Handling",
	"LLM06:2025": "Excessive Agency",
	"LLM07:2025": "System Prompt Leakage",
	"LLM08:2025": "Vector and Embedding Weaknesses",
	"LLM09:2025": "Misinformation",
	"LLM10:2025": "Unbounded Consumption",
	"ML01:2023":  "Input Manipulation Attack",
	"ML02:2023":  "Data Poisoning Attack",
	"ML03:2023":  "Model Inversion Attack",
	"ML04:2023":  "Membership Inference Attack",
	"ML05:2023":  "Model Theft",
	"ML06:2023":  "AI Supply Chain Attacks",
	"ML07:2023":  "Transfer Learning Attack",
	"ML08:2023":  "Model Skewing",
	"ML09:2023":  "Output Integrity Attack",
	"ML10:2023":  "Model Poisoning",
}
