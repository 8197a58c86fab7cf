package tree

import (
	"fmt"
	"time"
)

// Token names the state of a file by what the file system says of it: device,
// inode, size, and the times of the last change to content and to inode in
// nanoseconds. Two equal tokens make it likely, and do not prove, that nobody
// wrote to the file in between: writes through a shared mapping, and a clock
// that was set back, do not show.
func (e Entry) Token() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", e.dev, e.ino, e.Size, e.mtime, e.ctime)
}

// Changed is the time of the last change to content or inode.
func (e Entry) Changed() time.Time { return time.Unix(0, max(e.mtime, e.ctime)) }
