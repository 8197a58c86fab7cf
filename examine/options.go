// Package examine walks what the user named, runs the detectors over it with
// bounded workers, and gives reports in the order of the walk, whatever the
// number of workers.
package examine

import (
	"time"

	"bartizan/finding"
)

// Options say how to examine paths.
type Options struct {
	// Workers is how many subjects are examined at a time; 0 is one a processor.
	Workers int
	// Timeout bounds one subject; 0 is none. What is cut short is incomplete.
	Timeout time.Duration
	// Digest asks for the sha256 of every subject, which reads the whole of it.
	Digest bool
	// Waivers take findings out of the verdict; Now is the time they are judged at.
	Waivers []finding.Waiver
	Now     time.Time
	// Progress, if set, is told after each subject how many are done and known so far.
	Progress func(done, known int, bytes int64)
	// Stdin is what the path "-" reads.
	Stdin interface{ Read([]byte) (int, error) }
}
