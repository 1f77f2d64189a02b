//go:build slow

package realsize

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/planning"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/proc"
)

// job is what a process of TestOneJob does, since the most memory that a process had never sinks.
type job struct {
	What  string // open, plan, eval
	Dir   string
	Size  size
	Bound int64 // of memory; 0: none
	Out   string
}

// done is what a job tells.
type done struct {
	Peak, Values, Calls, Widest, Decoded int64
	Seconds                              float64
}

const jobVariable = "REALSIZE_TEST_JOB"

// TestOneJob is run by TestAStudyOfRealSize.
func TestOneJob(t *testing.T) {
	var j job
	if json.Unmarshal([]byte(os.Getenv(jobVariable)), &j) != nil {
		t.Skip("only for TestAStudyOfRealSize")
	}
	if j.Bound > 0 {
		debug.SetGCPercent(10) // as the command has it where memory is bounded
	}
	var r reads
	begun := time.Now()
	st, err := j.Size.open(t.Context(), j.Dir, study.Options{MaxBytes: j.Bound, OnlyCachedPrints: j.What != "open"}, &r)
	if j.What == "refuse" {
		faulttest.Require(t, fault.Memory, err, "max_memory", "allow at least ")
		t.Log(err)
	} else {
		require.NoError(t, err)
		defer st.Close()
	}
	switch j.What {
	case "plan":
		p, err := planning.Estimate(t.Context(), st)
		require.NoError(t, err)
		text, err := json.MarshalIndent(p, "", " ")
		require.NoError(t, err)
		t.Logf("%s", text)
	case "eval":
		s, err := evaluate.Evaluate(t.Context(), st, nil, filepath.Join(j.Dir, "eval"))
		require.NoError(t, err)
		t.Logf("%+v, %d notes", s.Test.Base, len(s.Notes))
	}
	d := done{Values: r.Values.Load(), Calls: r.Calls.Load(), Widest: r.Widest.Load(), Decoded: r.Decoded.Load(),
		Seconds: time.Since(begun).Seconds()}
	d.Peak, err = proc.PeakMemory()
	require.NoError(t, err)
	text, err := json.Marshal(d)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(j.Out, text, 0o600))
}

// run does a job in a process of its own.
func run(t *testing.T, j job) (d done) {
	t.Helper()
	j.Out = filepath.Join(t.TempDir(), "done.json")
	text, err := json.Marshal(j)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^TestOneJob$", "-test.v", "-test.timeout", "40m")
	cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	out, err := cmd.CombinedOutput()
	t.Logf("%s\n%s", j.What, out)
	require.NoError(t, err)
	text, err = os.ReadFile(j.Out)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &d))
	t.Logf("%s, %d subjects: peak %d MB, %.2f times all values read in %d reads, %d stories decoded, %.0f s", j.What,
		j.Size.Subjects, d.Peak>>20, float64(d.Values)/float64(j.Size.values()), d.Calls, d.Decoded, d.Seconds)
	return d
}

// A study of a whole laboratory's shape: 84 stories of 390 rows of 95,000 voxels, 12.5 GB of real numbers a subject,
// and 3,072 features. It is opened by headers, planned from pieces, and a bound that is too small is refused before a
// response is read. Within 8 GB, all voxels of a subject are fitted and scored, and the responses are read at most
// twice.
func TestAStudyOfRealSize(t *testing.T) {
	z := size{Subjects: 3, Stories: 84, Rows: 390, Voxels: 95_000}
	dir := t.TempDir()
	if parent := os.Getenv("REALSIZE_TEST_DIR"); parent != "" { // that of an earlier run is used again
		dir = parent
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	if _, err := os.Stat(file(dir, 0, z.Stories-1)); err != nil {
		require.Greater(t, proc.FreeDisk(dir), 4*z.values()+2<<30, "12.5 GB of responses are written to %s",
			dir)
		require.NoError(t, writeModel(t.Context(), filepath.Join(dir, "model")))
		begun := time.Now()
		z.write(t, dir)
		t.Logf("written in %.0f s", time.Since(begun).Seconds())
	}
	one := z
	one.Subjects = 1

	const gigabyte = 1_000_000_000
	for _, z := range []size{one, z} {
		d := run(t, job{What: "open", Dir: dir, Size: z})
		assert.Less(t, d.Peak, int64(2*gigabyte))
		assert.Zero(t, d.Calls)
	}
	d := run(t, job{What: "refuse", Dir: dir, Size: one, Bound: 2 * gigabyte})
	assert.Zero(t, d.Calls)
	assert.Zero(t, d.Decoded)

	d = run(t, job{What: "plan", Dir: dir, Size: one})
	assert.Less(t, float64(d.Values), .25*float64(z.values()), "a plan reads the stories of its pieces")
	assert.Less(t, d.Peak, int64(4*gigabyte))

	d = run(t, job{What: "eval", Dir: dir, Size: one, Bound: 8 * gigabyte})
	assert.Less(t, d.Peak, int64(8*gigabyte))
	assert.LessOrEqual(t, d.Values, 2*z.values())
	assert.LessOrEqual(t, d.Calls, 2*4*z.values()/(64<<20)+3*int64(z.Stories), "whole slabs")
	one.alphasOf(t, filepath.Join(dir, "eval"), z.experiment(dir).Eval.Alphas)
}
