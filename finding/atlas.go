package finding

// AtlasName gives the name of a MITRE ATLAS technique (https://atlas.mitre.org),
// a sub-technique behind its technique: "Manipulate AI Model: Embed Malware".
// Rules may name only what is in the table below, which is kept by hand.
func AtlasName(id string) (string, bool) {
	name, ok := atlas[id]
	if ok && len(id) > len("AML.T0000") {
		if parent, has := atlas[id[:len("AML.T0000")]]; has {
			name = parent + ": " + name
		}
	}
	return name, ok
}

// atlas is read only: the techniques of ATLAS data 2026.09 (published
// 2026-09-15) that examined things can give evidence for. AML.T0019, AML.T0058
// and AML.T0104 were withdrawn in that year for AML.T0115 and its sub-techniques.
var atlas = map[string]string{
	"AML.T0010":     "AI Supply Chain Compromise",
	"AML.T0010.000": "Hardware",
	"AML.T0010.001": "AI Software",
	"AML.T0010.002": "Data",
	"AML.T0010.003": "Model",
	"AML.T0010.004": "Container Registry",
	"AML.T0010.005": "AI Agent Tool",
	"AML.T0011":     "User Execution",
	"AML.T0011.000": "Unsafe AI Artifacts",
	"AML.T0011.001": "Malicious Package",
	"AML.T0011.002": "Poisoned AI Agent Tool",
	"AML.T0011.003": "Malicious Link",
	"AML.T0015":     "Evade AI Model",
	"AML.T0018":     "Manipulate AI Model",
	"AML.T0018.000": "Poison AI Model",
	"AML.T0018.001": "Modify AI Model Architecture",
	"AML.T0018.002": "Embed Malware",
	"AML.T0018.003": "Modify Prompt Construction Logic",
	"AML.T0020":     "Training Data Poisoning",
	"AML.T0029":     "Denial of AI Service",
	"AML.T0031":     "Erode AI Model Integrity",
	"AML.T0034":     "Cost Harvesting",
	"AML.T0043":     "Craft Adversarial Data",
	"AML.T0043.004": "Insert Backdoor Trigger",
	"AML.T0049":     "Exploit Public-Facing Application",
	"AML.T0050":     "Command and Scripting Interpreter",
	"AML.T0051":     "LLM Prompt Injection",
	"AML.T0051.000": "Direct",
	"AML.T0051.001": "Indirect",
	"AML.T0051.002": "Triggered",
	"AML.T0052":     "Phishing",
	"AML.T0053":     "AI Agent Tool Invocation",
	"AML.T0054":     "LLM Jailbreak",
	"AML.T0055":     "Unsecured Credentials",
	"AML.T0056":     "Extract LLM System Prompt",
	"AML.T0057":     "LLM Data Leakage",
	"AML.T0059":     "Erode Dataset Integrity",
	"AML.T0068":     "LLM Prompt Obfuscation",
	"AML.T0070":     "RAG Poisoning",
	"AML.T0073":     "Impersonation",
	"AML.T0074":     "Masquerading",
	"AML.T0076":     "Corrupt AI Model",
	"AML.T0077":     "LLM Response Rendering",
	"AML.T0081":     "Modify AI Agent Configuration",
	"AML.T0086":     "Exfiltration via AI Agent Tool Invocation",
	"AML.T0109":     "AI Supply Chain Rug Pull",
	"AML.T0110":     "AI Agent Tool Poisoning",
	"AML.T0112":     "Machine Compromise",
	"AML.T0112.001": "AI Artifacts",
	"AML.T0115":     "Publish Poisoned AI Artifacts",
	"AML.T0115.000": "Datasets",
	"AML.T0115.001": "Models",
	"AML.T0115.002": "AI Agent Tools",
	"AML.T0119":     "Exploit Automated Artifact Processing Pipeline",
	"AML.T0123":     "Obfuscated Files or Information",
	"AML.T0132":     "Misconfigured or Publicly Exposed AI Services",
}
