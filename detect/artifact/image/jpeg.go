package image

import (
	"bytes"
	"context"
	"encoding/binary"
)

// isJPEG wants a marker that may come first, and its length: three bytes alone
// occur among raw numbers.
func isJPEG(head []byte) bool {
	if len(head) < 6 || head[0] != 0xff || head[1] != 0xd8 || head[2] != 0xff || head[4] == 0 && head[5] < 2 {
		return false
	}
	m := head[3]
	return m >= 0xe0 && m <= 0xef || m == 0xdb || m == 0xfe || m == 0xc0 || m == 0xc2 || m == 0xc4 || m == 0xdd
}

// walkJPEG follows the segments to EOI (ITU T.81, annex B).
func walkJPEG(ctx context.Context, w *walker) (int64, *fault) {
	at := int64(2)
	for n := 0; n < maxChunks; n++ {
		if w.err = ctx.Err(); w.err != nil {
			return 0, nil
		}
		m := w.bytes(at, 2)
		switch {
		case m == nil:
			return 0, truncated("no EOI")
		case m[0] != 0xff:
			return 0, malformed("no marker")
		case m[1] == 0xff: // fill byte
			at++
			continue
		case m[1] == 0xd9:
			return at + 2, nil
		case m[1] == 0x01 || m[1] >= 0xd0 && m[1] <= 0xd7:
			at += 2
			continue
		}
		scan := m[1] == 0xda
		size := w.bytes(at+2, 2)
		if size == nil {
			return 0, truncated("segment")
		}
		length := int64(binary.BigEndian.Uint16(size))
		if length < 2 {
			return 0, malformed("segment length")
		}
		at += 2 + length
		if scan {
			var ok bool
			if at, ok = entropy(ctx, w, at); !ok {
				return 0, truncated("no EOI")
			}
		}
	}
	return 0, malformed("too many segments")
}

// entropy skips coded data to the next marker that is none of its own.
func entropy(ctx context.Context, w *walker, at int64) (int64, bool) {
	for at < w.blob.Size() {
		if w.err = ctx.Err(); w.err != nil {
			return 0, false
		}
		part := w.bytes(at, int(min(window, w.blob.Size()-at)))
		if part == nil {
			return 0, false
		}
		for i := 0; ; {
			j := bytes.IndexByte(part[i:], 0xff)
			if j < 0 {
				at += int64(len(part))
				break
			}
			i += j
			if i+1 == len(part) { // the marker's second byte is in the next window
				if at+int64(i)+1 >= w.blob.Size() {
					return 0, false
				}
				at += int64(i)
				break
			}
			if c := part[i+1]; c != 0 && c != 0xff && (c < 0xd0 || c > 0xd7) {
				return at + int64(i), true
			}
			if part[i+1] == 0xff {
				i++
			} else {
				i += 2
			}
			if i >= len(part) {
				at += int64(i)
				break
			}
		}
	}
	return 0, false
}
