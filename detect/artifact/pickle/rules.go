package pickle

import "bartizan/finding"

var (
	evidenceSymbol = "the symbol as the stream names it, module.name"
	evidenceTarget = "the symbol at its home, where that differs"
	evidenceArgs   = "the arguments as pseudo-code, one by one, shortened"
	evidenceWhom   = "the loaders for which this is dangerous"
	pickleRefs     = []string{"CWE-502", "AML.T0011.000", "AML.T0018.002", "LLM03:2025", "ML06:2023"}
)

const (
	doNotLoad  = "Do not load the file. Find out who produced it, and ask for the weights in safetensors or another format without code."
	askForCode = "Find the class or function in the code that made the file and read what it does, or ask for the weights in a format without code."
)

var (
	ruleDangerousCall = finding.Rule{
		ID: "pickle/dangerous-call", Title: "Loading calls something dangerous",
		Help: "The stream calls a function or class that runs code, starts a process, imports, deserialises, touches files, " +
			"the network or the interpreter's own state. It happens while the file is loaded, before anybody sees the object.",
		Severity: finding.Critical, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: doNotLoad,
		Evidence: map[string]string{"symbol": evidenceSymbol, "target": evidenceTarget, "effects": "what calling it can do",
			"arguments": evidenceArgs, "via": "the symbols through which it was reached", "dangerous_for": evidenceWhom, "code": "what code among the arguments names: references, imports, calls and names; or why it cannot be read"},
	}
	ruleDangerousGlobal = finding.Rule{
		ID: "pickle/dangerous-global", Title: "Loading resolves something dangerous",
		Help: "The stream names a dangerous function or class without calling it itself. Whoever uses the object may call it, " +
			"and no plain data needs it.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: doNotLoad,
		Evidence: map[string]string{"symbol": evidenceSymbol, "target": evidenceTarget, "effects": "what calling it can do", "via": "the symbols through which it was reached", "dangerous_for": evidenceWhom},
	}
	ruleImportEffect = finding.Rule{
		ID: "pickle/import-effect", Title: "Naming this imports a module that acts on import",
		Help:     "Importing the module that the stream names already has effects beyond defining names.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium, References: pickleRefs, Remediation: doNotLoad,
		Evidence: map[string]string{"symbol": evidenceSymbol, "effects": "what importing it can do"},
	}
	ruleUnknownCall = finding.Rule{
		ID: "pickle/unknown-call", Title: "Loading calls something of which nothing is proven",
		Help: "The symbol is in no library that the database covers, or its effects could not be decided. With plain data it is for review; " +
			"with code-like text, opaque bytes or another callable among its arguments it blocks.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: askForCode,
		Evidence: map[string]string{"symbol": evidenceSymbol, "target": evidenceTarget, "arguments": evidenceArgs, "because": "what among the arguments makes it block", "known": "how much the database knows of it"},
	}
	ruleUnknownGlobal = finding.Rule{
		ID: "pickle/unknown-global", Title: "Loading resolves something of which nothing is proven",
		Help:     "The symbol is in no library that the database covers. Resolving it imports its module, which may be a file beside the model.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: askForCode,
		Evidence: map[string]string{"symbol": evidenceSymbol, "known": "how much the database knows of it"},
	}
	ruleShape = finding.Rule{
		ID: "pickle/unexpected-arguments", Title: "A safe callable is called in an unsafe way",
		Help:     "The callable is inert for the arguments that its own library gives it. These are of another shape.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: askForCode,
		Evidence: map[string]string{"symbol": evidenceSymbol, "target": evidenceTarget, "arguments": evidenceArgs},
	}
	ruleUnresolvable = finding.Rule{
		ID: "pickle/unresolvable-target", Title: "What is called can only be known by loading",
		Help: "The target of a call or of a change is the result of another call, a persistent id, an extension code or a value that cannot be computed from the file. " +
			"No writer of plain data does this.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: doNotLoad,
		Evidence: map[string]string{"target": "the target as pseudo-code", "arguments": evidenceArgs, "symbol": "the combinator that reached for it", "via": "the symbols through which it was reached"},
	}
	ruleComputedName = finding.Rule{
		ID: "pickle/computed-name", Title: "The name of a global is computed while loading",
		Help:     "STACK_GLOBAL takes module or name from a value that is known only when the stream runs, which hides what is imported.",
		Severity: finding.Critical, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: doNotLoad,
		Evidence: map[string]string{"module": "the module as pseudo-code", "name": "the name as pseudo-code"},
	}
	ruleOverwrite = finding.Rule{
		ID: "pickle/overwrite", Title: "Loading changes a module, class or shared object",
		Help:     "BUILD, APPEND or SETITEM acts on something resolved by name: it changes what every later user of that name gets.",
		Severity: finding.Critical, Confidence: finding.ConfidenceHigh, References: append([]string{"CWE-915"}, pickleRefs...), Remediation: doNotLoad,
		Evidence: map[string]string{"symbol": evidenceSymbol, "target": evidenceTarget, "operation": "what is done to it", "arguments": evidenceArgs},
	}
	ruleHook = finding.Rule{
		ID: "pickle/hook", Title: "An instance is given a method that loading calls",
		Help:     "The state of an object sets __setstate__, append, extend, add or a class attribute, so that the next opcode calls it.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh, References: append([]string{"CWE-915"}, pickleRefs...), Remediation: doNotLoad,
		Evidence: map[string]string{"symbol": "the class of the instance", "attribute": "the attribute that is set"},
	}
	ruleObjectEffect = finding.Rule{
		ID: "pickle/state-effect", Title: "Restoring an object's state does something dangerous",
		Help:     "The class of the object has a __setstate__, append, extend, add or __setitem__ whose effects go beyond filling it.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: doNotLoad,
		Evidence: map[string]string{"symbol": "the class of the object", "operation": "what pickle calls on it", "effects": "what it can do", "arguments": evidenceArgs},
	}
	ruleUndecidedState = finding.Rule{
		ID: "pickle/undecided-state", Title: "What restoring an object's state does is not decided",
		Help:     "The class restores itself with code of its own that the analysis could not follow to its end. Its arguments are plain data.",
		Severity: finding.Medium, Confidence: finding.ConfidenceMedium, References: pickleRefs, Remediation: askForCode,
		Evidence: map[string]string{"symbol": "the class of the object", "operation": "what pickle calls on it"},
	}
	ruleExtension = finding.Rule{
		ID: "pickle/extension-code", Title: "The stream names a global by a code of the reader's registry",
		Help:     "EXT opcodes stand for whatever the loading program has registered (copyreg.add_extension). The file does not say what that is.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: askForCode,
		Evidence: map[string]string{"extension": "the code"},
	}
	ruleNested = finding.Rule{
		ID: "pickle/nested-stream", Title: "A pickle hides in text or bytes",
		Help:     "A string or bytes value holds a pickle stream, as it is, encoded or compressed. It does nothing until something loads it; it is scanned as a member.",
		Severity: finding.Medium, Confidence: finding.ConfidenceMedium, References: pickleRefs,
		Remediation: "Find out why data holds a serialised object, and whether the program that loads the file unpickles it.",
		Evidence:    map[string]string{"encoding": "how it is hidden: raw, base64, hex, zlib …"},
	}
	ruleNestedCall = finding.Rule{
		ID: "pickle/nested-call", Title: "An encoded pickle that calls something hides in data",
		Help:     "A pickle stream that calls a function is hidden behind base64, hex or compression inside data. Data has no reason to carry calls out of sight.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium, References: pickleRefs, Remediation: doNotLoad,
		Evidence: map[string]string{"encoding": "how it is hidden", "symbol": "a symbol that it calls"},
	}
	ruleCombinator = finding.Rule{
		ID: "pickle/combinator", Title: "A dangerous stream reaches its targets through a combinator",
		Help:     "getattr, partial, attrgetter and their kin are judged by what they lead to. They are named here because the stream blocks for another reason.",
		Severity: finding.High, Confidence: finding.ConfidenceMedium, References: pickleRefs, Remediation: doNotLoad,
		Evidence: map[string]string{"symbol": evidenceSymbol},
	}
	ruleImports = finding.Rule{
		ID: "pickle/imports", Title: "What a dangerous stream resolves",
		Help:     "Every global of the stream, in order of first use, for whoever investigates it.",
		Severity: finding.Info, Confidence: finding.ConfidenceHigh, References: []string{"AML.T0011.000"}, Remediation: doNotLoad,
		Evidence: map[string]string{"globals": "the symbols as the stream names them"},
	}
	ruleFrames = finding.Rule{
		ID: "pickle/frame-mismatch", Title: "Interpreters read this stream differently",
		Help: "A FRAME ends within an opcode or a line, or claims another length than there is. CPython's unpicklers then continue at different bytes, " +
			"depending on what they read from. Every reading was followed.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh, References: append([]string{"CWE-436"}, pickleRefs...), Remediation: doNotLoad,
		Evidence: map[string]string{"readings": "how many ways of reading were followed"},
	}
	ruleExhaustion = finding.Rule{
		ID: "pickle/resource-exhaustion", Title: "The stream is built to exhaust whoever reads or walks it",
		Help: "Values that hold the same value many times over, level upon level, are cheap to load and explode when printed, copied, hashed or compared; " +
			"very deep nesting, very tall stacks, huge memo indices and decimal numbers of very many digits exhaust readers.",
		Severity: finding.Medium, Confidence: finding.ConfidenceHigh, References: []string{"CWE-400", "CWE-776", "AML.T0029"}, Remediation: doNotLoad,
		Evidence: map[string]string{"pattern": "what exhausts", "size": "how large"},
	}
	ruleHandedOn = finding.Rule{
		ID: "pickle/handed-on", Title: "Something that acts by itself is handed to a call or kept in an object",
		Help: "A callable that reaches its target by a name in the stream (methodcaller, attrgetter), or an object that belongs to the interpreter " +
			"(a module, sys.modules, os.environ), is given to a function or to an object. Whoever gets it may call it, keep it or change it; no writer of data does this.",
		Severity: finding.High, Confidence: finding.ConfidenceHigh, References: pickleRefs, Remediation: doNotLoad,
		Evidence: map[string]string{"symbol": "the callee, or the class of the object", "target": evidenceTarget, "via": "the symbols through which it was reached",
			"acts": "the value that acts, as pseudo-code", "arguments": evidenceArgs},
	}
	ruleTrailing = finding.Rule{
		ID: "pickle/trailing-data", Title: "Bytes follow the last stream",
		Help:     "pickle.load stops at STOP and leaves the rest unread. The rest was looked at for what other readers may find in it.",
		Severity: finding.Low, Confidence: finding.ConfidenceHigh, References: []string{"CWE-436"},
		Remediation: "Compare the file with what its producer published.",
		Evidence:    map[string]string{"bytes": "how many"},
	}
)

// Rules are the rules of this package.
func Rules() []finding.Rule {
	all := []finding.Rule{
		ruleDangerousCall, ruleDangerousGlobal, ruleImportEffect, ruleUnknownCall, ruleUnknownGlobal, ruleShape,
		ruleUnresolvable, ruleComputedName, ruleOverwrite, ruleHook, ruleObjectEffect, ruleUndecidedState,
		ruleExtension, ruleNested, ruleNestedCall, ruleCombinator, ruleImports, ruleFrames, ruleTrailing, ruleExhaustion,
		ruleTensorBounds, ruleFilledObject, ruleHandedOn,
	}
	for i := range all {
		documentSymbol(&all[i])
	}
	return all
}

// documentSymbol adds the keys that come with every symbol (see symbolEvidence).
func documentSymbol(r *finding.Rule) {
	if _, ok := r.Evidence["symbol"]; !ok {
		return
	}
	keys := map[string]string{"target": evidenceTarget, "via": "the symbols through which it was reached"}
	for k, v := range r.Evidence {
		keys[k] = v
	}
	r.Evidence = keys
}
