package encode

import (
	"io"

	"bartizan/finding"
)

// jsonEncoder writes the one document of docs/report.md, one subject a line,
// so that two reports can be compared with line tools.
type jsonEncoder struct {
	w    io.Writer
	buf  []byte
	tool finding.Tool
	any  bool
}

func newJSON(w io.Writer, opt Options) *jsonEncoder { return &jsonEncoder{w: w, tool: opt.Tool} }

func (e *jsonEncoder) Subject(r *finding.SubjectReport) error {
	e.start()
	if e.any {
		e.buf = append(e.buf, ',')
	}
	e.any = true
	e.buf = append(e.buf, '\n')
	e.buf = appendSubject(e.buf, r)
	return e.flush(writeChunk)
}

func (e *jsonEncoder) Close(end End) error {
	e.start()
	if e.any {
		e.buf = append(e.buf, '\n')
	}
	e.buf = append(e.buf, `],"summary":`...)
	e.buf = appendSummary(e.buf, end.Summary)
	if len(end.Reasons) > 0 {
		e.buf = append(e.buf, `,"reasons":`...)
		e.buf = appendStrings(e.buf, end.Reasons)
	}
	e.buf = append(e.buf, "}\n"...)
	return e.flush(0)
}

// start writes what stands before the first subject.
func (e *jsonEncoder) start() {
	if e.buf != nil {
		return
	}
	e.buf = append(e.buf, `{"schema":`...)
	e.buf = appendString(e.buf, finding.Schema)
	e.buf = append(e.buf, `,"tool":`...)
	e.buf = appendTool(e.buf, e.tool)
	e.buf = append(e.buf, `,"subjects":[`...)
}

// writeChunk is how many bytes are gathered before they are written.
const writeChunk = 64 << 10

func (e *jsonEncoder) flush(from int) error {
	if len(e.buf) <= from {
		return nil
	}
	_, err := e.w.Write(e.buf)
	e.buf = e.buf[:0]
	return err
}

// jsonlEncoder writes each subject as a line of its own as soon as it is known.
type jsonlEncoder struct {
	w   io.Writer
	buf []byte
}

func newJSONL(w io.Writer) *jsonlEncoder { return &jsonlEncoder{w: w} }

func (e *jsonlEncoder) Subject(r *finding.SubjectReport) error {
	e.buf = append(appendSubject(e.buf[:0], r), '\n')
	_, err := e.w.Write(e.buf)
	return err
}

func (e *jsonlEncoder) Close(End) error { return nil }
