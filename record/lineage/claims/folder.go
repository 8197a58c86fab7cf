package claims

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"bartizan/attest"
	"bartizan/attest/bundle"
	"bartizan/attest/manifest"
	"bartizan/attest/strictjson"
	"bartizan/attest/tree"
)

// Limits of what is read.
const (
	MaxDocument = bundle.MaxSize // bytes of a JSON document, or of a line
	MaxLines    = 256 << 20      // bytes of a file of lines
)

// logHeader begins logs of inference records.
const logHeader = `{"log":"bartizan.inference-log/`

// lineNames are the ends of names of files with a document a line.
var lineNames = []string{".jsonl", ".ndjson"}

// Paths reads files, and the files of folders in the order of their names. In
// folders what does not begin like JSON is skipped without being read; a file
// that is named and says nothing about lineage is refused.
func (r *Reader) Paths(ctx context.Context, paths ...string) error {
	for _, path := range paths {
		if err := r.path(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) path(ctx context.Context, path string) (err error) {
	root, err := tree.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	entries, err := root.Walk(ctx, nil)
	if err != nil {
		return err
	}
	before := r.sum
	if err := r.files(ctx, root, entries); err != nil {
		return err
	}
	if root.Single() && r.sum.took() == before.took() && len(r.batches) == 0 {
		return attest.Refuse(attest.LineageMalformed, path, "it holds neither a statement nor OpenLineage events")
	}
	return nil
}

// parsed is a file's documents on their way to the builder.
type parsed struct {
	docs []*document
	err  error
}

// files parses and verifies in parallel, and takes documents in the order of the
// files, so that the outcome does not depend on who is first.
func (r *Reader) files(ctx context.Context, root *tree.Root, entries []tree.Entry) error {
	ctx, cancel := context.WithCancel(ctx)
	workers := r.opt.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	queue := make(chan chan parsed, 2*workers)
	slots := make(chan struct{}, workers)
	var running sync.WaitGroup
	defer running.Wait() // the root is closed after this
	defer cancel()
	running.Go(func() {
		defer close(queue)
		for _, e := range entries {
			out := make(chan parsed, 1)
			select {
			case queue <- out:
			case <-ctx.Done():
				return
			}
			slots <- struct{}{}
			running.Go(func() {
				defer func() { <-slots }()
				docs, err := r.file(ctx, root, e)
				out <- parsed{docs, err}
			})
		}
	})
	var all []error
	for out := range queue {
		p := <-out
		err := p.err
		if err == nil {
			r.sum.Files++
			err = r.take(p.docs)
		}
		if err != nil {
			all = append(all, err)
			if len(attest.Refusals(err)) == 0 || len(all) >= maxRefusals {
				break
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.Join(all...)
}

// maxRefusals is how many broken files are named before reading stops.
const maxRefusals = 100

// file reads one file.
func (r *Reader) file(ctx context.Context, root *tree.Root, e tree.Entry) (docs []*document, err error) {
	source := e.Name
	if root.Single() {
		source = filepath.Base(root.Path())
	}
	f, err := root.Open(e.Name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head, at, err := beginning(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if kind := strictjson.Kind(head); kind != '{' && kind != '[' {
		return r.odd(source, e.Size, f, head)
	}
	lines := hasLines(source) || bytes.HasPrefix(head, []byte(logHeader))
	most := int64(MaxDocument)
	switch {
	case lines:
		most = MaxLines
	case e.Size > most && isManifest(f, e.Size):
		most = manifest.MaxDocument
	}
	if e.Size > most {
		return nil, attest.Refuse(attest.LineageMalformed, source, "%d bytes: at most %d are read", e.Size, most)
	}
	data, err := io.ReadAll(io.LimitReader(io.NewSectionReader(f, at, math.MaxInt64-at), most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if int64(len(data)) > most {
		return nil, attest.Refuse(attest.LineageMalformed, source, "it grew while it was read")
	}
	if lines {
		return r.lines(ctx, source, data)
	}
	return r.parse(ctx, source, data)
}

// beginning gives the beginning of a text behind a byte order mark and blanks, and
// where it stands. A statement may not hide behind any number of them.
func beginning(f io.ReaderAt) (head []byte, at int64, err error) {
	buf := make([]byte, 512)
	for {
		n, err := f.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, err
		}
		rest := skipBlank(buf[:n])
		at += int64(n - len(rest))
		switch {
		case len(rest) == len(buf), err != nil:
			return rest, at, nil
		case len(rest) == 0:
			buf = make([]byte, 64<<10)
		}
	}
}

// skipBlank passes over byte order marks and white space.
func skipBlank(data []byte) []byte {
	return bytes.TrimLeft(data, "\uFEFF \t\r\n")
}

// odd is a file that does not begin like JSON. By its name it may be meant as JSON:
// then one that resembles a statement, or is written in UTF-16, is refused, since
// what it says is not known.
func (r *Reader) odd(source string, size int64, f io.ReaderAt, head []byte) ([]*document, error) {
	lower := strings.ToLower(source)
	if len(head) > 0 && (hasLines(lower) || strings.HasSuffix(lower, ".json") || strings.HasSuffix(lower, ".sigstore") || strings.HasSuffix(lower, ".sig")) {
		data := make([]byte, min(size, MaxDocument))
		n, err := f.ReadAt(data, 0)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		if resembles(bytes.ReplaceAll(data[:n], []byte{0}, nil)) {
			return nil, attest.Refuse(attest.LineageMalformed, source, "it looks like a statement and does not begin like JSON in UTF-8")
		}
	}
	return []*document{{source: source, skipped: notLineage}}, nil
}

// isManifest says whether a large document names the schema of manifests at its
// end, where the canonical form has it.
func isManifest(f io.ReaderAt, size int64) bool {
	var tail [256]byte
	n, err := f.ReadAt(tail[:], max(size-int64(len(tail)), 0))
	return (err == nil || errors.Is(err, io.EOF)) && bytes.Contains(tail[:n], []byte(`"`+manifest.Schema+`"`))
}

func hasLines(name string) bool {
	for _, end := range lineNames {
		if strings.HasSuffix(strings.ToLower(name), end) {
			return true
		}
	}
	return false
}

func (r *Reader) lines(ctx context.Context, source string, data []byte) ([]*document, error) {
	var out []*document
	for number := 1; len(data) > 0; number++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		where := fmt.Sprintf("%s:%d", source, number)
		if len(line) > MaxDocument {
			return nil, attest.Refuse(attest.LineageMalformed, where, "a line of more than %d bytes", MaxDocument)
		}
		docs, err := r.parse(ctx, where, line)
		if err != nil {
			return nil, err
		}
		out = append(out, docs...)
	}
	return out, nil
}
