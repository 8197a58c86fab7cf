package parquet

import "bartizan/attest/manifest/records"

// rowWriter puts the values of columns together again to rows, by their levels
// (Melnik et al., "Dremel", VLDB 2010): a definition level says how much of the
// path to a value is there, a repetition level at which repeated field of the
// path the value begins a new element.
type rowWriter struct {
	columns []*column
	out     []byte
}

func (w *rowWriter) row(dst []byte, s *schema) ([]byte, error) {
	for _, c := range w.columns {
		_, rep, err := c.levels()
		if err != nil {
			return nil, err
		}
		if rep != 0 {
			return nil, malformed("column %s: a row that begins within one", c.path)
		}
	}
	return w.fields(dst, s.top, 0, 0)
}

// fields writes an object. def and rep are the levels of its being there.
func (w *rowWriter) fields(dst []byte, fields []*node, def, rep int16) ([]byte, error) {
	dst = append(dst, '{')
	for i, n := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, n.key...)
		var err error
		if dst, err = w.field(dst, n, def, rep); err != nil {
			return nil, err
		}
		if len(dst) > records.MaxRecord {
			return nil, malformed("a row of more than %d bytes", records.MaxRecord)
		}
	}
	return append(dst, '}'), nil
}

func (w *rowWriter) field(dst []byte, n *node, def, rep int16) ([]byte, error) {
	switch {
	case n.repeated:
		return w.list(dst, n, def+1, rep+1)
	case n.optional:
		is, _, err := w.columns[n.first].levels()
		if err != nil {
			return nil, err
		}
		if is <= def {
			return append(dst, "null"...), w.absent(n, def)
		}
		def++
	}
	return w.value(dst, n, def, rep)
}

// list writes the elements of a repeated field. def is the level at which there
// is one, rep the level at which another begins.
func (w *rowWriter) list(dst []byte, n *node, def, rep int16) ([]byte, error) {
	first := w.columns[n.first]
	is, _, err := first.levels()
	if err != nil {
		return nil, err
	}
	if is < def {
		return append(dst, "[]"...), w.absent(n, def-1)
	}
	dst = append(dst, '[')
	for {
		if dst, err = w.value(dst, n, def, rep); err != nil {
			return nil, err
		}
		if len(dst) > records.MaxRecord {
			return nil, malformed("a row of more than %d bytes", records.MaxRecord)
		}
		more, err := first.more()
		if err != nil {
			return nil, err
		}
		if !more || first.rep[first.at] != rep {
			return append(dst, ']'), nil
		}
		dst = append(dst, ',')
	}
}

func (w *rowWriter) value(dst []byte, n *node, def, rep int16) ([]byte, error) {
	if n.leaf == nil {
		return w.fields(dst, n.children, def, rep)
	}
	c := w.columns[n.leaf.index]
	is, _, err := c.levels()
	if err != nil {
		return nil, err
	}
	if is != c.maxDef {
		return nil, malformed("column %s: a value that is absent where another of its group is there", c.path)
	}
	if dst, err = c.write(dst, c.value); err != nil {
		return nil, err
	}
	c.pass()
	return dst, nil
}

// absent passes the one place that each column below a field has for its being
// absent, of which the path is there up to def and no more.
func (w *rowWriter) absent(n *node, def int16) error {
	for _, c := range w.columns[n.first:n.end] {
		is, _, err := c.levels()
		if err != nil {
			return err
		}
		if is != def {
			return malformed("column %s: a value where its group is absent", c.path)
		}
		c.pass()
	}
	return nil
}
