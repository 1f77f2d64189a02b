//go:build slow

package main

import (
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shareWithDeaths starts four processes of a command, kills one and stops another at moments of chance, starts both
// anew as a scheduler does, and waits for the end of all.
func shareWithDeaths(t *testing.T, args ...string) {
	t.Helper()
	random := rand.New(rand.NewPCG(15, 5))
	var workers []*exec.Cmd
	var said []*strings.Builder
	start := func() int {
		cmd, text := bwlm(t, args...)
		require.NoError(t, cmd.Start())
		workers, said = append(workers, cmd), append(said, text)
		return len(workers) - 1
	}
	for range 4 {
		start()
	}
	for k, s := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL} {
		time.Sleep(time.Duration(1000+random.IntN(2000)) * time.Millisecond)
		_ = workers[k].Process.Signal(s) // it may have ended
		_ = workers[k].Wait()
		if code := workers[k].ProcessState.ExitCode(); s == syscall.SIGTERM && code != 0 {
			assert.Equal(t, 143, code, said[k].String())
		}
		start()
	}
	for k := 3; k < len(workers); k++ {
		assert.NoError(t, workers[k].Wait(), said[k].String())
	}
}

func TestFourWorkersOfASweepOfWhichSomeDie(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	args := func(out string) []string {
		return []string{"sweep", filepath.Join(dir, "tiny.yaml"), "--vary", "data.subjects=ada,bob", "--vary",
			"train.lr=1e-2,3e-3,1e30", "--vary", "train.seed=1,2", "--set", "train.epochs=4", "--out",
			filepath.Join(dir, out)}
	}
	answers(t, args("whole")...)
	shareWithDeaths(t, args("shared")...)
	sameFiles(t, filepath.Join(dir, "whole"), filepath.Join(dir, "shared"), "sweep.csv", "sweep.json")
	for _, best := range []string{"train.lr=1e-2__train.seed=1", "train.lr=3e-3__train.seed=2"} {
		for _, subject := range []string{"ada", "bob"} {
			run := "data.subjects=" + subject + "__" + best
			sameFiles(t, filepath.Join(dir, "whole", run), filepath.Join(dir, "shared", run), "metrics.jsonl",
				"adapter/adapter_model.safetensors")
		}
	}
}

func TestFourWorkersOfATransferOfWhichSomeDie(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	args := func(out string) []string {
		return []string{"transfer", filepath.Join(dir, "tiny.yaml"), "--set", "train.epochs=6", "--set",
			"out=" + filepath.Join(dir, out)}
	}
	answers(t, args("whole")...)
	shareWithDeaths(t, args("shared")...)
	sameFiles(t, filepath.Join(dir, "whole", "transfer"), filepath.Join(dir, "shared", "transfer"), "transfer.csv",
		"transfer.json", "from-ada/scores.json", "without-ada/scores.json")
}
