//go:build slow

package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a plan says of time, memory and disk is within 25 % of what the training then takes. Time is
// measured on a machine that others may use: of three plans, one before and one after each of two
// runs, means are compared.
func TestPlanIsWithinAQuarterOfTheRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	args := []string{filepath.Join(dir, "tiny.yaml"), "--set", "train.epochs=40"}
	plan := func() map[string]any { return answers(t, append([]string{"plan"}, args...)...) }
	train := func(out string) (seconds, peakMB float64) {
		cmd, stderr := bwlm(t, append([]string{"train", "--cache-dir", "none"},
			append(args, "--set", "out="+filepath.Join(dir, out))...)...)
		return watched(t, cmd, stderr)
	}
	plans := []map[string]any{plan()}
	s1, peak := train("a")
	plans = append(plans, plan())
	s2, _ := train("b")
	plans = append(plans, plan())
	planned := 0.
	for _, p := range plans {
		planned += p["seconds"].(float64) / 3
	}
	disk := int64(0)
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "a"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, _ := d.Info()
			disk += info.Size()
		}
		return err
	}))
	t.Log(fmt.Sprintf("seconds %.2f %.2f planned %.2f, peak MB %.0f planned %.0f, disk MB %.3f planned %.3f", s1, s2,
		planned, peak, plans[0]["peak_mb"], float64(disk)/1e6, plans[0]["disk_mb"]))
	assert.InEpsilon(t, (s1+s2)/2, planned, .25, "seconds")
	assert.InEpsilon(t, peak, plans[0]["peak_mb"], .25, "memory")
	assert.InEpsilon(t, float64(disk)/1e6, plans[0]["disk_mb"], .25, "disk")
}

// watched runs a process to its end and gives its time and the most memory that it had.
func watched(t *testing.T, cmd *exec.Cmd, stderr *strings.Builder) (seconds, peakMB float64) {
	t.Helper()
	start := time.Now()
	require.NoError(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			require.NoError(t, err, stderr.String())
			return time.Since(start).Seconds(), peakMB
		case <-time.After(20 * time.Millisecond): // what wait tells begins with the memory of the process that forked
			peakMB = max(peakMB, highWater(cmd.Process.Pid))
		}
	}
}

// highWater is the most memory that a process had so far, in MB; 0 once it has ended.
func highWater(pid int) (mb float64) {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(data)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Sscan(kb, &mb)
		}
	}
	return mb * 1024 / 1e6
}
