package hashing

import "lukechampine.com/blake3/guts"

// builder makes the chaining values of groups from data that comes in buffers
// of bufferSize, which divides a group: every buffer is a subtree of its own, so
// that nothing is copied and everything stays in the cache.
type builder struct {
	groups [][32]byte
	next   int    // group that is being made
	index  uint64 // number of groups[0] in the file
	at     int64  // bytes of the group so far
	only   bool   // the file has one group
	single bool   // the file has one buffer
	parts  [ChunkSize / bufferSize][32]byte
	n      int
}

// treeOf makes the groups from offset start, a multiple of ChunkSize, in a file
// or range of size bytes.
func treeOf(start, size int64, groups [][32]byte) builder {
	return builder{groups: groups, index: uint64(start / ChunkSize), only: size <= ChunkSize, single: size <= bufferSize}
}

// write takes the next buffer; only the last may be shorter than bufferSize.
func (b *builder) write(data []byte) {
	counter := (b.index+uint64(b.next))*chunksPerGroup + uint64(b.at/guts.ChunkSize)
	node := subtree(data, counter)
	if b.single {
		node.Flags |= guts.FlagRoot
	}
	b.parts[b.n] = toBytes(guts.ChainingValue(node))
	b.n++
	b.at += int64(len(data))
	if b.at == ChunkSize {
		b.close()
	}
}

func (b *builder) close() {
	var flags uint32
	if b.only {
		flags = guts.FlagRoot
	}
	b.groups[b.next] = fold(b.parts[:b.n], flags)
	b.next++
	b.n, b.at = 0, 0
}

// skip leaves a whole group to somebody else: where its value goes, and its
// number.
func (b *builder) skip() (out *[32]byte, index uint64) {
	out, index = &b.groups[b.next], b.index+uint64(b.next)
	b.next++
	return out, index
}

// end closes the last group; a file without bytes has one, of no bytes.
func (b *builder) end() {
	if b.next == 0 && b.n == 0 {
		b.write(nil)
	}
	if b.n > 0 {
		b.close()
	}
}
