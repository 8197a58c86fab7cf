package examine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"

	"bartizan/detect/artifact"
	"bartizan/detect/input"
	"bartizan/finding"
	"bartizan/source/file"
	"bartizan/subject"
)

// StdinLimit is how much of standard input is held in memory.
const StdinLimit = 40 << 20

// task is one subject on its way through the workers.
type task struct {
	path    string
	folder  string // where a walk found it; empty where the user named it
	facts   []finding.Fact
	problem *problem // set where there is nothing to open
	report  finding.SubjectReport
	done    chan struct{}
}

// problem is why a path cannot be examined: a stable code and what it means.
type problem struct{ code, detail string }

// Paths examines what the user named: files, whole folders, "-" for standard
// input. emit is called from one goroutine, in the order of the walk, for every
// subject, also for those that could not be read. It returns an error only
// where emit failed or ctx was cancelled; the summary counts what was emitted.
func Paths(ctx context.Context, engine *artifact.Engine, paths []string, opt Options, emit func(*finding.SubjectReport) error) (finding.Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := opt.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ordered := make(chan *task, 64*workers)
	queue := make(chan *task, 64*workers)
	go walk(ctx, paths, ordered, queue)
	heavy := semaphore.NewWeighted(heavyAll)
	for range workers {
		go func() {
			w := &worker{engine: engine, opt: opt, buf: make([]byte, file.MapFrom), heavy: heavy}
			w.run(ctx, queue)
		}()
	}
	return collect(ctx, ordered, opt, emit)
}

// collect waits for the tasks in the order of the walk.
func collect(ctx context.Context, ordered <-chan *task, opt Options, emit func(*finding.SubjectReport) error) (finding.Summary, error) {
	var sum finding.Summary
	var bytes int64
	var beside siblings
	for {
		t, err := next(ctx, ordered)
		if t == nil {
			return sum, err
		}
		beside.judge(t, opt)
		sum.Add(&t.report)
		bytes += max(t.report.Size, 0)
		if err := emit(&t.report); err != nil {
			return sum, fmt.Errorf("write report: %w", err)
		}
		if opt.Progress != nil {
			opt.Progress(sum.Subjects, sum.Subjects+len(ordered), bytes)
		}
	}
}

