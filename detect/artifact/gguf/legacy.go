package gguf

import (
	"context"
	"encoding/binary"

	"bartizan/detect/artifact/format"
	"bartizan/finding"
)

// Legacy recognises the formats before GGUF: ggml, ggmf, ggjt, and ggla of LoRA
// adapters. Their readers are gone from llama.cpp but live on in whisper.cpp
// and forks; they are not analysed.
type Legacy struct{}

// NewLegacy makes the format.
func NewLegacy() format.Format { return Legacy{} }

// Name implements format.Format.
func (Legacy) Name() string { return "ggml" }

// Title implements format.Format.
func (Legacy) Title() string { return "GGML model, before GGUF" }

// Extensions implements format.Format.
func (Legacy) Extensions() []string { return []string{".ggml"} }

// Rules implements format.Format.
func (Legacy) Rules() []finding.Rule { return nil }

// Match implements format.Format. The magic is a number in little endian, and a
// small one follows.
func (Legacy) Match(p *format.Probe) bool {
	if len(p.Head) < 12 || binary.LittleEndian.Uint32(p.Head[4:]) > 1<<24 {
		return false
	}
	switch string(p.Head[:4]) {
	case "lmgg", "fmgg", "tjgg", "algg":
		return true
	}
	return false
}

// Scan implements format.Format.
func (Legacy) Scan(_ context.Context, a *format.Artifact) error {
	detail := "ggml"
	if a.Depth > 0 {
		detail = a.Path + ": " + detail
	}
	a.Out.Unsupported("format-not-analysed", detail)
	return nil
}
