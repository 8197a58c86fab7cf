package inference

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bartizan/attest/keys"
)

// TestMain lets this binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("BARTIZAN_TEST_RECORD"); dir != "" {
		if err := recordForever(dir, os.Getenv("BARTIZAN_TEST_ROUND")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// recordForever records until it is killed, and says each receipt on standard
// output: number and id.
func recordForever(dir, round string) error {
	pem, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		return err
	}
	key, err := keys.ReadPrivate(pem)
	if err != nil {
		return err
	}
	cert, err := os.ReadFile(filepath.Join(dir, "cert"))
	if err != nil {
		return err
	}
	r, err := Open(context.Background(), Options{
		Path: filepath.Join(dir, "log"), Key: key, Certificate: cert, Batch: 7, Wait: 300 * time.Microsecond,
	})
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%s-%d-%d", round, g, i)
				receipt, err := r.AddWait(context.Background(), Record{ID: id, Request: SHA256([]byte(id)), Response: SHA256([]byte(id))})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				fmt.Printf("%d %s\n", receipt.Sequence, id)
			}
		})
	}
	group.Wait()
	return fmt.Errorf("the writers ended")
}

// Killed at any moment, the log has every record that a caller was told of,
// under the number that he was told, once, and goes on. BARTIZAN_LONG=1 kills
// more often.
func TestKilled(t *testing.T) {
	rounds := 12
	if os.Getenv("BARTIZAN_LONG") != "" {
		rounds = 1000
	}
	f := newFixture(t)
	dir := t.TempDir()
	pem, err := f.replica.PEM()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"key": pem, "cert": f.cert} {
		if err := writeFile(filepath.Join(dir, name), data); err != nil {
			t.Fatal(err)
		}
	}
	told := map[int64]string{}
	for round := range rounds {
		killOnce(t, dir, round, told)
		checkTold(t, f, filepath.Join(dir, "log"), told)
	}
	t.Logf("%d kills, %d records told", rounds, len(told))
	write(t, f.options(filepath.Join(dir, "log")), 0, 1)
	if r := verdict(t, f.check(), read(t, filepath.Join(dir, "log")))[0]; r.Err != nil {
		t.Error(r.Err)
	}
}

func killOnce(t *testing.T, dir string, round int, told map[int64]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BARTIZAN_TEST_RECORD="+dir, "BARTIZAN_TEST_ROUND=r"+strconv.Itoa(round))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(out)
	more := rand.IntN(200)
	for n := 0; scan.Scan(); n++ {
		if n == more {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		number, id, whole := strings.Cut(scan.Text(), " ")
		sequence, err := strconv.ParseInt(number, 10, 64)
		if err != nil || !whole {
			continue // cut off within the line
		}
		if was, is := told[sequence]; is {
			t.Fatalf("number %d was told of %s and of %s", sequence, was, id)
		}
		told[sequence] = id
	}
	_ = cmd.Wait() // it was killed
	if complaints.Len() > 0 {
		t.Fatal(complaints.String())
	}
}

// checkTold holds the log to what callers were told. A last line that a killed
// process did not finish to print can have a shorter id.
func checkTold(t *testing.T, f *fixture, path string, told map[int64]string) {
	t.Helper()
	log, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	opt := f.check()
	opt.Live = true
	results, err := Check(context.Background(), []Source{{path, log}}, opt)
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results[0].Err)
	}
	if _, err := log.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	there, found := map[int64]string{}, 0
	w := newWalk(log)
	w.begin = anywhere
	w.record = func(r *Record, _ []byte) { there[r.Sequence] = r.ID }
	w.accept = func(b *Batch, _ []node) error {
		for n := b.First; n <= b.Last; n++ {
			if id, is := told[n]; is && strings.HasPrefix(there[n], id) {
				found++
			}
		}
		return nil
	}
	if err := w.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if found != len(told) {
		t.Fatalf("%d records were told of, and %d are signed in the log", len(told), found)
	}
}
