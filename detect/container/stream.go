package container

import (
	"fmt"
	"io"
	"path"
	"strings"

	"bartizan/detect/container/unpack"
	"bartizan/detect/input"
)

// stream visits the one member of a compressed stream, and, once the visit has
// unpacked it to its end, what lies behind.
func (w *walker) stream(name string, open func(src *unpack.Source) (io.Reader, error)) error {
	src := w.codecs.open(w.in.Blob)
	m := &Member{
		Name: name, Size: -1, Packed: w.in.Blob.Size(), Views: []string{ViewCentral},
		consumed: src.Consumed,
	}
	m.open = func() (io.Reader, error) {
		src.Reset(w.in.Blob)
		return open(src)
	}
	large, err := w.largeTar(m)
	if err != nil {
		return err
	}
	if large {
		return w.inPassing(m)
	}
	if err := w.emit(m); err != nil {
		return ended(err)
	}
	if !m.ended {
		return nil
	}
	return ended(w.trailing(m.used))
}

// inPassing opens the stream anew and walks the tar that it holds.
func (w *walker) inPassing(m *Member) error {
	r, err := m.open()
	if err != nil {
		return m.fail(err)
	}
	m.r = r
	defer m.finish()
	return w.tarStream(m, r)
}

// trailing hands on what follows the end of a stream, unless it is padding.
func (w *walker) trailing(from int64) error {
	return w.strayUnlessZero(from, w.in.Blob.Size()-from, ViewSuffix)
}

// strayUnlessZero hands on bytes that belong to nothing, unless they are padding.
func (w *walker) strayUnlessZero(from, n int64, view string) error {
	if n <= 0 {
		return nil
	}
	zeros, err := leadingZeros(w.in.Blob, from, min(n, padding))
	if err != nil || zeros == n {
		return err
	}
	return w.stray(from+zeros, n-zeros, view)
}

// inner is the name of what a stream holds, from the stream's own name.
func (w *walker) inner(extensions ...string) string {
	base := w.base()
	lower := strings.ToLower(base)
	if lower == "" || lower == "." || lower == "/" {
		return "data"
	}
	for _, e := range [][2]string{{".tgz", ".tar"}, {".tbz2", ".tar"}, {".tbz", ".tar"}, {".txz", ".tar"}, {".tlz", ".tar"}, {".tzst", ".tar"}, {".svgz", ".svg"}} {
		if strings.HasSuffix(lower, e[0]) && len(base) > len(e[0]) {
			return base[:len(base)-len(e[0])] + e[1]
		}
	}
	for _, e := range extensions {
		if strings.HasSuffix(lower, e) && len(base) > len(e) {
			return base[:len(base)-len(e)]
		}
	}
	if ext := path.Ext(base); ext == "" {
		return base + ".data"
	}
	return base
}

func gzipFormat() Format {
	return &kind{
		name: "gzip", title: "gzip stream", extensions: []string{".gz", ".gzip", ".tgz", ".rds", ".rda", ".rdata", ".svgz"},
		match: func(head, _ []byte, _ int64) bool {
			return len(head) >= 10 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8
		},
		walk: walkGzip,
	}
}

func walkGzip(w *walker) error {
	name := ""
	if h, err := unpack.ReadGzipHeader(unpack.NewSource(w.in.Blob).Reader()); err == nil {
		name = h.Name
	}
	if name == "" {
		name = w.inner(".gz", ".gzip", ".z")
	}
	return w.stream(name, func(src *unpack.Source) (io.Reader, error) {
		return &unpack.Gzip{D: &w.codecs.deflate, R: src.Reader(), Next: func() bool { return w.gzipFollows(src) }}, nil
	})
}

// gzipFollows says whether another member comes, and goes over zero bytes
// before it, as Python's reader does.
func (w *walker) gzipFollows(src *unpack.Source) bool {
	at := src.Consumed()
	zeros, err := leadingZeros(w.in.Blob, at, min(w.in.Blob.Size()-at, padding))
	if err != nil || !w.in.Budget.Work(zeros) {
		return false
	}
	p, err := w.in.Blob.Slice(at+zeros, 3).Head(3)
	if err != nil || len(p) < 3 || p[0] != 0x1f || p[1] != 0x8b || p[2] != 8 {
		return false
	}
	_, err = io.CopyN(io.Discard, src.Reader(), zeros)
	return err == nil
}

func zlibFormat() Format {
	return &kind{
		name: "zlib", title: "zlib stream", extensions: []string{".zlib", ".z"},
		match: func(head, _ []byte, size int64) bool { return unpack.LooksZlib(head, size) },
		walk: func(w *walker) error {
			return w.stream(w.inner(".zlib", ".z", ".gz"), func(src *unpack.Source) (io.Reader, error) {
				return unpack.Zlib(&w.codecs.deflate, src.Reader())
			})
		},
	}
}

// zfileHeader is the length of joblib's header before version 0.10: "ZF" and
// the unpacked size as a padded hexadecimal number.
const zfileHeader = 2 + 19

