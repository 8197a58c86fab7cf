package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"

	asm "bartizan/internal/pickleasm"
)

// sparseFile is a file in which zeros are holes.
type sparseFile struct {
	f   *os.File
	pos int64
}

func (s *sparseFile) Write(p []byte) (int, error) {
	if len(p) > 4096 && bytes.Count(p, []byte{0}) == len(p) {
		s.skip(int64(len(p)))
		return len(p), nil
	}
	n, err := s.f.WriteAt(p, s.pos)
	s.pos += int64(n)
	return n, err
}

// skip makes a hole of n bytes.
func (s *sparseFile) skip(n int64) { s.pos += n }

func (s *sparseFile) close() error {
	if err := s.f.Truncate(s.pos); err != nil {
		_ = s.f.Close()
		return err
	}
	return s.f.Close()
}

// writeSparse writes a safetensors file, a GGUF file and a torch zip of about size bytes each.
func writeSparse(root string, size int64, out io.Writer) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	for _, kind := range []struct {
		name  string
		write func(*sparseFile, int64) error
	}{{"big.safetensors", sparseSafetensors}, {"big.gguf", sparseGGUF}, {"big.pt", sparseTorch}} {
		path := filepath.Join(root, kind.name)
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		s := &sparseFile{f: f}
		if err := kind.write(s, size); err != nil {
			_ = f.Close()
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := s.close(); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %d bytes\n", path, s.pos)
	}
	return nil
}

// tensors is how many tensors share the size of a sparse file.
const tensors = 10

// side is the side of a square float32 matrix that takes a tenth of size, a multiple of 8 so that offsets are aligned.
func side(size int64) int64 { return max(8, int64(math.Sqrt(float64(size/tensors/4)))/8*8) }

func sparseSafetensors(s *sparseFile, size int64) error {
	header, data, err := safetensorsHeader(tensors, side(size))
	if err != nil {
		return err
	}
	if _, err := s.Write(header); err != nil {
		return err
	}
	s.skip(data)
	return nil
}

// sparseGGUF writes a GGUF version 3 file with a small vocabulary and float32 tensors.
func sparseGGUF(s *sparseFile, size int64) error {
	const alignment, typeString, typeUint32, typeArray = 32, 8, 4, 9
	n, b := side(size), []byte("GGUF")
	u32 := func(v uint32) { b = binary.LittleEndian.AppendUint32(b, v) }
	u64 := func(v uint64) { b = binary.LittleEndian.AppendUint64(b, v) }
	str := func(v string) { u64(uint64(len(v))); b = append(b, v...) }
	u32(3)
	u64(tensors)
	u64(4)
	str("general.architecture")
	u32(typeString)
	str("llama")
	str("general.alignment")
	u32(typeUint32)
	u32(alignment)
	str("tokenizer.ggml.tokens")
	u32(typeArray)
	u32(typeString)
	u64(1000)
	for i := range 1000 {
		str(fmt.Sprintf("<tok%d>", i))
	}
	str("tokenizer.chat_template")
	u32(typeString)
	str("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}")
	for i := range uint64(tensors) {
		str(fmt.Sprintf("blk.%d.weight", i))
		u32(2)
		u64(uint64(n))
		u64(uint64(n))
		u32(0) // F32
		u64(i * uint64(4*n*n))
	}
	for len(b)%alignment != 0 {
		b = append(b, 0)
	}
	if _, err := s.Write(b); err != nil {
		return err
	}
	s.skip(tensors * 4 * n * n)
	return nil
}

// sparseTorch writes what torch.save writes for a state dict of float32 tensors: a stored zip with data.pkl first.
func sparseTorch(s *sparseFile, size int64) error {
	n := side(size)
	b := asm.New().Proto(2).EmptyDict().Mark()
	for i := range tensors {
		storage := asm.New().Mark().BinUnicode("storage").Global("torch", "FloatStorage").BinUnicode(fmt.Sprint(i)).BinUnicode("cpu").Value(int(n * n)).Tuple().BinPersID()
		b.BinUnicode(fmt.Sprintf("layer.%d.weight", i)).Global("torch._utils", "_rebuild_tensor_v2").Mark().Raw(storage.Bytes()...)
		b.BinInt1(0).Value(int(n)).Value(int(n)).Tuple2().Value(int(n)).BinInt1(1).Tuple2().NewFalse()
		b.Global("collections", "OrderedDict").EmptyTuple().Reduce().Tuple().Reduce()
	}
	pickle := b.SetItems().Stop().Bytes()
	w := zip.NewWriter(s)
	for name, data := range ordered("archive/data.pkl", string(pickle), "archive/byteorder", "little") {
		if err := stored(w, name, []byte(data)); err != nil {
			return err
		}
	}
	crc := crcOfZeros(4 * n * n)
	for i := range tensors {
		h := &zip.FileHeader{Name: fmt.Sprintf("archive/data/%d", i), Method: zip.Store, CRC32: crc,
			UncompressedSize64: uint64(4 * n * n), CompressedSize64: uint64(4 * n * n)}
		f, err := w.CreateRaw(h)
		if err != nil {
			return err
		}
		if err := writeZeros(f, 4*n*n); err != nil {
			return err
		}
	}
	if err := stored(w, "archive/version", []byte("3\n")); err != nil {
		return err
	}
	return w.Close()
}

// ordered yields pairs of texts.
func ordered(pairs ...string) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if !yield(pairs[i], pairs[i+1]) {
				return
			}
		}
	}
}

func stored(w *zip.Writer, name string, data []byte) error {
	f, err := w.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data),
		UncompressedSize64: uint64(len(data)), CompressedSize64: uint64(len(data))})
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return err
}

// zeros is a block of zeros that sparseFile takes for a hole.
func zeros() []byte { return make([]byte, 1<<20) }

func writeZeros(w io.Writer, n int64) error {
	for block := zeros(); n > 0; n -= int64(len(block)) {
		if _, err := w.Write(block[:min(n, int64(len(block)))]); err != nil {
			return err
		}
	}
	return nil
}

// crcOfZeros is the CRC-32 of n zero bytes.
func crcOfZeros(n int64) uint32 {
	crc := uint32(0)
	for block := zeros(); n > 0; n -= int64(len(block)) {
		crc = crc32.Update(crc, crc32.IEEETable, block[:min(n, int64(len(block)))])
	}
	return crc
}
