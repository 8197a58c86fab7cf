package marshal

// Reading is the bytes as interpreters of one layout read them.
type Reading struct {
	Layout Layout
	Value  *Value
	// Consumed is how many bytes were read; marshal.loads ignores the rest.
	Consumed int
	// HasCode says whether a code object was read, so that the layout mattered.
	HasCode bool
}

// Result is what Parse gives.
type Result struct {
	// Readings are all that hold together, those that consume everything first.
	Readings []Reading
	// Fragments are strings and code objects that the longest broken reading saw
	// before its fault; Fault is that fault. They are set where no reading holds.
	Fragments []*Value
	Fault     *Error
}

// Parse reads data in every layout, or only in those given, newest first. Each
// reading costs time and memory linear in len(data); the caller bounds len(data).
func Parse(data []byte, layouts ...Layout) Result {
	if len(layouts) == 0 {
		layouts = []Layout{Layout311, Layout38, Layout30, Layout27}
	}
	var res Result
	for _, layout := range layouts {
		r := newReader(data, layout)
		v := r.object()
		if v == nil {
			r.fail("NULL instead of an object")
		}
		if r.err != nil {
			if res.Fault == nil || r.err.Offset > res.Fault.Offset {
				res.Fault, res.Fragments = r.err, r.fragments
			}
			continue
		}
		res.add(Reading{Layout: layout, Value: v, Consumed: r.pos, HasCode: r.codes > 0})
	}
	if len(res.Readings) > 0 {
		res.Fragments, res.Fault = nil, nil
	}
	return res
}

// add keeps a reading unless an earlier one says the same: without code
// objects the layouts of Python 3 do not differ.
func (res *Result) add(reading Reading) {
	if !reading.HasCode && reading.Layout != Layout27 {
		for _, earlier := range res.Readings {
			if !earlier.HasCode && earlier.Consumed == reading.Consumed {
				return
			}
		}
	}
	at := len(res.Readings)
	for at > 0 && res.Readings[at-1].Consumed < reading.Consumed {
		at--
	}
	res.Readings = append(res.Readings, Reading{})
	copy(res.Readings[at+1:], res.Readings[at:])
	res.Readings[at] = reading
}

// Codes gives the code objects of every reading, or of the fragments where no
// reading holds.
func (res Result) Codes() []*Code {
	var codes []*Code
	for _, reading := range res.Readings {
		codes = append(codes, Codes(reading.Value)...)
	}
	seen := map[*Code]bool{}
	for _, v := range res.Fragments {
		if v.Kind != CodeObject {
			continue
		}
		for _, c := range Codes(v) {
			if !seen[c] {
				seen[c] = true
				codes = append(codes, c)
			}
		}
	}
	return codes
}