// next waits for the next task of the walk and for its result. It gives nil at
// the end of the walk, and with an error where ctx was cancelled: also a walk
// that hangs on a dead mount can be left.
func next(ctx context.Context, ordered <-chan *task) (*task, error) {
	var t *task
	select {
	case t = <-ordered:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if t == nil {
		return nil, ctx.Err()
	}
	select {
	case <-t.done:
		return t, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Large subjects take memory in proportion to their size, up to what the
// engine's own budgets allow. Together they may take heavyAll, so that several
// workers need no more than one does on the largest input.
const (
	heavyFrom = 1 << 20
	heavyAll  = 44 << 20
	heavyRate = 4
)

type worker struct {
	engine *artifact.Engine
	opt    Options
	buf    []byte
	heavy  *semaphore.Weighted
}

func (w *worker) run(ctx context.Context, queue <-chan *task) {
	// A file that is cut short while it is mapped faults on access: that must
	// end in an incomplete subject, not in the end of the process.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for t := range queue {
		if ctx.Err() != nil {
			return // what was not examined is never reported
		}
		w.examine(ctx, t)
		close(t.done)
	}
}

func (w *worker) examine(ctx context.Context, t *task) {
	var out finding.Collector
	if t.folder != "" {
		out.KeepFacts()
	}
	s := subject.Subject{Kind: subject.File, ID: t.path}
	switch {
	case t.problem != nil:
		s.Size = -1
		out.Incomplete(t.problem.code, t.problem.detail)
	case t.path == "-":
		w.stdin(ctx, &s, &out)
	default:
		w.file(ctx, &s, &out)
	}
	t.facts = out.Facts()
	result := out.Result(t.path)
	result.Waive(w.opt.Waivers, w.opt.Now)
	t.report = finding.NewSubjectReport(s, result)
}

func (w *worker) file(ctx context.Context, s *subject.Subject, out *finding.Collector) {
	f, err := file.Open(s.ID, w.buf)
	if err != nil {
		s.Size = -1
		p := openProblem(err)
		out.Incomplete(p.code, p.detail)
		return
	}
	s.Size = f.Size()
	w.weighed(ctx, s.Size, out, func() { w.blob(ctx, s, blobOf(f), f.Whole, out) })
	if changed, err := f.Changed(); err != nil {
		out.Incomplete("unreadable", err.Error())
	} else if changed {
		out.Incomplete("changed-while-read", "scan it again when nothing writes to it")
	}
	if err := f.Close(); err != nil {
		out.Incomplete("unreadable", err.Error())
	}
}

// blobOf is the file as detectors see it.
func blobOf(f *file.File) input.Blob {
	switch {
	case f.Whole:
		return input.FromBytes(f.Bytes)
	case f.Bytes != nil:
		return input.FromMapped(f.Bytes, f.Forget)
	}
	return input.FromReaderAt(f, f.Size())
}

// weighed runs scan once the memory for a subject of that size is free.
func (w *worker) weighed(ctx context.Context, size int64, out *finding.Collector, scan func()) {
	if size >= heavyFrom {
		weight := min(size, heavyAll/heavyRate) * heavyRate
		if err := w.heavy.Acquire(ctx, weight); err != nil {
			out.Incomplete("cancelled", err.Error())
			return
		}
		defer w.heavy.Release(weight)
	}
	scan()
}

func (w *worker) stdin(ctx context.Context, s *subject.Subject, out *finding.Collector) {
	if w.opt.Stdin == nil {
		out.Incomplete("unreadable", "no standard input")
		return
	}
	b, err := io.ReadAll(io.LimitReader(w.opt.Stdin, StdinLimit+1))
	if err != nil {
		out.Incomplete("unreadable", err.Error())
	}
	if len(b) > StdinLimit {
		b = b[:StdinLimit]
		out.Incomplete("memory-limit", fmt.Sprintf("standard input is longer than %d bytes: give the file's path instead", StdinLimit))
	}
	s.Size = int64(len(b))
	w.blob(ctx, s, input.FromBytes(b), true, out)
}

// blob runs the engine over one subject's bytes. A memory fault in a mapped
// file is caught here and nowhere else.
func (w *worker) blob(ctx context.Context, s *subject.Subject, b input.Blob, whole bool, out *finding.Collector) {
	defer func() {
		if r := recover(); r != nil {
			recovered(r, out)
		}
	}()
	if w.opt.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.opt.Timeout)
		defer cancel()
	}
	if err := w.engine.Examine(ctx, s.ID, filepath.Base(s.ID), b, out); err != nil {
		code := "detector-failed"
		if errors.Is(err, context.DeadlineExceeded) {
			code = "time-limit"
		}
		out.Incomplete(code, err.Error())
	}
	if w.opt.Digest || whole {
		digest(s, b, out)
	}
}

// recovered turns a memory fault (the mapped file shrank or its disk failed)
// and a defect of a detector into an incomplete subject. Both are told apart:
// the second is a bug, and the report says so.
func recovered(r any, out *finding.Collector) {
	if _, fault := r.(interface{ Addr() uintptr }); fault {
		out.Incomplete("changed-while-read", "the file became shorter or unreadable during the scan")
		return
	}
	out.Incomplete("internal-error", fmt.Sprintf("a detector failed: %v: please report it", r))
}

func digest(s *subject.Subject, b input.Blob, out *finding.Collector) {
	h := sha256.New()
	if mem, ok := b.Mem(); ok {
		h.Write(mem)
	} else if _, err := io.Copy(h, b.Reader()); err != nil {
		out.Incomplete("unreadable", err.Error())
		return
	}
	s.Digest = "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func openProblem(err error) problem {
	switch {
	case errors.Is(err, file.ErrNotRegular):
		return problem{"not-a-regular-file", err.Error() + ": only regular files are scanned"}
	case errors.Is(err, fs.ErrNotExist):
		return problem{"missing", "no such file: check the path"}
	case errors.Is(err, fs.ErrPermission):
		return problem{"unreadable", "permission denied: run as a user who may read it"}
	case errors.Is(err, unix.ELOOP):
		return problem{"link-loop", "symbolic links form a loop"}
	}
	return problem{"unreadable", err.Error()}
}
