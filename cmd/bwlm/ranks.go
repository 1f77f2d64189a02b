package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/dist"
)

const runIsOpen = "run is open"

// ranked does a training, together with the other ranks if the environment names any. Rank 0 writes the run, shows
// progress and answers; the others print warnings.
func (a *app) ranked(ctx context.Context, exp *experiment.Experiment, do func() error) error {
	env, err := dist.FromEnv()
	if err != nil {
		return err
	}
	g, err := dist.Join(ctx, env)
	if g == nil {
		if err == nil {
			err = do()
		}
		return err
	}
	defer g.Close()
	a.group = g
	if a.follows() {
		a.ui.Quiet = true
		a.ui.Words = func(text string) string { return fmt.Sprintf("[rank %d] %s", env.Rank, inTerms(text)) }
	}
	if err = a.sameOnAll(exp); err == nil {
		err = do()
	}
	if g.Context(ctx).Err() == nil { // else all stop
		g.Fail(err)
	}
	return err
}

// alone refuses a command under several ranks.
func alone(what, instead string) error {
	env, err := dist.FromEnv()
	if err == nil && env.World > 1 {
		err = fault.New(fault.Usage, "join ranks", "WORLD_SIZE", "%s is not shared by %d ranks", what, env.World).
			WithHint("%s", instead)
	}
	return err
}

// follows reports whether another rank writes the run.
func (a *app) follows() bool { return a.group.Rank() > 0 }

// sameOnAll returns an error unless all ranks have the same settings, versions and numbers of threads.
func (a *app) sameOnAll(exp *experiment.Experiment) error {
	v := currentVersions()
	lines := []string{"bwlm: " + strings.TrimSpace(v.Version+" "+v.Commit), "libtorch: " + v.Libtorch,
		fmt.Sprintf("threads: %d", torch.Threads()), fmt.Sprintf("--fast-sums: %t", a.fastSums)}
	for s := range exp.Settings() {
		if s.Key != "device" && s.Key != "max_memory" {
			lines = append(lines, s.Key+": "+strings.ReplaceAll(s.Value, "\n", " "))
		}
	}
	texts, err := a.group.Texts("settings and versions", strings.Join(lines, "\n"))
	if err != nil {
		return err
	}
	first := strings.Split(texts[0], "\n")
	for rank, text := range texts {
		other := strings.Split(text, "\n")
		for i := range min(len(first), len(other)) {
			if first[i] != other[i] {
				return fault.New(fault.BadData, "join ranks", fmt.Sprintf("rank %d", rank), "has %s, rank 0 has %s",
					other[i], first[i]).WithHint("give all ranks the same program, experiment and OMP_NUM_THREADS")
			}
		}
	}
	return nil
}

// exchangeBy lets the ranks exchange between their GPUs, if they can.
func (a *app) exchangeBy(device torch.Device) error {
	by, why, err := a.group.OnDevice(device)
	if err == nil && device != torch.CPU && by != "" {
		if why != "" {
			why = ", since " + why
		}
		a.ui.Note("%d ranks exchange by %s%s", a.group.World(), by, why)
	}
	return err
}

// openRun opens a run on rank 0, and then on the others to read it.
func (a *app) openRun(out string, begin func() (*rundir.Run, error)) (*rundir.Run, error) {
	if a.follows() {
		if err := a.group.Barrier(runIsOpen); err != nil {
			return nil, err
		}
		return rundir.Follow(out)
	}
	run, err := begin()
	if err != nil {
		return nil, err
	}
	if err := a.group.Barrier(runIsOpen); err != nil {
		run.Close()
		return nil, err
	}
	return run, nil
}

// noteTraffic says what a rank has exchanged.
func (a *app) noteTraffic() {
	if a.group != nil {
		t := a.group.Traffic()
		a.ui.Note("%d ranks: rank 0 sent %.1f MB in %d exchanges and waited %.1f s", a.group.World(),
			float64(t.Sent)/1e6, t.Exchanges, t.Waited.Seconds())
	}
}
