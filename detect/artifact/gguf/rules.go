package gguf

import "bartizan/finding"

var (
	ruleLength = finding.Rule{
		ID: "gguf/length-overflow", Title: "Count or length that no file can hold",
		Help: "A number of keys or tensors, or the length of a string or an array, is over 2^30 and over what the file holds. Readers " +
			"that multiply or allocate by it before they look at the file's length overflow their heap or spend their memory.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CVE-2024-21836", "CVE-2024-23605", "CVE-2024-23496", "CVE-2024-21825", "CWE-190", "CWE-789", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Do not load the file; fetch the model from its publisher and compare digests.",
		Evidence:    map[string]string{"of": "what is counted", "value": "the number", "left": "bytes left in the file"},
	}
	ruleTensor = finding.Rule{
		ID: "gguf/tensor-overflow", Title: "Tensor whose size cannot be computed",
		Help: "Dimensions are more than four or negative, or their product, the size in bytes or the offset does not fit into 63 bits. " +
			"Readers that compute it all the same allocate too little and write past it (llama.cpp before build 7824).",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CVE-2026-33298", "CVE-2024-21802", "CWE-190", "CWE-122", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Do not load the file; fetch the model from its publisher and compare digests.",
		Evidence:    map[string]string{"tensor": "name", "shape": "the dimensions", "dimensions": "their number", "offset": "offset in the data", "type": "ggml type number"},
	}
	ruleOutside = finding.Rule{
		ID: "gguf/tensor-out-of-file", Title: "Tensor data lies outside the file",
		Help: "By its shape and offset a tensor ends past the file. A download that broke off looks like this; so does a file made to " +
			"have a server read and give out memory that is not the file's, as unpatched Ollama did when it quantised one.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium,
		References:  []string{"CVE-2026-7482", "CWE-125", "CWE-1284", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Fetch the file again and compare digests; do not load or convert it as it is.",
		Evidence:    map[string]string{"tensor": "name of the first", "offset": "offset in the data", "size": "size by shape", "available": "bytes of data in the file", "tensors": "number of tensors"},
	}
	ruleType = finding.Rule{
		ID: "gguf/negative-type", Title: "Negative type number",
		Help: "The type of a value or a tensor is negative. Readers use it as an index into their tables, and read before them where they " +
			"only check the upper bound.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-129", "CWE-125", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Do not load the file; fetch the model from its publisher and compare digests.",
		Evidence:    map[string]string{"of": "what has the type", "type": "the number"},
	}
	ruleDuplicate = finding.Rule{
		ID: "gguf/duplicate-key", Title: "A key or a tensor stands twice",
		Help: "Readers differ in which of two equal names they take, so that a scanner and a loader can see different templates or " +
			"tensors in one file. llama.cpp refuses it; no writer produces it.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-694", "CWE-436", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Do not load the file; write it anew from a trusted source.",
		Evidence:    map[string]string{"name": "the key or the tensor's name", "of": "key or tensor"},
	}
	ruleOverlap = finding.Rule{
		ID: "gguf/overlap", Title: "Tensors overlap",
		Help: "Two tensors claim the same bytes. llama.cpp refuses it; it is a way to build a file that is two things at once. Two names " +
			"for exactly the same bytes are rated lower.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-1284", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Do not load the file; write it anew from a trusted source.",
		Evidence:    map[string]string{"tensor": "name", "other": "the tensor it overlaps", "offset": "offset in the data", "size": "its size"},
	}
	ruleAlignment = finding.Rule{
		ID: "gguf/alignment", Title: "Alignment that divides by zero",
		Help: "general.alignment is zero or no power of two. Readers divide by it or mask with it to find the data, and look elsewhere " +
			"than others do, or crash.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-369", "CWE-1284", "AML.T0029"},
		Remediation: "Do not load the file; write it anew from a trusted source.",
		Evidence:    map[string]string{"alignment": "the value"},
	}
	ruleGap = finding.Rule{
		ID: "gguf/gap", Title: "Bytes that belong to no tensor",
		Help: "Between tensors, or before the first, lie more bytes than padding takes, or padding that is not zero. They are scanned as " +
			"a file of their own.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-1284", "AML.T0018.002", "LLM03:2025"},
		Remediation: "Look at the bytes; write the file anew from a trusted source.",
		Evidence:    map[string]string{"bytes": "number of bytes", "before": "the tensor that follows"},
	}
	ruleTrailing = finding.Rule{
		ID: "gguf/trailing-data", Title: "Data after the last tensor",
		Help: "Bytes follow the last tensor and its padding: hidden data, or a second format in one file. They are scanned as a file of " +
			"their own.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-1284", "AML.T0018.002", "LLM03:2025"},
		Remediation: "Look at the bytes; write the file anew from a trusted source.",
		Evidence:    map[string]string{"bytes": "number of bytes"},
	}
	ruleMetadata = finding.Rule{
		ID: "gguf/metadata", Title: "Code or a command in the metadata",
		Help: "A metadata value reads as source or as a command line. No reader executes it by itself; tools that show or interpret it may. " +
			"Chat templates are judged by rules of their own.",
		Severity: finding.Medium, Confidence: finding.ConfidenceMedium,
		References:  []string{"CWE-94", "AML.T0011.000", "LLM03:2025"},
		Remediation: "Ask the publisher what the entry is for; strip it before the file is passed on.",
		Evidence:    map[string]string{"key": "the metadata key", "why": "what was recognised", "excerpt": "the start of the value"},
	}
)

// Rules implements format.Format.
func (Format) Rules() []finding.Rule { return Rules() }

// Rules lists the rules of this package.
func Rules() []finding.Rule {
	return []finding.Rule{ruleLength, ruleTensor, ruleOutside, ruleType, ruleDuplicate, ruleOverlap, ruleAlignment, ruleGap, ruleTrailing, ruleMetadata}
}
