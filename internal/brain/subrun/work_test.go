package subrun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// counted returns jobs that write a file each, and count who does.
func counted(t *testing.T, dir string, n int, in func(run *rundir.Run) error) (jobs []Job, times func() []int) {
	var mu sync.Mutex
	done := make([]int, n)
	for i := range n {
		run := filepath.Join(dir, fmt.Sprint(i))
		file := filepath.Join(run, "eval")
		there := func() bool {
			_, err := os.Stat(file)
			return err == nil
		}
		jobs = append(jobs, Job{Name: fmt.Sprint(i), Dir: run,
			Done: func() (bool, error) { return there(), nil },
			Do: func(ctx context.Context, begin func()) error {
				r, err := rundir.Create(run)
				if err != nil {
					return err
				}
				defer r.Close()
				if there() {
					return nil
				}
				begin()
				if in != nil {
					if err := in(r); err != nil {
						return err
					}
				}
				mu.Lock()
				defer mu.Unlock()
				done[i]++
				return os.WriteFile(file, nil, 0o644)
			}})
	}
	return jobs, func() []int { return done }
}

func TestWorkersShareRuns(t *testing.T) {
	jobs, times := counted(t, t.TempDir(), 40, nil)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { assert.NoError(t, Work(t.Context(), jobs, func(progress.RunStatus) {})) })
	}
	all.Wait()
	for i, n := range times() {
		assert.Equal(t, 1, n, i)
	}
}

// A worker takes what others have left, waits when nothing else is left, and takes over what is given up.
func TestAWorkerWaitsForRunsOfOthersLast(t *testing.T) {
	jobs, times := counted(t, t.TempDir(), 3, nil)
	other, err := rundir.Create(jobs[0].Dir)
	require.NoError(t, err)
	var said []progress.RunStatus
	err = Work(t.Context(), jobs, func(s progress.RunStatus) {
		said = append(said, s)
		if s.Run == "" {
			require.NoError(t, other.Close())
		}
	})
	require.NoError(t, err)
	assert.Equal(t, []progress.RunStatus{{Run: "1", Index: 1, Total: 3, Others: 1},
		{Run: "2", Index: 2, Total: 3, Others: 1}, {Total: 3, Others: 1}, {Run: "0", Total: 3}}, said)
	assert.Equal(t, []int{1, 1, 1}, times())
}

func TestTheWaitEndsWithTheContext(t *testing.T) {
	jobs, _ := counted(t, t.TempDir(), 1, nil)
	other, err := rundir.Create(jobs[0].Dir)
	require.NoError(t, err)
	defer other.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := fault.New(fault.Terminated, "stopped", "", "SIGTERM")
	assert.Equal(t, stop, Work(ctx, jobs, func(progress.RunStatus) { cancel(stop) }))
}

func TestFailuresAreRecordedAndTriedAgainOnce(t *testing.T) {
	dir := t.TempDir()
	run, err := rundir.Create(filepath.Join(dir, "a"))
	require.NoError(t, err)
	defer run.Close()
	worker := func() *Failures {
		f, err := NewFailures("sweep", []string{run.Dir})
		require.NoError(t, err)
		return f
	}
	final := func(f *Failures) bool {
		yes, err := f.Final(run.Dir)
		require.NoError(t, err)
		return yes
	}
	fail := func(f *Failures, err error) {
		require.NoError(t, f.Try(t.Context(), run, false, func() error { return err }))
	}
	first := worker()
	assert.False(t, final(first))
	fail(first, errors.New("no luck"))
	assert.True(t, final(first))

	second, third := worker(), worker()
	assert.False(t, final(second))
	fail(second, errors.New("no luck"))
	assert.True(t, final(second))
	assert.True(t, final(third), "another worker has tried again what third knew to have failed")
	was, err := first.Of(run.Dir)
	require.NoError(t, err)
	assert.Equal(t, &rundir.Failure{Schema: 1, Attempt: 2, Reason: "no luck", Code: 1}, was)

	fail(worker(), fault.New(fault.BadData, "tune", "s[0:9]", "the loss is NaN"))
	assert.True(t, final(worker()), "it would diverge again")
	fail(worker(), nil)
	assert.False(t, final(worker()))
	assert.NoFileExists(t, filepath.Join(run.Dir, "failed.json"))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = worker().Try(ctx, run, false, func() error { return errors.New("stopped") })
	assert.ErrorIs(t, err, context.Canceled)
	assert.NoFileExists(t, filepath.Join(run.Dir, "failed.json"), "a stop is no failure")

	f := worker()
	f.Refuse(run.Dir, errors.New("a link"))
	assert.True(t, final(f))
	assert.False(t, final(worker()))
}
