package tree

// Slow makes the root open paths component by component, as without openat2.
func (r *Root) Slow() { r.slow = true }

// IsSlow says that the kernel offered no openat2.
func (r *Root) IsSlow() bool { return r.slow }

// Limit sets how many files and folders are taken.
func (r *Root) Limit(n int) { r.limit = n }

// Dirent is what reads directory entries.
var Dirent = dirent
