package safetensors

import "bartizan/finding"

var (
	ruleHeader = finding.Rule{
		ID: "safetensors/header-too-large", Title: "Header is larger than the format allows",
		Help: "The first eight bytes announce a header of more than 100 MB. The reference reader refuses it; a reader that " +
			"allocates what the file asks for spends its memory. It cannot tell malice from damage.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-789", "AML.T0029", "LLM03:2025"},
		Remediation: "Do not load the file; fetch it again from its publisher and compare digests.",
		Evidence:    map[string]string{"length": "announced length in bytes", "limit": "the format's limit"},
	}
	ruleDuplicate = finding.Rule{
		ID: "safetensors/duplicate-key", Title: "A key stands twice in the header",
		Help: "Readers differ in which of two equal keys they take, so that a scanner, a signer and a loader can see different " +
			"tensors or metadata in one file: the reference reader takes the last of two tensors and refuses two __metadata__. No " +
			"writer produces this. Keys are compared after escapes are resolved.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-694", "CWE-436", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Do not load the file; write it anew from a trusted source.",
		Evidence:    map[string]string{"key": "the key", "within": "tensors, tensor or __metadata__"},
	}
	ruleOverlap = finding.Rule{
		ID: "safetensors/overlap", Title: "Tensors overlap",
		Help: "Two tensors claim the same bytes. The format forbids it: the same data read under two types or shapes is a way to " +
			"build a file that is two things at once. Two names for exactly the same bytes are weights shared by a careless writer " +
			"and rated lower.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-1284", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Do not load the file with a reader that does not check offsets; write it anew from a trusted source.",
		Evidence:    map[string]string{"tensor": "name", "other": "name of the tensor it overlaps", "begin": "offset in the data", "end": "offset in the data"},
	}
	ruleOutside = finding.Rule{
		ID: "safetensors/out-of-file", Title: "Tensor data lies outside the file",
		Help: "Offsets of a tensor are reversed or end past the file. A reader that trusts them reads or maps memory that is not " +
			"the file's. Where the tensors are otherwise in order, the likely cause is a download that broke off, which is rated lower.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-125", "CWE-1284", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Fetch the file again and compare digests; do not load it as it is.",
		Evidence:    map[string]string{"tensor": "name", "begin": "offset in the data", "end": "offset in the data", "available": "bytes of data in the file", "tensors": "number of tensors"},
	}
	ruleShape = finding.Rule{
		ID: "safetensors/shape-mismatch", Title: "Shape and offsets of a tensor disagree",
		Help: "Shape times element size is not the length that the offsets span, or does not fit into 64 bits. A reader that " +
			"allocates by one and copies by the other writes past its buffer.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-131", "CWE-190", "AML.T0010.003", "LLM03:2025"},
		Remediation: "Do not load the file; write it anew from a trusted source.",
		Evidence:    map[string]string{"tensor": "name", "dtype": "element type", "expected": "bytes by shape, or overflow", "span": "bytes by offsets"},
	}
	ruleGap = finding.Rule{
		ID: "safetensors/gap", Title: "Bytes that belong to no tensor",
		Help: "Between tensors, or before the first, lie bytes that no tensor claims. The format forbids holes, because data can be " +
			"hidden in them. The bytes are scanned as a file of their own.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-1284", "AML.T0018.002", "LLM03:2025"},
		Remediation: "Look at the bytes; write the file anew from a trusted source.",
		Evidence:    map[string]string{"bytes": "number of bytes", "before": "the tensor that follows"},
	}
	ruleTrailing = finding.Rule{
		ID: "safetensors/trailing-data", Title: "Data after the last tensor or after the header's JSON",
		Help:     "Bytes follow what the format describes: hidden data, or a second format in one file. They are scanned as a file of their own.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh,
		References:  []string{"CWE-1284", "AML.T0018.002", "LLM03:2025"},
		Remediation: "Look at the bytes; write the file anew from a trusted source.",
		Evidence:    map[string]string{"bytes": "number of bytes", "where": "file or header"},
	}
	ruleMetadata = finding.Rule{
		ID: "safetensors/metadata", Title: "Code, a command or an unexpected address in the metadata",
		Help: "A value of __metadata__ reads as source, as a command line or as markup with a script, or a key asks for something " +
			"to be fetched from an address that is not a model hub's. No reader executes metadata by itself; tools that show or " +
			"interpret it may.",
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
	return []finding.Rule{ruleHeader, ruleDuplicate, ruleOverlap, ruleOutside, ruleShape, ruleGap, ruleTrailing, ruleMetadata}
}
