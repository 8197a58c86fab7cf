package plain

import (
	"bytes"
	"context"
	"encoding/binary"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// Executable is a program or library in machine code or bytecode of its own.
type Executable struct{}

var ruleExecutable = finding.Rule{
	ID: "binary/executable", Title: "Program where a model or data should be",
	Help: "An executable or a library lies within a model archive or a serialised object, or under the name of a model file. " +
		"Models need none; what loads the archive, or a second stage, may run it. What the program does is not analysed.",
	Severity: finding.High, Confidence: finding.ConfidenceHigh,
	References:  []string{"CWE-506", "AML.T0018.002", "AML.T0011.000", "LLM03:2025"},
	Remediation: "Do not load the file; ask the publisher why it carries a program.",
	Evidence:    map[string]string{"kind": "elf, pe, mach-o, java-class, wasm, dex, llvm-bitcode or ape"},
}

// Name implements format.Format.
func (Executable) Name() string { return "executable" }

// Title implements format.Format.
func (Executable) Title() string { return "Executable or library" }

// Extensions implements format.Format.
func (Executable) Extensions() []string {
	return []string{".so", ".dll", ".exe", ".dylib", ".class", ".wasm"}
}

// Rules implements format.Format.
func (Executable) Rules() []finding.Rule { return []finding.Rule{ruleExecutable} }

// Match implements format.Format.
func (Executable) Match(p *format.Probe) bool { return program(p.Head, p.Size) != "" }

// Scan implements format.Format.
func (Executable) Scan(_ context.Context, a *format.Artifact) error {
	head, err := a.Blob.Head(format.HeadBytes)
	if err != nil {
		return err
	}
	kind := program(head, a.Blob.Size())
	if a.Depth > 0 || named(lower(a.Name)) {
		a.Add(ruleExecutable.New(a.At(0, a.Blob.Size()), "executable ("+kind+")", map[string]any{"kind": kind}))
	}
	unsupported(a, "executable-not-analysed", kind)
	return nil
}

func lower(name string) string { return string(bytes.ToLower([]byte(name))) }

// program names the kind of executable by its header, which is checked beyond
// the magic: two or four bytes alone occur in any data.
func program(b []byte, size int64) string {
	if len(b) < 8 {
		return ""
	}
	switch string(b[:4]) {
	case "\x7fELF":
		if b[4] >= 1 && b[4] <= 2 && b[5] >= 1 && b[5] <= 2 && b[6] == 1 {
			return "elf"
		}
	case "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe":
		if len(b) >= 28 {
			return "mach-o"
		}
	case "\xca\xfe\xba\xbe":
		n := binary.BigEndian.Uint32(b[4:])
		switch {
		case n > 0 && n <= 32 && size >= 28:
			return "mach-o"
		case n&0xffff >= 45 && n&0xffff < 100 && n>>16 <= 3 || n == 0xffff0000+n&0xffff && n&0xffff >= 55:
			return "java-class"
		}
	case "\x00asm":
		if binary.LittleEndian.Uint32(b[4:]) == 1 || string(b[4:8]) == "\x0d\x00\x01\x00" {
			return "wasm"
		}
	case "dex\n":
		if b[7] == 0 {
			return "dex"
		}
	case "BC\xc0\xde":
		return "llvm-bitcode"
	}
	return windows(b, size)
}

// windows: MZ, and a PE header where the DOS header points, or the other
// formats that stand there. A header past the probe counts if it could be there.
func windows(b []byte, size int64) string {
	if len(b) < 64 || b[0] != 'M' || b[1] != 'Z' {
		return ""
	}
	if bytes.HasPrefix(b, []byte("MZqFpD='")) { // Actually Portable Executable, llamafile
		return "ape"
	}
	at := int64(binary.LittleEndian.Uint32(b[60:]))
	switch {
	case at >= 64 && at+4 <= int64(len(b)):
		if s := string(b[at : at+2]); s == "PE" || s == "NE" || s == "LE" {
			return "pe"
		}
		return ""
	case at >= int64(len(b)) && at < size-4 && at < 1<<16 && bytes.Contains(b[:min(len(b), 512)], []byte("DOS")):
		return "pe"
	}
	return ""
}
