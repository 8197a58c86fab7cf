// Command budgets holds the design's budgets: the size of the binaries, and how
// long and with how much memory their verb version runs. Of twenty runs the
// quickest counts, since the machine may be busy.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// budget is what one binary may take.
type budget struct {
	size, resident int64
	start          time.Duration
}

const runs = 20

// budgets gives those of bartizan and of bartizan-verify, in the order of the
// arguments.
func budgets() []budget {
	return []budget{
		{size: 120 << 20, resident: 80 << 20, start: 40 * time.Millisecond},
		{size: 10_000_000, resident: 20 << 20, start: 20 * time.Millisecond},
	}
}

func main() {
	limits := budgets()
	if len(os.Args) < 2 || len(os.Args) > 1+len(limits) {
		fmt.Fprintln(os.Stderr, "usage: budgets BARTIZAN [BARTIZAN-VERIFY]")
		os.Exit(3)
	}
	for i, binary := range os.Args[1:] {
		if err := check(binary, limits[i]); err != nil {
			fmt.Fprintln(os.Stderr, "budgets:", err)
			os.Exit(1)
		}
	}
}

func check(binary string, limit budget) error {
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	quickest, resident := time.Hour, int64(0)
	for range runs {
		start := time.Now()
		cmd := exec.Command(binary, "version")
		if err := cmd.Run(); err != nil {
			return err
		}
		quickest = min(quickest, time.Since(start))
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			resident = max(resident, usage.Maxrss<<10)
		}
	}
	fmt.Printf("%s: binary %.1f of %.1f MiB, version %.1f of %d ms, resident %.1f of %.0f MiB\n", filepath.Base(binary),
		mib(info.Size()), mib(limit.size), float64(quickest.Microseconds())/1000, limit.start.Milliseconds(), mib(resident), mib(limit.resident))
	if info.Size() > limit.size || quickest > limit.start || resident > limit.resident {
		return fmt.Errorf("%s is over budget", binary)
	}
	return nil
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
