package unpack_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"bartizan/detect/container/unpack"
	"bartizan/detect/input"
)

// python compresses the file at its first argument into files beside it.
const python = `
import bz2, gzip, lzma, sys, zlib
p = sys.argv[1]
data = open(p, "rb").read()
def put(ext, b): open(p + ext, "wb").write(b)
L = {"id": lzma.FILTER_LZMA2, "preset": 6}
put(".xz0", lzma.compress(data, check=lzma.CHECK_NONE))
put(".xz1", lzma.compress(data, check=lzma.CHECK_CRC32, preset=0))
put(".xz4", lzma.compress(data, check=lzma.CHECK_CRC64, preset=9))
put(".xz10", lzma.compress(data, check=lzma.CHECK_SHA256))
put(".xzdelta", lzma.compress(data, filters=[{"id": lzma.FILTER_DELTA, "dist": 7}, L]))
put(".xzx86", lzma.compress(data, filters=[{"id": lzma.FILTER_X86}, L]))
put(".xzsmall", lzma.compress(data, filters=[dict(L, dict_size=4096, lc=0, lp=4, pb=3)]))
put(".xzmulti", lzma.compress(data[:1000]) + bytes(8) + lzma.compress(data[1000:]))
put(".lzma", lzma.compress(data, format=lzma.FORMAT_ALONE))
put(".lzmasmall", lzma.compress(data, format=lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 65536, "lc": 4, "lp": 0, "pb": 0}]))
put(".zlib", zlib.compress(data))
put(".gz", gzip.compress(data[:777]) + gzip.compress(data[777:]))
put(".bz2", bz2.compress(data[:777]) + bz2.compress(data[777:]))
`

// samples are contents that reach the corners of the coders.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var text bytes.Buffer
	for i := range 8_000 {
		fmt.Fprintf(&text, "layer.%d.weight %d\n", i%97, r.IntN(1000))
	}
	code := make([]byte, 100_000)
	for i := range code {
		code[i] = byte(r.Uint32() & r.Uint32())
		if r.IntN(6) == 0 {
			code[i] = 0xe8 + byte(r.IntN(2))
		}
		if r.IntN(5) == 0 {
			code[i] = byte(-r.IntN(2))
		}
	}
	exe, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		code = append(code, exe[:min(len(exe), 100<<10)]...)
	}
	return map[string][]byte{
		"empty": {}, "one": {7}, "zeros": make([]byte, 1<<20), "noise": noise, "text": text.Bytes(), "code": code,
	}
}

type opener func(src *unpack.Source, b input.Blob, budget *input.Budget) (io.Reader, error)

func xz(src *unpack.Source, b input.Blob, budget *input.Budget) (io.Reader, error) {
	return new(unpack.XZ).Open(src, b, budget), nil
}

func lzma(src *unpack.Source, _ input.Blob, budget *input.Budget) (io.Reader, error) {
	return new(unpack.LZMA).Alone(src.Reader(), budget)
}

func zlib(src *unpack.Source, _ input.Blob, _ *input.Budget) (io.Reader, error) {
	return unpack.Zlib(new(unpack.Deflate), src.Reader())
}

func bzip2(src *unpack.Source, b input.Blob, budget *input.Budget) (io.Reader, error) {
	return unpack.BZip2(src, b, budget)
}

func zstd(src *unpack.Source, b input.Blob, budget *input.Budget) (io.Reader, error) {
	return unpack.Zstd(src, b, budget)
}

func lz4(src *unpack.Source, b input.Blob, budget *input.Budget) (io.Reader, error) {
	return unpack.LZ4(src, b, budget)
}

var openers = map[string]opener{
	".xz0": xz, ".xz1": xz, ".xz4": xz, ".xz10": xz, ".xzdelta": xz, ".xzx86": xz, ".xzsmall": xz, ".xzmulti": xz,
	".lzma": lzma, ".lzmasmall": lzma, ".zlib": zlib, ".bz2": bzip2,
}

// decode reads everything in odd pieces, from memory or from a reader.
func decode(open opener, packed []byte, mapped bool) ([]byte, error) {
	b := input.FromBytes(packed)
	if !mapped {
		b = input.FromReaderAt(bytes.NewReader(packed), int64(len(packed)))
	}
	r, err := open(unpack.NewSource(b), b, input.NewBudget(1<<40))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	p := make([]byte, 10_007)
	for {
		n, err := r.Read(p)
		out.Write(p[:n])
		if err == io.EOF {
			if c, ok := r.(io.Closer); ok {
				c.Close()
			}
			return out.Bytes(), nil
		}
		if err != nil {
			return out.Bytes(), err
		}
	}
}

// packed gives every sample in every encoding that the tools here make.
func packed(t testing.TB) map[string][2][]byte {
	py, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not here: decoders were NOT compared with other encoders")
	}
	once.Lock()
	defer once.Unlock()
	if made != nil {
		return made
	}
	out := map[string][2][]byte{}
	dir := t.TempDir()
	for name, data := range samples() {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command(py, "-c", python, p).CombinedOutput(); err != nil {
			t.Fatalf("python3: %v\n%s", err, text)
		}
		for _, tool := range [][]string{{"zstd", "-q", "-19", "-o", p + ".zst", p}, {"lz4", "-q", "-f", p, p + ".lz4"}, {"lz4", "-q", "-f", "-l", p, p + ".lz4l"}} {
			exec.Command(tool[0], tool[1:]...).Run() // where the tool is missing, so is its file
		}
		found, _ := filepath.Glob(p + ".*")
		for _, f := range found {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out[filepath.Base(f)] = [2][]byte{b, data}
		}
	}
	made = out
	return out
}

