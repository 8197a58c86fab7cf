package input

// Defaults of a budget. They are counts, not times, so that a result is the
// same on every host; a deadline in the context is the last resort.
const (
	DefaultDepth    = 16       // archives and encodings within one another
	DefaultMembers  = 100_000  // members of all archives of a subject
	DefaultMember   = 24 << 20 // bytes of one decompressed member held in memory
	DefaultExpand   = 64 << 20 // decompressed bytes of a subject, whatever its size
	DefaultPerByte  = 32       // and for each byte of its own on top
	DefaultScanWork = 64 << 20 // bytes scanned more than once (nested streams, other readings) …
	DefaultWorkRate = 8        // … and for each byte of its own on top
)

// Budget bounds what one subject may cost. It is shared by everything that is
// opened within the subject and is not safe for concurrent use.
type Budget struct {
	// Depth is how deep containers and encodings may nest.
	Depth int
	// MemberBytes is how much of one decompressed member may lie in memory.
	MemberBytes int64

	members int
	expand  int64
	work    int64
	memory  memory
}

// NewBudget is the default budget of a subject of that size.
func NewBudget(size int64) *Budget {
	size = max(size, 0)
	return &Budget{
		Depth: DefaultDepth, MemberBytes: DefaultMember, members: DefaultMembers,
		expand: DefaultExpand + saturate(size, DefaultPerByte),
		work:   DefaultScanWork + saturate(size, DefaultWorkRate),
		memory: memory{live: DefaultLive},
	}
}

// Member takes one member; false means that there were too many.
func (b *Budget) Member() bool { b.members--; return b.members >= 0 }

// Expand takes n decompressed bytes; false means that the budget is spent.
func (b *Budget) Expand(n int64) bool { b.expand -= n; return b.expand >= 0 }

// ExpandLeft is how many decompressed bytes are left.
func (b *Budget) ExpandLeft() int64 { return max(b.expand, 0) }

// Work takes n bytes of repeated scanning; false means that the budget is spent.
func (b *Budget) Work(n int64) bool { b.work -= n; return b.work >= 0 }

// Spent says that some part of the budget is used up: nothing further within
// the subject is opened.
func (b *Budget) Spent() bool { return b.members < 0 || b.expand < 0 || b.work < 0 }

func saturate(size, rate int64) int64 {
	if size > (1<<62)/rate {
		return 1 << 62
	}
	return size * rate
}
