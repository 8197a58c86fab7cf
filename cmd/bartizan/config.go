package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// configLimit is how long a file of settings may be.
const configLimit = 1 << 20

// configFlag is the path of a YAML file whose keys are flags, under the verb's
// name for the flags of a verb. It adds what it reads before defaults.
type configFlag string

// BeforeResolve is called by kong once the command line has been read.
func (configFlag) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	path, ok := ctx.FlagValue(trace.Flag).(configFlag)
	if !ok || path == "" {
		return nil
	}
	root, err := readYAML(string(path))
	if err != nil {
		return err
	}
	c := config{path: string(path), values: map[*kong.Flag]any{}, fromEnv: !named(ctx.Args)}
	if err := c.take(ctx.Model.Node, root); err != nil {
		return err
	}
	ctx.AddResolver(c)
	return nil
}

// named says whether the command line itself names a file of settings.
func named(args []string) bool {
	for _, a := range args {
		if a == "--" {
			return false
		}
		if a == "--config" || strings.HasPrefix(a, "--config=") {
			return true
		}
	}
	return false
}

// readYAML reads one mapping from a file: whole, bounded, and nothing behind it.
func readYAML(path string) (*yaml.Node, error) {
	b, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := decodeOne(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if doc.Kind == 0 {
		return &yaml.Node{Kind: yaml.MappingNode}, nil
	}
	return doc.Content[0], nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, configLimit+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(b) > configLimit {
		return nil, fmt.Errorf("%s: longer than %d bytes", path, configLimit)
	}
	return b, nil
}

// byVariable says whether a variable may set the flag. What a listing looks like
// loosens nothing.
func byVariable(f *kong.Flag) bool {
	return f.Name == "format" || len(f.Envs) > 0 && f.Envs[0] != "-"
}

// config is the resolver that kong asks for flags that the command line lacks.
type config struct {
	path   string
	values map[*kong.Flag]any
	// fromEnv says that the environment named the file: it may then set no more
	// than variables may, for whoever sets variables must not loosen a check.
	fromEnv bool
}

// take matches a mapping with a node's flags and verbs; a key that is neither is refused.
func (c config) take(node *kong.Node, m *yaml.Node) error {
	if m.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: want a mapping of flags", c.path, m.Line)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		if seen[key.Value] {
			return fmt.Errorf("%s:%d: %s stands twice", c.path, key.Line, key.Value)
		}
		seen[key.Value] = true
		if err := c.key(node, key, value); err != nil {
			return err
		}
	}
	return nil
}

func (c config) key(node *kong.Node, key, value *yaml.Node) error {
	for _, child := range node.Children {
		if child.Name == key.Value {
			return c.take(child, value)
		}
	}
	for _, f := range node.Flags {
		if f.Name != key.Value || f.Name == "help" || f.Name == "config" {
			continue
		}
		if value.Kind != yaml.ScalarNode {
			return fmt.Errorf("%s:%d: %s: want one value", c.path, value.Line, key.Value)
		}
		if c.fromEnv && !byVariable(f) {
			return fmt.Errorf("%s:%d: %s: can be set on the command line, or in a file that --config names, and not by BARTIZAN_CONFIG", c.path, key.Line, key.Value)
		}
		c.values[f] = value.Value
		return nil
	}
	return fmt.Errorf("%s:%d: unknown key %q: keys are the long names of flags, those of a verb under the verb's name", c.path, key.Line, key.Value)
}

// Resolve implements kong.Resolver: the environment goes before the file.
func (c config) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	v, ok := c.values[flag]
	if !ok {
		return nil, nil
	}
	return v, nil
}

// Validate implements kong.Resolver; take has refused unknown keys already.
func (config) Validate(*kong.Application) error { return nil }

var errSecondDocument = errors.New("a second YAML document follows: want one")
