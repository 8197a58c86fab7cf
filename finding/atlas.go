package finding

// AtlasName gives the name of a MITRE ATLAS technique (https://atlas.mitre.org),
// from the table below, which is kept by hand: rules may name only what is in it.
func AtlasName(id string) (string, bool) {
	name, ok := atlas[id]
	return name, ok
}

// atlas is read only.
var atlas = map[string]string{
	"AML.T0010":     "AI Supply Chain Compromise",
	"AML.T0010.001": "AI Software",
	"AML.T0010.002": "Data",
	"AML.T0010.003": "Model",
	"AML.T0011":     "User Execution",
	"AML.T0011.000": "Unsafe AI Artifacts",
	"AML.T0011.001": "Malicious Package",
	"AML.T0015":     "Evade AI Model",
	"AML.T0018":     "Manipulate AI Model",
	"AML.T0018.000": "Poison AI Model",
	"AML.T0018.001": "Modify AI Model Architecture",
	"AML.T0018.002": "Embed Malware",
	"AML.T0020":     "Poison Training Data",
	"AML.T0029":     "Denial of AI Service",
	"AML.T0031":     "Erode AI Model Integrity",
	"AML.T0043":     "Craft Adversarial Data",
	"AML.T0050":     "Command and Scripting Interpreter",
	"AML.T0051":     "LLM Prompt Injection",
	"AML.T0051.000": "Direct",
	"AML.T0051.001": "Indirect",
	"AML.T0054":     "LLM Jailbreak",
	"AML.T0058":     "Publish Poisoned Models",
}