func zfileFormat() Format {
	return &kind{
		name: "joblib-zfile", title: "joblib compressed file before 0.10", extensions: []string{".z", ".gz"},
		match: func(head, _ []byte, size int64) bool {
			at := zfileData(head)
			return at > 0 && unpack.LooksZlib(head[at:], size-int64(at))
		},
		walk: func(w *walker) error {
			head, err := w.in.Blob.Head(64)
			if err != nil {
				return fmt.Errorf("%s: %w", w.in.Path, err)
			}
			at := int64(zfileData(head))
			if at <= 0 {
				w.incomplete(CodeDamaged, "", "no joblib header")
				return nil
			}
			return w.stream(w.inner(".z", ".gz"), func(src *unpack.Source) (io.Reader, error) {
				r := src.Reader()
				if _, err := io.CopyN(io.Discard, r, at); err != nil {
					return nil, err
				}
				return unpack.Zlib(&w.codecs.deflate, r)
			})
		},
	}
}

// zfileData is where the zlib stream of a joblib file starts, 0 for none.
func zfileData(head []byte) int {
	if len(head) < zfileHeader || string(head[:4]) != "ZF0x" {
		return 0
	}
	for i := 11; i+1 < len(head) && i < 66; i++ {
		if head[i] == 'x' && unpack.IsZlib(head[i], head[i+1]) {
			return i
		}
	}
	return 0
}

func bzip2Format() Format {
	return &kind{
		name: "bzip2", title: "bzip2 stream", extensions: []string{".bz2", ".tbz2", ".tbz"},
		match: func(head, _ []byte, _ int64) bool {
			return len(head) >= 10 && string(head[:3]) == "BZh" && head[3] >= '1' && head[3] <= '9' &&
				(string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90")
		},
		walk: func(w *walker) error {
			return w.stream(w.inner(".bz2"), func(src *unpack.Source) (io.Reader, error) {
				return unpack.BZip2(src, w.in.Blob, w.in.Budget)
			})
		},
	}
}

func xzFormat() Format {
	return &kind{
		name: "xz", title: "xz stream", extensions: []string{".xz", ".txz"},
		match: func(head, _ []byte, _ int64) bool { return len(head) >= 6 && string(head[:6]) == "\xfd7zXZ\x00" },
		walk: func(w *walker) error {
			return w.stream(w.inner(".xz"), func(src *unpack.Source) (io.Reader, error) {
				return w.codecs.xz.Open(src, w.in.Blob, w.in.Budget), nil
			})
		},
	}
}

func lzmaFormat() Format {
	return &kind{
		name: "lzma", title: "LZMA alone stream", extensions: []string{".lzma", ".tlz"},
		match: func(head, _ []byte, size int64) bool { return unpack.LooksLZMA(head, size) },
		walk: func(w *walker) error {
			return w.stream(w.inner(".lzma"), func(src *unpack.Source) (io.Reader, error) {
				return w.codecs.lzma.Alone(src.Reader(), w.in.Budget)
			})
		},
	}
}

func zstdFormat() Format {
	return &kind{
		name: "zstd", title: "Zstandard stream", extensions: []string{".zst", ".zstd", ".tzst"},
		match: func(head, _ []byte, _ int64) bool { return matchFrames(head, unpack.IsZstd) },
		walk: func(w *walker) error {
			if other, err := w.firstFrameIs(unpack.IsLZ4); other || err != nil {
				return err
			}
			return w.stream(w.inner(".zst", ".zstd"), func(src *unpack.Source) (io.Reader, error) {
				return unpack.Zstd(src, w.in.Blob, w.in.Budget)
			})
		},
	}
}

func lz4Format() Format {
	return &kind{
		name: "lz4", title: "LZ4 stream", extensions: []string{".lz4"},
		match: func(head, _ []byte, _ int64) bool { return matchFrames(head, unpack.IsLZ4) },
		walk: func(w *walker) error {
			if mine, err := w.firstFrameIs(unpack.IsLZ4); !mine || err != nil {
				return err
			}
			return w.stream(w.inner(".lz4"), func(src *unpack.Source) (io.Reader, error) {
				return unpack.LZ4(src, w.in.Blob, w.in.Budget)
			})
		},
	}
}

// matchFrames judges the first frame that is not skippable, which zstd and lz4
// share. Where it lies behind head, both match, and the walk decides.
func matchFrames(head []byte, is func([]byte) bool) bool {
	at, err := unpack.AfterSkippable(input.FromBytes(head))
	if err != nil || len(head) < 4 {
		return false
	}
	if at == 0 {
		return is(head)
	}
	return at >= int64(len(head)) || is(head[at:])
}

// firstFrameIs says whether the first frame that is not skippable is of a kind.
func (w *walker) firstFrameIs(is func([]byte) bool) (bool, error) {
	at, err := unpack.AfterSkippable(w.in.Blob)
	if err != nil {
		return false, fmt.Errorf("%s: %w", w.in.Path, err)
	}
	p, err := w.in.Blob.Slice(at, 4).Head(4)
	if err != nil {
		return false, fmt.Errorf("%s: %w", w.in.Path, err)
	}
	return is(p), nil
}
