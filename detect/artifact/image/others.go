package image

import (
	"context"
	"encoding/binary"
)

func isGIF(head []byte) bool {
	return len(head) >= 6 && (string(head[:6]) == "GIF87a" || string(head[:6]) == "GIF89a")
}

// walkGIF follows the blocks to the trailer (GIF89a).
func walkGIF(ctx context.Context, w *walker) (int64, *fault) {
	head := w.bytes(0, 13)
	if head == nil {
		return 0, truncated("header")
	}
	at, images := 13+colours(head[10]), 0
	for n := 0; n < maxChunks; n++ {
		if w.err = ctx.Err(); w.err != nil {
			return 0, nil
		}
		if at == w.blob.Size() && images > 0 { // some writers leave the trailer out
			return at, nil
		}
		b := w.bytes(at, 1)
		if b == nil {
			return 0, truncated("no trailer")
		}
		switch b[0] {
		case 0x3b:
			return at + 1, nil
		case 0x21:
			at += 2
		case 0x2c:
			images++
			d := w.bytes(at, 10)
			if d == nil {
				return 0, truncated("image")
			}
			at += 10 + colours(d[9]) + 1
		default:
			return 0, malformed("block")
		}
		var bad *fault
		if at, bad = blocks(ctx, w, at); bad != nil {
			return 0, bad
		}
	}
	return 0, malformed("too many blocks")
}

func colours(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// blocks skips data blocks of one length byte each up to the empty one.
func blocks(ctx context.Context, w *walker, at int64) (int64, *fault) {
	for {
		if w.err = ctx.Err(); w.err != nil {
			return 0, truncated("stopped")
		}
		n := w.bytes(at, 1)
		if n == nil {
			return 0, truncated("data block")
		}
		at += 1 + int64(n[0])
		if n[0] == 0 {
			return at, nil
		}
	}
}

func isWebP(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

// walkWebP takes the length of the RIFF container and follows its chunks.
func walkWebP(ctx context.Context, w *walker) (int64, *fault) {
	head := w.bytes(4, 4)
	if head == nil {
		return 0, truncated("header")
	}
	size := int64(binary.LittleEndian.Uint32(head))
	end := 8 + size + size&1
	if end-size&1 > w.blob.Size() {
		return 0, truncated("RIFF container")
	}
	end = min(end, w.blob.Size())
	at := int64(12)
	for n := 0; at+8 <= end; n++ {
		if w.err = ctx.Err(); w.err != nil {
			return 0, nil
		}
		c := w.bytes(at, 8)
		if c == nil || n == maxChunks {
			return 0, malformed("chunk")
		}
		length := int64(binary.LittleEndian.Uint32(c[4:]))
		at += 8 + length + length&1
	}
	if at < end-1 || at > end+1 {
		return 0, malformed("chunks do not fill the container")
	}
	return end, nil
}

func isBMP(head []byte) bool {
	if len(head) < 30 || head[0] != 'B' || head[1] != 'M' {
		return false
	}
	header := binary.LittleEndian.Uint32(head[14:])
	return (header == 12 || header >= 40 && header <= 124) && binary.LittleEndian.Uint32(head[6:]) == 0 &&
		binary.LittleEndian.Uint32(head[10:]) >= 14+header
}

// walkBMP trusts the length in the header, as there is no other end.
func walkBMP(_ context.Context, w *walker) (int64, *fault) {
	head := w.bytes(0, 14)
	if head == nil {
		return 0, truncated("header")
	}
	size, data := int64(binary.LittleEndian.Uint32(head[2:])), int64(binary.LittleEndian.Uint32(head[10:]))
	switch {
	case size == 0: // some writers leave it out
		return w.blob.Size(), nil
	case size < data:
		return 0, malformed("length")
	case size > w.blob.Size():
		return 0, truncated("pixels")
	}
	return size, nil
}
