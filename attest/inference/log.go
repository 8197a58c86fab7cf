package inference

import (
	"bufio"
	"bytes"
	"io"

	"bartizan/attest/dsse"
)

// A log is a file of lines of JSON that only grows:
//
//	{"log":"bartizan.inference-log/v1"}
//	{"certificate":{"payload":…}}     before the first batch under it
//	{"assurance":…,"time":…}          a record, canonical
//	…
//	{"batch":{"payload":…}}           signs the records since the last batch
//	…
//	{"batch":{"payload":…}}           a batch without records: the end marker
//
// A batch and its records are written and synced in one go, so that what a
// crash leaves behind the last batch was never signed and nobody was told that
// it was.
const header = `{"log":"bartizan.inference-log/v1"}`

const (
	certificatePrefix = `{"certificate":`
	batchPrefix       = `{"batch":`
	recordPrefix      = `{"assurance":`
)

type lineKind uint8

const (
	otherLine lineKind = iota
	headerLine
	certificateLine
	batchLine
	recordLine
)

func kindOf(line []byte) lineKind {
	switch {
	case bytes.HasPrefix(line, []byte(recordPrefix)):
		return recordLine
	case bytes.HasPrefix(line, []byte(batchPrefix)):
		return batchLine
	case bytes.HasPrefix(line, []byte(certificatePrefix)):
		return certificateLine
	case string(line) == header:
		return headerLine
	}
	return otherLine
}

// appendLine writes a certificate or batch line with its line break.
func appendLine(b []byte, prefix string, envelope []byte) []byte {
	return append(append(append(b, prefix...), envelope...), "}\n"...)
}

// envelopeIn takes the envelope out of a certificate or batch line. What is
// left is read strictly, so that cutting it out cannot be misled.
func envelopeIn(line []byte, prefix string) ([]byte, error) {
	envelope, whole := bytes.CutSuffix(line[len(prefix):], []byte("}"))
	if !whole {
		return nil, malformed("", "the line does not end in a brace")
	}
	return envelope, nil
}

// parseEnvelope reads a DSSE envelope in the one form that is written here: what
// the signature does not cover (white space, the keyid) cannot differ either.
func parseEnvelope(what string, data []byte, payloadType string) (*dsse.Envelope, error) {
	envelope, err := dsse.Parse(data)
	if err != nil {
		return nil, malformed(what, "%v", err)
	}
	if envelope.PayloadType != payloadType {
		return nil, malformed(what, "the payload type is %q, not %s", clip(envelope.PayloadType), payloadType)
	}
	again, err := (&dsse.Envelope{PayloadType: payloadType, Payload: envelope.Payload, Sig: envelope.Sig}).Marshal()
	if err != nil || !bytes.Equal(again, data) {
		return nil, malformed(what, "the envelope is not written as it is here")
	}
	return envelope, nil
}

// lines reads a log line by line within MaxLine.
type lines struct {
	r      *bufio.Reader
	number int
	// offset is behind the last line that was given.
	offset int64
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, MaxLine)} }

// next gives a line without its break, valid until the next call. torn says
// that the break is missing: the file ends within the line. io.EOF: it ended
// before.
func (l *lines) next() (line []byte, torn bool, err error) {
	line, err = l.r.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull:
		return nil, false, malformed("", "line %d is longer than %d bytes", l.number+1, MaxLine)
	case err == io.EOF && len(line) > 0:
		return line, true, nil
	case err != nil:
		return nil, false, err
	}
	l.number++
	l.offset += int64(len(line))
	return line[:len(line)-1], false, nil
}