// made keeps what the slow encoders gave, for the tests of this package.
var (
	once sync.Mutex
	made map[string][2][]byte
)

func openerOf(name string) opener {
	switch ext := filepath.Ext(name); ext {
	case ".zst":
		return zstd
	case ".lz4", ".lz4l":
		return lz4
	default:
		return openers[ext]
	}
}

func TestDecodersAgreeWithOtherEncoders(t *testing.T) {
	files := packed(t)
	if len(files) < 60 {
		t.Fatalf("%d files, want at least 60", len(files))
	}
	for name, f := range files {
		open := openerOf(name)
		if open == nil {
			continue
		}
		for _, mapped := range []bool{true, false} {
			got, err := decode(open, f[0], mapped)
			if err != nil || !bytes.Equal(got, f[1]) {
				t.Errorf("%s (mapped %v): %d bytes, want %d, equal %v, error %v", name, mapped, len(got), len(f[1]), bytes.Equal(got, f[1]), err)
			}
		}
	}
}

// Every cut is a fault, and what came before it is right.
func TestCutStreamsAreFaults(t *testing.T) {
	for name, f := range packed(t) {
		open := openerOf(name)
		if open == nil || len(f[1]) < 10 || len(f[1]) > 3<<20 || filepath.Ext(name) == ".lz4l" {
			continue // a legacy lz4 frame may end at any block
		}
		for _, part := range []int{3, 2} {
			cut := f[0][:len(f[0])*(part-1)/part]
			if filepath.Ext(name) == ".xzmulti" {
				cut = f[0][:len(f[0])-30]
			}
			got, err := decode(open, cut, true)
			if err == nil {
				t.Errorf("%s: cut to %d of %d bytes decodes without a fault", name, len(cut), len(f[0]))
			}
			if !bytes.HasPrefix(f[1], got) {
				t.Errorf("%s: cut to %d bytes gives other content", name, len(cut))
			}
		}
	}
}

// A checksum fault is seen wherever the format has a checksum.
func TestFlippedBitsAreFaults(t *testing.T) {
	for name, f := range packed(t) {
		switch filepath.Ext(name) {
		case ".xz1", ".xz4", ".xz10", ".zlib", ".bz2", ".lz4", ".zst":
		default:
			continue
		}
		if len(f[1]) < 1000 || name == "zeros.bz2" {
			continue // there the middle is the second stream's magic: the rest is then no stream
		}
		bad := bytes.Clone(f[0])
		bad[len(bad)/2] ^= 0x10
		got, err := decode(openerOf(name), bad, true)
		if err == nil && !bytes.Equal(got, f[1]) {
			t.Errorf("%s: a flipped bit is not seen", name)
		}
	}
}

// A header that asks for a large window costs nothing; data that needs one is a limit.
func TestWindowsAreCapped(t *testing.T) {
	small := lzmaAlone(t, []byte("hello hello hello"))
	for i := 1; i < 5; i++ {
		small[i] = 0xff
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := decode(lzma, small, true)
	runtime.ReadMemStats(&after)
	if err != nil || string(got) != "hello hello hello" {
		t.Fatalf("%q, %v", got, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Fatalf("a 4 GiB dictionary in the header allocated %d bytes", n)
	}
	large := lzmaAlone(t, make([]byte, 20<<20))
	for i := 1; i < 5; i++ {
		large[i] = 0xff
	}
	got, err = decode(lzma, large, true)
	if !errors.Is(err, unpack.ErrMemory) || len(got) != unpack.MaxWindow {
		t.Fatalf("%d bytes, %v; want the first 16 MiB and a memory fault", len(got), err)
	}
}

func lzmaAlone(t testing.TB, data []byte) []byte {
	t.Helper()
	py, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not here: windows were NOT tested")
	}
	c := exec.Command(py, "-c", `import lzma,sys; sys.stdout.buffer.write(lzma.compress(sys.stdin.buffer.read(), format=lzma.FORMAT_ALONE, preset=0))`)
	c.Stdin = bytes.NewReader(data)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLooksLikeNothingElse(t *testing.T) {
	for _, text := range []string{
		"x^2 + y^2 = z^2 is an equation that starts with the two bytes of a zlib header", "xn--bcher-kva.example, x, y, z, and so on",
		"HChemistry of the elements", "]\x00\x00\x00\x00 a list", "hi there, this is a letter of some length for nobody",
		"\x78\x9c this is not deflate data at all, it is just text of some length",
	} {
		head := []byte(text)
		if unpack.LooksZlib(head, 1000) || unpack.LooksLZMA(head, 1000) {
			t.Errorf("%q looks compressed", text)
		}
	}
	if unpack.LooksLZMA(make([]byte, 4096), 1<<20) {
		t.Error("zeros look like LZMA")
	}
}

func BenchmarkDecode(b *testing.B) {
	files := packed(b)
	for _, name := range []string{"text.xz4", "text.lzma", "noise.xz4", "zeros.xz4", "zeros.lzma", "text.zlib", "text.bz2", "text.zst", "text.lz4", "code.xzx86"} {
		f, ok := files[name]
		if !ok {
			continue
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(f[1])))
			for b.Loop() {
				if _, err := decode(openerOf(name), f[0], true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
