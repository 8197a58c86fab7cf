package claims

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	var head [512]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if kind := strictjson.Kind(head[:n]); kind != '{' && kind != '[' {
		return []*document{{source: source, skipped: notLineage}}, nil
	}
	lines := hasLines(source) || bytes.HasPrefix(head[:n], []byte(logHeader))
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
	data, err := io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(head[:n]), f), most+1))
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
