package subrun

import (
	"context"
	"errors"
	"time"

	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// Job is one run of several. Its lock decides which process works on it.
type Job struct {
	Name   string
	Dir    string
	Scores bool // see progress.RunStatus

	// Done reports whether the outcome is there, by this process or another. It takes no lock.
	Done func() (bool, error)

	// Do claims the run, calls begin, and works to its end. An error that matches rundir.ErrLocked says that another
	// process has the run; any other ends the work on all jobs.
	Do func(ctx context.Context, begin func()) error
}

// The time between two looks at runs of other processes grows from the first to the second.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 5 * time.Second
)

// Work works on the jobs that no other process has, in their order, and returns when all are done. It waits for those
// of other processes when nothing else is left, and takes over one whose process died.
func Work(ctx context.Context, jobs []Job, say func(progress.RunStatus)) error {
	left := make([]int, len(jobs))
	for i := range left {
		left[i] = i
	}
	wait := firstWait
	for {
		var locked []int
		worked := false
		for k, i := range left {
			job := jobs[i]
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			done, err := job.Done()
			if err != nil {
				return err
			}
			if done {
				continue
			}
			err = job.Do(ctx, func() {
				worked = true
				others := atWork(jobs, locked) + atWork(jobs, left[k+1:])
				say(progress.RunStatus{Run: job.Name, Scores: job.Scores, Index: i, Total: len(jobs), Others: others})
			})
			if errors.Is(err, rundir.ErrLocked) {
				locked = append(locked, i)
				continue
			}
			if err != nil {
				return err
			}
		}
		if len(locked) == 0 {
			return nil
		}
		left = locked
		if worked {
			wait = firstWait
			continue
		}
		if wait == firstWait {
			say(progress.RunStatus{Scores: jobs[left[0]].Scores, Total: len(jobs), Others: len(left)})
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		wait = min(2*wait, lastWait)
	}
}

// atWork counts the jobs on which other processes work.
func atWork(jobs []Job, some []int) (n int) {
	for _, i := range some {
		if rundir.AtWork(jobs[i].Dir) {
			n++
		}
	}
	return n
}
