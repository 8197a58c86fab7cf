package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// reporter writes misses to a folder and says how the run goes.
type reporter struct {
	out     io.Writer
	folder  string
	seed    uint64
	limit   int
	known   map[string]bool
	written int
	faults  int
	extra   map[string]*interpreter // workers of its own, for minimising
}

// missRecord is the JSON beside a miss's .pkl.
type missRecord struct {
	Seed        uint64   `json:"seed"`
	Position    uint64   `json:"position"`
	Kind        string   `json:"kind"` // name, call or persistent
	Name        string   `json:"name"`
	Interpreter string   `json:"interpreter"`
	Readers     []string `json:"readers"`
	Reported    []string `json:"reported"` // names and calls that the scanner reports for the minimised stream
	Stream      string   `json:"stream"`   // hex, minimised
	Original    string   `json:"original"` // hex
}

// miss minimises a stream's first miss and writes it, once for each sequence of opcodes, kind and reader.
func (r *reporter) miss(ctx context.Context, position uint64, data []byte, misses []miss, trace tracer) error {
	if r.written >= r.limit {
		return nil
	}
	first := misses[0]
	own, ok := r.extra[first.interpreter.path]
	if !ok {
		own = &interpreter{path: first.interpreter.path, version: first.interpreter.version, readers: first.interpreter.readers}
		r.extra[own.path] = own
	}
	small, found := minimise(ctx, data, miss{first.event, own}, trace)
	sort := fmt.Sprint(found.kind, own.version, found.readers, shape(small))
	if r.known[sort] {
		return nil
	}
	r.known[sort] = true
	sum := sha256.Sum256(small)
	id := hex.EncodeToString(sum[:6])
	r.written++
	t := trace(small)
	record := missRecord{Seed: r.seed, Position: position, Kind: [...]string{"", "name", "call", "persistent"}[found.kind],
		Name: strings.TrimSpace(found.a + " " + found.b), Interpreter: own.version, Readers: own.readerNames(found.readers),
		Stream: hex.EncodeToString(small), Original: hex.EncodeToString(data)}
	for _, n := range t.names {
		record.Reported = append(record.Reported, n[0]+" "+n[1])
	}
	record.Reported = append(record.Reported, t.calls...)
	fmt.Fprintf(r.out, "MISS %s: %s %q by %s %s: %q\n", id, record.Kind, record.Name, own.version, strings.Join(record.Readers, "+"), small)
	return r.write(id, small, record)
}

func (r *reporter) write(id string, small []byte, record missRecord) error {
	if r.folder == "" {
		return nil
	}
	if err := os.MkdirAll(r.folder, 0o755); err != nil {
		return fmt.Errorf("misses: %w", err)
	}
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.folder, "miss-"+id+".pkl"), small, 0o644); err != nil {
		return fmt.Errorf("misses: %w", err)
	}
	if err := os.WriteFile(filepath.Join(r.folder, "miss-"+id+".json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("misses: %w", err)
	}
	return nil
}

func (r *reporter) close() {
	for _, in := range r.extra {
		in.stop()
	}
}

// fault says which stream ended an interpreter: a bug of CPython's, or of the worker's bounds.
func (r *reporter) fault(position uint64, in *interpreter, why string, data []byte) {
	if r.faults++; r.faults <= maxFaultLines {
		fmt.Fprintf(r.out, "stream %d ended Python %s (%s): %q\n", position, in.version, why, data[:min(len(data), 300)])
	}
}

// maxFaultLines bounds how many faults are shown.
const maxFaultLines = 20

// progress says in a line where the run is.
func (r *reporter) progress(s *state) {
	fmt.Fprintf(r.out, "%d streams, %d names, %d calls, %d misses, %.0f streams/s\n",
		s.Position, s.Names, s.Calls, s.Misses, float64(s.Position)/max(s.Seconds, 0.001))
}

// summary says what the run found.
func (r *reporter) summary(s *state, interpreters []*interpreter) {
	ratio := func(a, b uint64) float64 { return 100 * float64(a) / float64(max(b, 1)) }
	fmt.Fprintf(r.out, "streams         %d (seed %d, %.1f MB) in %.1f s: %.0f streams/s\n", s.Position, s.Seed, float64(s.Bytes)/1e6,
		s.Seconds, float64(s.Position)/max(s.Seconds, 0.001))
	fmt.Fprintf(r.out, "that act        %d (%.1f %%): %d names resolved, %d calls made, %d with a persistent id\n", s.Acting,
		ratio(s.Acting, s.Position), s.Names, s.Calls, s.Persistent)
	fmt.Fprintf(r.out, "over-reported   %d of %d names (%.1f %%) that no interpreter resolves; %d streams (%.2f %%) blocked for a computed name\n",
		s.Unresolved, s.Reported, ratio(s.Unresolved, s.Reported), s.Unfolded, ratio(s.Unfolded, s.Position))
	versions := make([]string, 0, len(interpreters))
	for _, in := range interpreters {
		versions = append(versions, fmt.Sprintf("  %-8s %d streams, loads %.1f %%, %d readers (%s)", in.version, s.Runs[in.version],
			ratio(s.Whole[in.version], s.Runs[in.version]), len(in.readers), strings.Join(in.readers, ", ")))
	}
	fmt.Fprintf(r.out, "interpreters    %d\n%s\n", len(interpreters), strings.Join(versions, "\n"))
	fmt.Fprintf(r.out, "faults          %d streams ended an interpreter or took too long\n", s.Faults)
	fmt.Fprintf(r.out, "misses          %d\n", s.Misses)
}
