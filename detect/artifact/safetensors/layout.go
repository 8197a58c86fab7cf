package safetensors

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"bartizan/finding"
)

// layout checks how the tensors lie together: names once, and bytes tiled from
// the start of the data to the end of the file.
func (s *scan) layout() error {
	s.names()
	if s.broken {
		return nil
	}
	if !slices.IsSortedFunc(s.tensors, byOffset) {
		slices.SortStableFunc(s.tensors, byOffset)
	}
	available := uint64(s.a.Blob.Size() - s.data)
	tiled := s.tiled()
	if end := s.end(); end > available {
		s.outside(available, end, tiled)
		return nil
	}
	if tiled && s.end() == available {
		return nil
	}
	return s.holes(available)
}

func byOffset(a, b tensor) int {
	if c := cmp.Compare(a.begin, b.begin); c != 0 {
		return c
	}
	return cmp.Compare(a.end, b.end)
}

// names finds tensors of one name.
func (s *scan) names() {
	if len(s.tensors) <= 4096 {
		seen := make(map[string]struct{}, len(s.tensors))
		for _, t := range s.tensors {
			n := s.name(t)
			if _, twice := seen[string(n)]; twice {
				s.twice(t)
			}
			seen[string(n)] = struct{}{}
		}
		return
	}
	order := make([]uint32, len(s.tensors))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		if c := bytes.Compare(s.name(s.tensors[a]), s.name(s.tensors[b])); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	for i := 1; i < len(order); i++ {
		if t := s.tensors[order[i]]; bytes.Equal(s.name(t), s.name(s.tensors[order[i-1]])) {
			s.twice(t)
		}
	}
}

func (s *scan) twice(t tensor) {
	n := s.name(t)
	place := s.a.At(s.base, int64(len(s.w.s)))
	if t.name < inArena {
		place = s.a.At(s.base+int64(t.name), int64(t.length))
	}
	s.add(ruleDuplicate.New(place, "tensor "+quote(n)+" stands twice", map[string]any{"key": clip(n), "within": "tensors"}))
}

// tiled says whether the sorted tensors follow one another from 0 on.
func (s *scan) tiled() bool {
	at := uint64(0)
	for _, t := range s.tensors {
		if t.begin != at {
			return false
		}
		at = t.end
	}
	return true
}

// end is where the last byte of any tensor ends.
func (s *scan) end() (end uint64) {
	for _, t := range s.tensors {
		end = max(end, t.end)
	}
	return end
}

// outside reports tensors that end past the file. In a file that is otherwise
// in order and holds at least one whole tensor, it is a broken download first.
func (s *scan) outside(available, end uint64, tiled bool) {
	n, whole, first := 0, false, tensor{}
	for _, t := range s.tensors {
		if t.end > available {
			if n == 0 {
				first = t
			}
			n++
		} else if t.end > t.begin {
			whole = true
		}
	}
	f := ruleOutside.New(s.a.At(s.data, int64(available)),
		fmt.Sprintf("%d tensors, from %s on, end past the file: %d bytes of data are there, %d are described", n, quote(s.name(first)), available, end),
		map[string]any{"tensor": clip(s.name(first)), "begin": first.begin, "end": first.end, "available": available, "tensors": n})
	if tiled && whole && s.counts[ruleShape.ID] == 0 {
		f.Severity = finding.Medium
	}
	s.add(f)
	s.a.Incomplete("truncated", fmt.Sprintf("%d bytes of tensor data are missing", end-available))
}

// holes reports overlaps, gaps and trailing data of sorted tensors that all lie
// within the file.
func (s *scan) holes(available uint64) error {
	at, last := uint64(0), tensor{}
	for i, t := range s.tensors {
		switch {
		case t.begin > at:
			if err := s.gap(at, t); err != nil {
				return err
			}
		case t.begin < at && t.end > t.begin:
			s.overlap(t, last)
		case t.begin < at && i > 0 && t.begin > 0:
			s.a.Incomplete("malformed", "empty tensor "+quote(s.name(t))+" lies within another")
		}
		if t.end > at {
			at, last = t.end, t
		}
	}
	if at == available {
		return nil
	}
	from := s.data + int64(at)
	n := int64(available - at)
	s.add(ruleTrailing.New(s.a.At(from, n), fmt.Sprintf("%d bytes after the last tensor", n), map[string]any{"bytes": n, "where": "file"}))
	return s.hand("trailing", from, n)
}

func (s *scan) gap(at uint64, t tensor) error {
	from, n := s.data+int64(at), int64(t.begin-at)
	s.add(ruleGap.New(s.a.At(from, n), fmt.Sprintf("%d bytes before %s belong to no tensor", n, quote(s.name(t))),
		map[string]any{"bytes": n, "before": clip(s.name(t))}))
	return s.hand("gap", from, n)
}

func (s *scan) overlap(t, last tensor) {
	f := ruleOverlap.New(s.a.At(s.data+int64(t.begin), int64(t.end-t.begin)), quote(s.name(t))+" overlaps "+quote(s.name(last)),
		map[string]any{"tensor": clip(s.name(t)), "other": clip(s.name(last)), "begin": t.begin, "end": t.end})
	if t.begin == last.begin && t.end == last.end {
		f.Severity = finding.Medium
		f.Message = quote(s.name(t)) + " and " + quote(s.name(last)) + " are the same bytes"
	}
	s.add(f)
}

// add records a finding; of one rule only the first are kept, and the last of
// them says so by being one of many.
func (s *scan) add(f finding.Finding) {
	if s.counts[f.Rule]++; s.counts[f.Rule] <= maxReported {
		s.a.Add(f)
	}
}

func (s *scan) place(key raw) finding.Place {
	return s.a.At(s.base+int64(key.at), int64(len(key.s)))
}
