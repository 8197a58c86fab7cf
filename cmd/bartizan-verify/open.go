package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"bartizan/attest/load"
	"bartizan/attest/oms"
	"bartizan/attest/tree"
	"bartizan/subject"
)

// opening is the form that hands over one file as a descriptor.
type opening struct {
	options
	name        string
	fd          int
	memoryLimit int64
	tempDir     string

	model *oms.Model
}

func parseOpen(args []string) (*opening, error) {
	o := &opening{}
	f := o.flags("bartizan-verify open")
	f.IntVar(&o.fd, "fd", -1, "")
	f.Int64Var(&o.memoryLimit, "memory-limit", 0, "")
	f.StringVar(&o.tempDir, "temp-dir", "", "")
	var after []string // names that begin with a dash go after --
	if i := slices.Index(args, "--"); i >= 0 {
		args, after = args[:i:i], args[i+1:]
	}
	rest, err := parse(f, args)
	if err != nil {
		return nil, err
	}
	if rest = append(rest, after...); len(rest) != 2 {
		return nil, usagef("open: name the root and one file in it")
	}
	o.path, o.name = rest[0], rest[1]
	if o.fd < 3 {
		return nil, usagef("open: name the Unix socket to send to: --fd N, from 3 on")
	}
	return o, o.check()
}

func (o *opening) run(ctx context.Context, s streams) (int, error) {
	if err := o.checkSocket(); err != nil {
		return 0, err
	}
	file, err := o.verify(ctx)
	report, err := describe(subject.Subject{Kind: subject.File, ID: o.name, Size: -1}, o.model, err)
	if err != nil {
		return 0, err
	}
	if file != nil {
		report.Size = file.Size()
		report.Detail["sealed"] = file.InMemory()
		defer func() { _ = file.Close() }()
		if err := o.send(file); err != nil {
			return 0, err
		}
	}
	return printReport(s.out, o.format, report)
}

// checkSocket finds out about a wrong descriptor before anything is read.
func (o *opening) checkSocket() error {
	domain, err := unix.GetsockoptInt(o.fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil || domain != unix.AF_UNIX {
		return usagef("open: --fd %d is no Unix socket", o.fd)
	}
	return nil
}

// verify decides on the signature and on the one file; what else lies in the
// tree is not looked at.
func (o *opening) verify(ctx context.Context) (*load.Sealed, error) {
	raw, err := o.readBundle()
	if err != nil {
		return nil, err
	}
	trust, err := o.trust()
	if err != nil {
		return nil, err
	}
	if o.model, err = oms.Authenticate(ctx, raw, trust); err != nil {
		return nil, err
	}
	if err := o.model.Permits(o.accepts()); err != nil {
		return nil, err
	}
	root, err := tree.Open(o.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	want, err := load.Find(load.FromModel(o.model, root), o.name)
	if err != nil {
		return nil, err
	}
	return load.Seal(ctx, root, want, load.Options{MemoryLimit: o.memoryLimit, TempDir: o.tempDir})
}

// send passes the descriptor (unix(7), SCM_RIGHTS) with a line of JSON that says
// what it is.
func (o *opening) send(file *load.Sealed) error {
	line, err := json.Marshal(map[string]any{"name": o.name, "size": file.Size(), "sealed": file.InMemory()})
	if err != nil {
		return err
	}
	for {
		err := unix.Sendmsg(o.fd, append(line, '\n'), unix.UnixRights(int(file.Fd())), nil, unix.MSG_NOSIGNAL)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("open: sending the descriptor over --fd %d: %w", o.fd, err)
		}
	}
}
