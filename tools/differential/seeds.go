package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	asm "bartizan/internal/pickleasm"
)

// maxSeed bounds a seed file: larger ones only make the run slow.
const maxSeed = 4096

// builtinSeeds are streams of known attacks and tricks, to be mutated and spliced.
func builtinSeeds() [][]byte {
	n := asm.Name{Module: "os", Name: "system"}
	seeds := []*asm.Builder{
		asm.New().Call("os", "system", "id").Stop(),
		asm.New().Text("cos\nsystem\n(S'id'\ntR."),
		asm.New().Text("(S'id'\nios\nsystem\n."),
		asm.New().Text("(lp0\nI1\naI01\naL5L\naF1.5\naVabc\np1\nag1\nap7\n."),
		asm.New().Text("c__builtin__\neval\np0\n0g0\n(S'1'\ntp1\nRp2\n."),
		asm.New().Text("]q\x00(K\x01M\x02\x01J\xff\xff\xff\xffU\x01ae}q\x01(U\x01bG?\xf0\x00\x00\x00\x00\x00\x00us0."),
		asm.New().Proto(2).New("a", "X", 1, "two").EmptyDict().Str(asm.AsBinUnicode, "k").None().SetItem().Build().Stop(),
		asm.New().Proto(4).CallByObj("os", "system", "id").Pop().None().Stop(),
		asm.New().Proto(4).Framed(func(b *asm.Builder) { b.Named(asm.AsShortBinUnicode, asm.AsBinUnicode8, n).Args("id").Reduce().Stop() }),
		asm.New().Proto(4).FramedOff(-12, func(b *asm.Builder) { b.Global("os", "system").Args("id").Reduce().Stop() }),
		asm.New().Proto(4).FramedOff(5, func(b *asm.Builder) { b.Global("a", "f").EmptyTuple().Reduce().Stop() }),
		asm.New().Ext1(1).EmptyTuple().Reduce().Ext2(256).Ext4(65536).Stop(),
		asm.New().PersID("abc").EmptyTuple().Reduce().None().BinPersID().Append().Stop(),
		asm.New().Proto(5).ByteArray8([]byte("xyz")).NextBuffer().ReadonlyBuffer().Tuple2().Stop(),
		asm.New().Proto(4).Global("a", "X").EmptyTuple().EmptyDict().NewObjEx().Mark().None().None().SetItems().Stop(),
		asm.New().Proto(4).EmptySet().Mark().None().AddItems().Mark().None().FrozenSet().Stop(),
		asm.New().Global("a", "X").EmptyTuple().Reduce().Mark().BinInt1(1).Appends().BinInt1(2).Append().Stop(),
		asm.New().Global("a", "YD").EmptyTuple().NewObj().EmptyDict().Str(asm.AsBinUnicode, "s").None().SetItem().EmptyDict().Tuple2().Build().Stop(),
		asm.New().Call("builtins", "getattr", asm.Name{Module: "os", Name: "path"}, "join").Args("a").Reduce().Stop(),
		asm.New().Global("a", "f").Put("0").Global("b.c", "g").BinPut(0).Get("0").EmptyTuple().Reduce().Stop(),
		asm.New().Text("\x80\x04cos\r\nsystem\r\n)R."),
	}
	for _, store := range asm.Stores() {
		for _, load := range asm.Loads() {
			seeds = append(seeds, asm.New().Proto(4).NamedThroughMemo(store, load, 0, n).Args("id").Reduce().Stop())
		}
	}
	out := make([][]byte, len(seeds))
	for i, b := range seeds {
		out[i] = b.Bytes()
	}
	return out
}

// loadSeeds gives the built-in seeds and the small files of a folder, in the order of their paths.
func loadSeeds(folder string) ([][]byte, error) {
	seeds := builtinSeeds()
	if folder == "" {
		return seeds, nil
	}
	var paths []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("seeds: %w", err)
	}
	sort.Strings(paths)
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 || info.Size() > maxSeed {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("seeds: %w", err)
		}
		seeds = append(seeds, data)
	}
	return seeds, nil
}
