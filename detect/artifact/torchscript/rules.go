package torchscript

import "bartizan/finding"

var evidence = map[string]string{
	"operator":  "the operator, class or Python construct, as namespace::name",
	"arguments": "constant arguments of the call; … stands for the others",
	"function":  "the function that names it, with its class",
	"on_load":   "whether torch.jit.load runs that function (__setstate__)",
}

const remedy = "Do not load the archive. Load the weights alone (safetensors, or torch.load with weights_only in PyTorch 2.6 or newer) into code from a source that is trusted."

func rules() []finding.Rule {
	return []finding.Rule{ruleFile(), ruleNetwork(), ruleUnknown(), rulePython(), ruleParse()}
}

func ruleFile() finding.Rule {
	return finding.Rule{
		ID:    "torchscript/file-access",
		Title: "TorchScript code reads or writes files",
		Help: "The code calls an operator that takes a file name: aten::save pickles into a file, aten::from_file maps one and, shared, " +
			"creates it; torchvision's and torchaudio's operators read and write images and sound. No model needs that. It is critical where a file is " +
			"written, or where the code is in __setstate__, which torch.jit.load runs; PyTorch up to 2.5 came there from torch.load with weights_only, too. " +
			"File names that the code computes are not told.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-73", "CVE-2025-32434", "AML.T0011.000", "AML.T0018.002", "LLM03:2025", "ML06:2023"},
		Remediation: remedy, Evidence: evidence,
	}
}

func ruleNetwork() finding.Rule {
	return finding.Rule{
		ID:    "torchscript/network-access",
		Title: "TorchScript code calls other processes",
		Help: "The code uses torch.distributed's remote calls or stores, which connect to other hosts and run functions there. A model that is run " +
			"by one process has no need of it.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium,
		References:  []string{"CWE-829", "AML.T0011.000", "AML.T0018.002", "LLM03:2025"},
		Remediation: remedy, Evidence: evidence,
	}
}

func ruleUnknown() finding.Rule {
	return finding.Rule{
		ID:    "torchscript/unknown-operator",
		Title: "TorchScript code needs an operator that does not ship with PyTorch",
		Help: "The code calls an operator, or uses a class, of a namespace that neither PyTorch nor torchvision, torchaudio or torchtext registers. " +
			"It comes from a native library that must be loaded beside the model, and can do what that library does. Compilers for accelerators make such models.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-829", "AML.T0011.000", "LLM03:2025"},
		Remediation: "Find out which library registers the operator, and use that library only from its maker.", Evidence: evidence,
	}
}

func rulePython() finding.Rule {
	return finding.Rule{
		ID:    "torchscript/python-source",
		Title: "Python code where TorchScript should stand",
		Help: "The source imports modules or names what only Python has (os, exec, open). torch.jit.load would refuse it; torch.package and " +
			"loaders of remote code would run it. torch's own printer never writes it.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium,
		References:  []string{"CWE-94", "AML.T0011.000", "AML.T0018.002", "LLM03:2025", "ML06:2023"},
		Remediation: remedy, Evidence: evidence,
	}
}

func ruleParse() finding.Rule {
	return finding.Rule{
		ID:    "torchscript/parse-incomplete",
		Title: "TorchScript code that could not be read wholly",
		Help: "A statement is not of the form that torch's printer writes. Operators in it are looked for by their names alone; the coverage " +
			"is then incomplete.",
		Severity: finding.Low, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-1286"},
		Remediation: "Save the model anew with torch.jit.save of a current PyTorch.",
		Evidence:    map[string]string{"reason": "what was wanted where the reading broke off"},
	}
}
