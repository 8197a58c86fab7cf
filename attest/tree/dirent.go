package tree

import (
	"bytes"
	"encoding/binary"
)

// dirent takes the first record off a buffer of struct linux_dirent64, as
// getdents64(2) fills it: inode (8 bytes), offset (8), length of the record (2),
// kind (1), name ending in NUL. part points into buf. ok is false where the
// record does not fit the buffer.
func dirent(buf []byte) (part []byte, kind byte, rest []byte, ok bool) {
	const header = 19
	if len(buf) < header {
		return nil, 0, nil, false
	}
	size := int(binary.NativeEndian.Uint16(buf[16:]))
	if size < header || size > len(buf) {
		return nil, 0, nil, false
	}
	part, _, ok = bytes.Cut(buf[header:size], []byte{0})
	return part, buf[18], buf[size:], ok
}
