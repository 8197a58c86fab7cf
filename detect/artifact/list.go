package artifact

import (
	"slices"

	"bartizan/detect/artifact/format"
	"bartizan/detect/artifact/gguf"
	"bartizan/detect/artifact/image"
	"bartizan/detect/artifact/magic"
	"bartizan/detect/artifact/npy"
	"bartizan/detect/artifact/pickle"
	"bartizan/detect/artifact/plain"
	"bartizan/detect/artifact/safetensors"
	"bartizan/detect/artifact/symbol"
	"bartizan/detect/artifact/template"
	"bartizan/detect/artifact/torchscript"
	"bartizan/finding"
)

// New makes an engine with every built-in format.
func New(opt Options) (*Engine, error) {
	e := &Engine{formats: builtin(opt)}
	e.rules = append(e.rules, ruleMismatch)
	for _, f := range e.formats {
		e.rules = append(e.rules, f.Rules()...)
	}
	catalogue, err := finding.NewCatalogue(e.rules)
	if err != nil {
		return nil, err
	}
	e.packs = map[string]string{"symbols": symbol.Builtin().Version(), "rules": catalogue.Digest()}
	return e, nil
}

// builtin is the one list of formats. Containers come first: what they hold is
// scanned by the rest. The last ones recognise what nothing before them claims.
func builtin(opt Options) []format.Format {
	script := torchscript.New()
	return slices.Concat(
		containers(),
		[]format.Format{
			script,
			pickle.New(opt.Decompile),
			npy.New(),
			safetensors.New(),
			gguf.New(),
			gguf.NewLegacy(),
			template.New(),
		},
		image.Formats(),
		magic.Formats(),
		plain.Formats(script),
	)
}
