package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Token stands for the path of the copy in the arguments of a command, alone or
// within an argument; Variable holds it in the command's environment.
const (
	Token    = "{}"
	Variable = "BARTIZAN_VERIFIED"
)

// passed are the signals that a command is told of. Interrupt is another: see Run.
func passed() []os.Signal {
	return []os.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2}
}

// Run runs a command with the path of a copy and gives its exit code, 128 and the
// number of the signal where one ended it. It errs where the command could not be
// started. Until the command has ended, signals go to it and do not end this
// process, so that the copy can be removed afterwards; a context that ends then
// does not end the command.
//
// The interrupt of a terminal reaches the command by itself, as a member of the
// terminal's foreground group, and is passed on only where there is no terminal.
func Run(ctx context.Context, command []string, path string, in io.Reader, out, err io.Writer) (int, error) {
	if len(command) == 0 {
		return 0, errors.New("no command was given")
	}
	args := make([]string, len(command)-1)
	for i, arg := range command[1:] {
		args[i] = strings.ReplaceAll(arg, Token, path)
	}
	cmd := exec.Command(command[0], args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, err
	cmd.Env = append(os.Environ(), Variable+"="+path)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, append(passed(), os.Interrupt)...)
	defer signal.Stop(signals)
	// A signal that this process ignores would be ignored by the command as well; one
	// that somebody listens for is not. Nobody reads what comes: writes give errors.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	if err := ctx.Err(); err != nil { // a signal that came before: nothing is started
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start the command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if s != os.Interrupt || !onTerminal() {
				_ = cmd.Process.Signal(s) // it may have ended in this moment
			}
		case err := <-ended:
			return codeOf(cmd, err)
		}
	}
}

func onTerminal() bool {
	_, err := unix.IoctlGetTermios(int(os.Stdin.Fd()), unix.TCGETS)
	return err == nil
}

func codeOf(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("run the command: %w", err)
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}
