// Command benchgen writes the inputs of the benchmarks: the same bytes for the same arguments.
//
//	go run ./tools/benchgen dense  FILE   one pickle of about 20 MB and 4.8 million opcodes
//	go run ./tools/benchgen small  DIR    100,000 small valid files
//	go run ./tools/benchgen sparse DIR    10 GB tensor files that take no room on disk
//	go run ./tools/benchgen bombs  DIR    small inputs that ask readers for a lot
//
// The dense pickle is what CPython's pickler writes for that data: `python tools/benchgen/checkdense.py FILE` loads
// it and compares. bench.py and peers.py run Bartizan, C pickle.loads and other scanners over these inputs.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := command(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchgen:", err)
		os.Exit(1)
	}
}

func command(args []string, out io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("want dense, small, sparse or bombs, then a path")
	}
	flags := flag.NewFlagSet("benchgen "+args[0], flag.ContinueOnError)
	rows := flags.Int("rows", 110_000, "dense: rows of the table")
	protocol := flags.Int("protocol", 4, "dense: pickle protocol, 2 or 4")
	files := flags.Int("n", 100_000, "small: number of files")
	size := flags.Int64("gb", 10, "sparse: size of each file in GB (10^9 bytes)")
	scale := flags.Int("scale", 100, "bombs: size in percent, for tests")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("%s: want one path, got %d", args[0], flags.NArg())
	}
	path := flags.Arg(0)
	switch args[0] {
	case "dense":
		return writeDense(path, *rows, *protocol, out)
	case "small":
		return writeSmall(path, *files, out)
	case "sparse":
		return writeSparse(path, *size*1_000_000_000, out)
	case "bombs":
		return writeBombs(path, *scale, out)
	default:
		return fmt.Errorf("%q: want dense, small, sparse or bombs", args[0])
	}
}
