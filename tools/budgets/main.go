// Command budgets holds the design's budgets: the binary's size, and how long
// and with how much memory `bartizan version` runs. Of twenty runs the quickest
// counts, since the machine may be busy.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	sizeLimit     = 120 << 20
	startLimit    = 40 * time.Millisecond
	residentLimit = 80 << 20
	runs          = 20
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: budgets BINARY")
		os.Exit(3)
	}
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "budgets:", err)
		os.Exit(1)
	}
}

func check(binary string) error {
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
	fmt.Printf("binary %.1f of %d MiB, version %.1f of %d ms, resident %.1f of %d MiB\n",
		mib(info.Size()), sizeLimit>>20, float64(quickest.Microseconds())/1000, startLimit.Milliseconds(), mib(resident), residentLimit>>20)
	if info.Size() > sizeLimit || quickest > startLimit || resident > residentLimit {
		return fmt.Errorf("%s is over budget", binary)
	}
	return nil
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
