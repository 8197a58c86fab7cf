package image

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

func isPNG(head []byte) bool { return strings.HasPrefix(string(head[:min(len(head), 8)]), pngMagic) }

// walkPNG follows the chunks to IEND and checks their sums (PNG, 5.3).
func walkPNG(ctx context.Context, w *walker) (int64, *fault) {
	at, seen := int64(8), false
	for n := 0; n < maxChunks; n++ {
		if w.err = ctx.Err(); w.err != nil {
			return 0, nil
		}
		head := w.bytes(at, 8)
		if head == nil {
			return 0, truncated("no IEND")
		}
		size, kind := int64(binary.BigEndian.Uint32(head)), string(head[4:8])
		if size > 1<<31-1 || !letters(kind) {
			return 0, malformed("chunk")
		}
		if !seen && kind != "IHDR" && kind != "CgBI" {
			return 0, malformed("no IHDR first")
		}
		seen = true
		if w.blob.Size()-at < size+12 {
			return 0, truncated(kind)
		}
		if !sum(ctx, w, at+4, size+4) {
			if w.err != nil {
				return 0, nil
			}
			return 0, malformed("checksum of " + kind)
		}
		at += size + 12
		if kind == "IEND" {
			return at, nil
		}
	}
	return 0, malformed("too many chunks")
}

// sum compares the CRC of n bytes at off with the four bytes behind them.
func sum(ctx context.Context, w *walker, off, n int64) bool {
	crc := uint32(0)
	for end := off + n; off < end; {
		if w.err = ctx.Err(); w.err != nil {
			return false
		}
		part := w.bytes(off, int(min(window, end-off)))
		if part == nil {
			return false
		}
		crc = crc32.Update(crc, crc32.IEEETable, part)
		off += int64(len(part))
	}
	want := w.bytes(off, 4)
	return want != nil && binary.BigEndian.Uint32(want) == crc
}

func letters(s string) bool {
	for i := range len(s) {
		if s[i]|0x20 < 'a' || s[i]|0x20 > 'z' {
			return false
		}
	}
	return true
}
