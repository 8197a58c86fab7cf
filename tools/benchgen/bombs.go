package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	asm "bartizan/internal/pickleasm"
)

// bomb is a small input that asks a reader for a lot. scale is in percent of the full size.
type bomb struct {
	name string
	make func(scale int) ([]byte, error)
}

func writeBombs(root string, scale int, out io.Writer) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	for _, b := range bombs() {
		data, err := b.make(scale)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		if err := os.WriteFile(filepath.Join(root, b.name), data, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(out, "%-32s %d bytes\n", b.name, len(data))
	}
	return nil
}

func bombs() []bomb {
	return append(pickleBombs(), containerBombs()...)
}

func plain(build func(scale int) *asm.Builder) func(int) ([]byte, error) {
	return func(scale int) ([]byte, error) { return build(scale).Bytes(), nil }
}

func repeat(s string, n int) string { return strings.Repeat(s, max(n, 1)) }

func pickleBombs() []bomb {
	return []bomb{
		{"nested-lists.pkl", plain(func(k int) *asm.Builder { // 10^6 lists in one another
			return asm.New().Proto(2).Text(repeat("]", 10_000*k)).Text(repeat("a", 10_000*k-1)).Stop()
		})},
		{"nested-tuples.pkl", plain(func(k int) *asm.Builder { return asm.New().Proto(2).EmptyTuple().Text(repeat("\x85", 10_000*k)).Stop() })},
		{"marks.pkl", plain(func(k int) *asm.Builder { return asm.New().Text(repeat("(", 10_000*k)).None().Stop() })},
		{"marks-closed.pkl", plain(func(k int) *asm.Builder {
			return asm.New().Text(repeat("(", 10_000*k)).Text(repeat("t", 10_000*k)).Stop()
		})},
		{"pushes.pkl", plain(func(k int) *asm.Builder { return asm.New().Text(repeat("N", 200_000*k)).Stop() })},
		{"dups.pkl", plain(func(k int) *asm.Builder { return asm.New().EmptyList().Text(repeat("2", 200_000*k)).Stop() })},
		{"memo-doubling.pkl", plain(memoDoubling)},
		{"memo-doubling-set.pkl", plain(hashDoubling)},
		{"memo-far.pkl", plain(func(int) *asm.Builder { return asm.New().None().LongBinPut(1<<32 - 1).LongBinPut(1 << 31).Stop() })},
		{"memo-gaps.pkl", plain(memoGaps)},
		{"globals.pkl", plain(func(k int) *asm.Builder { // many different names
			b := asm.New()
			for i := range 1_000 * k {
				b.Global("m"+strconv.Itoa(i), "n").Pop()
			}
			return b.None().Stop()
		})},
		{"same-global.pkl", plain(func(k int) *asm.Builder { return asm.New().Text(repeat("cos\nsystem\n0", 1_000*k)).None().Stop() })},
		{"call-chain.pkl", plain(func(k int) *asm.Builder { return asm.New().Global("m", "n").Text(repeat(")R", 5_000*k)).Stop() })},
		{"persistent.pkl", plain(func(k int) *asm.Builder { return asm.New().Text(repeat("Px\n0", 5_000*k)).None().Stop() })},
		{"long1.pkl", plain(func(k int) *asm.Builder { // long integers of 255 bytes
			return asm.New().Proto(2).Text(repeat("\x8a\xff"+repeat("\x7f", 255)+"0", 500*k)).None().Stop()
		})},
		{"long4.pkl", plain(func(k int) *asm.Builder {
			return asm.New().Proto(2).Long4(bytes.Repeat([]byte{0x7f}, 100_000*k)).Stop()
		})},
		{"decimal-line.pkl", plain(func(k int) *asm.Builder { return asm.New().Long(repeat("9", 10_000*k) + "L").Stop() })},
		{"string-escapes.pkl", plain(func(k int) *asm.Builder { return asm.New().String("'" + repeat(`\x41`, 50_000*k) + "'").Stop() })},
		{"unicode-escapes.pkl", plain(func(k int) *asm.Builder { return asm.New().Unicode(repeat(`\u0041`, 50_000*k)).Stop() })},
		{"stated-lengths.pkl", plain(func(int) *asm.Builder { return asm.New().Proto(4).Counted(asm.BINBYTES8, 8, 1<<62, nil).Stop() })},
		{"frames.pkl", plain(func(k int) *asm.Builder { // each frame ends inside the next one's header
			return asm.New().Proto(4).Text(repeat("\x95\x05\x00\x00\x00\x00\x00\x00\x00", 5_000*k)).None().Stop()
		})},
		{"streams.pkl", plain(func(k int) *asm.Builder { return asm.New().Text(repeat("\x80\x04N.", 10_000*k)) })},
		{"false-starts.pkl", plain(func(k int) *asm.Builder { return asm.New().Text("N.").Text(repeat("\x80\x04\x95\x80\x02(", 10_000*k)) })},
		{"nested-base64.pkl", nestedBase64},
		{"literal-starts.pkl", plain(func(k int) *asm.Builder { // bytes full of what could start a pickle
			return asm.New().Proto(4).BinBytes([]byte(repeat("\x80\x04cos\nsystem\n", 10_000*k))).Stop()
		})},
	}
}

// memoDoubling is the billion laughs: each list holds the last one twice (github.com/trailofbits/fickling issue 111).
func memoDoubling(int) *asm.Builder {
	b := asm.New().Proto(2).EmptyList().LongBinPut(0)
	for i := range uint32(200) {
		b.EmptyList().LongBinGet(i).Append().LongBinGet(i).Append().LongBinPut(i + 1)
	}
	return b.Stop()
}

