package records

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"bartizan/attest"
	"bartizan/attest/manifest/merkle"
	"bartizan/attest/tree"
)

// Options say how records are read.
type Options struct {
	Salt    *Salt
	Workers int // 0: one a processor
	// Parquet opens a Parquet file. Without it such files are an error.
	Parquet func(in io.ReaderAt, size int64) (Source, error)
}

func (o Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Input is a file that holds records.
type Input struct {
	Entry  tree.Entry
	Format Format
}

// File is what was read of one file.
type File struct {
	Name   string
	Format Format
	Around []byte // what stands around the records
	Tree   *merkle.Tree
}

// Shape is the digest of format and surroundings.
func (f *File) Shape() Digest { return ShapeOf(f.Format, f.Around) }

// Read reads the records of files beneath the root, several at a time, and
// gives their trees in the order of inputs: 32 bytes for each record, twice
// that while a tree is made. Refused are files that are malformed
// (RECORD_MALFORMED, with line or byte), of each the first place, and those that
// changed since the entry was made (OMS_FILE_CHANGED).
func Read(ctx context.Context, root *tree.Root, inputs []Input, opt Options) ([]*File, error) {
	files := make([]*File, len(inputs))
	errs := make([]error, len(inputs))
	atOnce := min(opt.workers(), len(inputs))
	within := opt
	if len(inputs) >= 2*opt.workers() {
		within.Workers = 1
	}
	next := make(chan int)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := range next {
				files[i], errs[i] = readFile(ctx, root, inputs[i], within)
			}
		})
	}
	for i := range inputs {
		next <- i
	}
	close(next)
	all.Wait()
	if err := joinRefusals(errs); err != nil {
		return nil, err
	}
	return files, nil
}

// joinRefusals gives the first failure, or all refusals.
func joinRefusals(errs []error) error {
	var refused []error
	for _, err := range errs {
		if err != nil && attest.CodeOf(err) == "" {
			return err
		}
		if err != nil && len(refused) < mostRefusals {
			refused = append(refused, err)
		}
	}
	return errors.Join(refused...)
}

// mostRefusals is how many refusals one error carries.
const mostRefusals = 100

func readFile(ctx context.Context, root *tree.Root, in Input, opt Options) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := root.Open(in.Entry.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	name := tree.Show(in.Entry.Name)
	if err := in.Entry.Check(f); err != nil {
		return nil, err
	}
	out, err := readOpen(ctx, f, in, opt)
	if changed := in.Entry.Check(f); changed != nil {
		return nil, changed // whatever was wrong with it
	}
	var bad *MalformedError
	if errors.As(err, &bad) {
		return nil, attest.Refuse(attest.RecordMalformed, name, "%s: %s", where(f, in.Format, bad.Offset), bad.What)
	}
	if err != nil {
		return nil, fmt.Errorf("read the records of %s: %w", name, err)
	}
	return out, nil
}

func readOpen(ctx context.Context, f *os.File, in Input, opt Options) (*File, error) {
	source, err := open(f, in, opt)
	if err != nil {
		return nil, err
	}
	out := &File{Name: in.Entry.Name, Format: in.Format, Around: source.Around()}
	out.Tree, err = digestAll(ctx, source, out.Shape(), opt)
	return out, err
}

func open(f *os.File, in Input, opt Options) (Source, error) {
	switch in.Format {
	case CSV, JSONL:
		return NewText(in.Format, io.NewSectionReader(f, 0, in.Entry.Size))
	case Parquet:
		if opt.Parquet != nil {
			return opt.Parquet(f, in.Entry.Size)
		}
	}
	return nil, fmt.Errorf("records of format %q cannot be read here", in.Format)
}

// where says on which line of a text an offset lies.
func where(f io.ReaderAt, format Format, offset int64) string {
	if offset < 0 {
		return "it"
	}
	if format == Parquet {
		return fmt.Sprintf("byte %d", offset)
	}
	line := int64(1)
	buf := make([]byte, 1<<16)
	for at := int64(0); at < offset; {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), offset-at)], at)
		line += int64(bytes.Count(buf[:n], []byte{'\n'}))
		at += int64(n)
		if err != nil || n == 0 {
			break
		}
	}
	return fmt.Sprintf("line %d (byte %d)", line, offset)
}

// job is one block on its way to a worker.
type job struct {
	number int
	block  Block
}

// digestAll digests every record, in no order, and makes the tree.
func digestAll(ctx context.Context, source Source, shape Digest, opt Options) (*merkle.Tree, error) {
	d := &digester{shape: shape, salt: opt.Salt, jobs: make(chan job), at: -1}
	for range opt.workers() {
		d.parts = append(d.parts, &merkle.Collector{})
	}
	var all sync.WaitGroup
	for _, part := range d.parts {
		all.Go(func() { d.work(part) })
	}
	err := d.feed(ctx, source)
	close(d.jobs)
	all.Wait()
	if d.err != nil { // stands before whatever ended the feeding
		return nil, d.err
	}
	if err != nil {
		return nil, err
	}
	return merkle.New(d.parts...), nil
}

type digester struct {
	shape Digest
	salt  *Salt
	jobs  chan job
	parts []*merkle.Collector // one a worker

	mu  sync.Mutex
	err error // of the earliest block that failed
	at  int   // its number
}

func (d *digester) feed(ctx context.Context, source Source) error {
	for number := 0; ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if d.failed() {
			return nil
		}
		block, err := source.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		d.jobs <- job{number, block}
	}
}

func (d *digester) failed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err != nil
}

// work digests blocks until there are no more. After a failure elsewhere it
// goes on with what was handed out, so that the earliest failure is told.
func (d *digester) work(part *merkle.Collector) {
	h := NewHasher(d.shape, d.salt)
	for j := range d.jobs {
		err := j.block.Each(func(body []byte) error {
			part.Add(h.Sum(body))
			return nil
		})
		if err != nil {
			d.fail(j.number, err)
		}
	}
}

func (d *digester) fail(number int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil || number < d.at {
		d.err, d.at = err, number
	}
}

// errRow ends the reading of a file at the row that was looked for.
var errRow = errors.New("found")

// Row gives record number n of a file, from 0, as text that ParseRecord reads.
// The file is read up to it. Errors are those of Read, and one without a code
// where there are fewer records.
func Row(ctx context.Context, root *tree.Root, in Input, n int64, opt Options) ([]byte, error) {
	f, err := root.Open(in.Entry.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	source, err := open(f, in, opt)
	if err != nil {
		return nil, fmt.Errorf("read the records of %s: %w", tree.Show(in.Entry.Name), err)
	}
	var text []byte
	left := n
	for err = ctx.Err(); err == nil; {
		var block Block
		if block, err = source.Next(); err != nil {
			break
		}
		err = block.Each(func(body []byte) error {
			if left--; left >= 0 {
				return nil
			}
			text = TextOf(in.Format, body)
			return errRow
		})
	}
	switch {
	case errors.Is(err, errRow):
		return text, nil
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s has %d records, and the first is row 0: there is no row %d", tree.Show(in.Entry.Name), n-left, n)
	}
	return nil, fmt.Errorf("read the records of %s: %w", tree.Show(in.Entry.Name), err)
}
