// Command symbolc compiles the symbol data files into the blob that package
// symbol embeds. Run it through `go generate ./detect/artifact/symbol`.
//
// The package must build for it to run: where symbols.bin is missing, create an
// empty file of that name first.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bartizan/detect/artifact/symbol"
)

func main() {
	data := flag.String("data", "data", "folder of the data files")
	out := flag.String("out", "symbols.bin", "file to write")
	flag.Parse()
	if err := run(*data, *out); err != nil {
		fmt.Fprintln(os.Stderr, "symbolc:", err)
		os.Exit(1)
	}
}

func run(data, out string) error {
	paths, err := filepath.Glob(filepath.Join(data, "*.txt"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("no data files in %s", data)
	}
	sources := make([]symbol.Source, 0, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.Base(path)
		sources = append(sources, symbol.Source{Name: name, Text: string(text), Overlay: strings.HasPrefix(name, "curated")})
	}
	blob, err := symbol.Compile(sources)
	if err != nil {
		return err
	}
	db, err := symbol.Open(string(blob))
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, blob, 0o644); err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes, %s\n", out, len(blob), db.Version())
	return nil
}