// hashDoubling does it with frozensets as set members: a loader that hashes them takes exponential time.
func hashDoubling(int) *asm.Builder {
	b := asm.New().Proto(4).Mark().BinInt1(1).FrozenSet().LongBinPut(0)
	for i := range uint32(60) {
		b.Mark().LongBinGet(i).Mark().LongBinGet(i).FrozenSet().FrozenSet().LongBinPut(i + 1)
	}
	return b.Stop()
}

func memoGaps(k int) *asm.Builder {
	b := asm.New().None()
	for i := range uint32(1_000 * k) {
		b.LongBinPut(i * 37).LongBinGet(i * 37).Pop()
	}
	return b.Stop()
}

// nestedBase64 is a call inside a pickle inside base64 text inside a pickle, and so on.
func nestedBase64(int) ([]byte, error) {
	data := asm.New().Call("os", "system", "id").Stop().Bytes()
	for range 25 {
		data = asm.New().Proto(4).BinUnicode(base64.StdEncoding.EncodeToString(data)).Stop().Bytes()
	}
	return data, nil
}

func containerBombs() []bomb {
	return []bomb{
		{"zeros.zip", func(k int) ([]byte, error) { return zipOf(map[string]int64{"archive/data.pkl": int64(k) * 10_000_000}) }},
		{"zeros.npz", func(k int) ([]byte, error) { return zipOf(map[string]int64{"x.npy": int64(k) * 5_000_000, "y.npy": 1}) }},
		{"zeros.gz", func(k int) ([]byte, error) { return gzipOf(zeroReader(int64(k) * 10_000_000)) }},
		{"zeros.gz.gz", func(k int) ([]byte, error) {
			once, err := gzipOf(zeroReader(int64(k) * 10_000_000))
			if err != nil {
				return nil, err
			}
			return gzipOf(bytes.NewReader(once))
		}},
		{"42.zip", nestedZips},
		{"overlap.zip", overlappingZip},
		{"quine-depth.zip", func(k int) ([]byte, error) { return zipInZip(min(k, 100) * 5) }},
		{"members.zip", manyMembers},
		{"members.tar", manyTarMembers},
		{"deep.json", func(k int) ([]byte, error) { return []byte(repeat("[", 10_000*k) + repeat("]", 10_000*k)), nil }},
		{"header.safetensors", func(k int) ([]byte, error) {
			text := `{"` + repeat("a", 500_000*k) + `":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`
			return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
		}},
		{"tensors.safetensors", func(k int) ([]byte, error) {
			data, err := safetensors(2_000*k, 0)
			return data, err
		}},
		{"counts.gguf", func(int) ([]byte, error) {
			b := append([]byte("GGUF"), 3, 0, 0, 0)
			return append(b, bytes.Repeat([]byte{0xff}, 64)...), nil
		}},
		{"shape.npy", func(int) ([]byte, error) {
			header := "{'descr': '|O', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807), }"
			return append(append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0), header...), nil
		}},
	}
}

func zeroReader(n int64) io.Reader { return io.LimitReader(zeroSource{}, n) }

type zeroSource struct{}

func (zeroSource) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func gzipOf(r io.Reader) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, r); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// zipOf is a zip of members that are zeros of the given sizes.
func zipOf(members map[string]int64) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, name := range []string{"archive/data.pkl", "x.npy", "y.npy"} {
		n, ok := members[name]
		if !ok {
			continue
		}
		f, err := w.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(f, zeroReader(n)); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// nestedZips is like 42.zip: sixteen zips in each of sixteen, five deep, and zeros at the bottom.
func nestedZips(k int) ([]byte, error) {
	data, err := zipOf(map[string]int64{"archive/data.pkl": int64(k) * 1_000_000})
	for level := 0; level < 5 && err == nil; level++ {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for i := 0; i < 16 && err == nil; i++ {
			var f io.Writer
			if f, err = w.Create(fmt.Sprintf("lib %d.zip", i)); err == nil {
				_, err = f.Write(data)
			}
		}
		if err == nil {
			err = w.Close()
		}
		data = out.Bytes()
	}
	return data, err
}

// zipInZip is a chain of zips, each the only member of the next.
func zipInZip(depth int) ([]byte, error) {
	data := asm.New().Call("os", "system", "id").Stop().Bytes()
	name := "data.pkl"
	for range depth {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		f, err := w.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(data); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		data, name = out.Bytes(), "a.zip"
	}
	return data, nil
}

// overlappingZip has a central directory whose entries all mean the same deflated member (D. Fifield, "A better zip
// bomb", WOOT 2019, in its plain form).
func overlappingZip(k int) ([]byte, error) {
	one, err := zipOf(map[string]int64{"archive/data.pkl": int64(k) * 100_000})
	if err != nil {
		return nil, err
	}
	end := bytes.LastIndex(one, []byte("PK\x05\x06"))
	central := bytes.LastIndex(one[:end], []byte("PK\x01\x02"))
	entry := one[central:end]
	const copies = 60_000
	out := append([]byte(nil), one[:central]...)
	for range copies {
		out = append(out, entry...)
	}
	tail := append([]byte(nil), one[end:]...)
	binary.LittleEndian.PutUint16(tail[8:], copies)
	binary.LittleEndian.PutUint16(tail[10:], copies)
	binary.LittleEndian.PutUint32(tail[12:], uint32(copies*len(entry)))
	return append(out, tail...), nil
}

func manyMembers(k int) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range 1_000 * k {
		if err := stored(w, fmt.Sprintf("d/%d.pkl", i), []byte("N.")); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func manyTarMembers(k int) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := range 1_000 * k {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("d/%d.pkl", i), Mode: 0o644, Size: 2}); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte("N.")); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}
