package studytest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// Resumed is the training that is interrupted in these tests: two subjects, everything random switched on.
func Resumed(dir, out string) *experiment.Experiment {
	e := tinyExperiment(dir)
	e.Data.Subjects = []string{"ada", "bob"}
	e.Train.Dropout, e.Train.LayerDrop, e.Train.SpecAugment, e.Adapter.Dropout = .1, .1, .1, .1
	e.Out = out
	return e
}

// TrainOnce begins or resumes the training of an experiment, as a process of its own would, and scores it.
func TrainOnce(ctx context.Context, e *experiment.Experiment, opt study.Options) error {
	st, err := openTiny(ctx, e, tinySpec(), opt)
	if err != nil {
		return err
	}
	defer st.Close()
	run, err := rundir.Open(e.Out)
	if fault.KindOf(err) == fault.Missing {
		run, err = st.Begin(ctx)
	}
	if err != nil {
		return err
	}
	defer run.Close()
	if _, err := tune.Fit(ctx, st, run); err != nil {
		return err
	}
	_, err = evaluate.EvaluateRun(ctx, st, run)
	return err
}

// TrainByRanks trains an experiment as one of several ranks, or alone, and stops after some steps; 0: it does not.
func TrainByRanks(ctx context.Context, e *experiment.Experiment, g *dist.Group, stop int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	steps := 0
	st, err := openTiny(ctx, e, tinySpec(), study.Options{Ranks: g, Progress: func(e progress.Event) {
		if e.Phase == progress.Tune {
			if steps++; steps == stop {
				cancel(ErrStop)
			}
		}
	}})
	if err != nil {
		return err
	}
	defer st.Close()
	var run *rundir.Run
	if g.Rank() == 0 {
		if run, err = rundir.Open(e.Out); fault.KindOf(err) == fault.Missing {
			run, err = st.Begin(ctx)
		}
	}
	if together := g.Barrier("run is open"); err == nil {
		err = together
	}
	if err == nil && g.Rank() > 0 {
		run, err = rundir.Follow(e.Out)
	}
	if err != nil {
		return err
	}
	defer run.Close()
	_, err = tune.Fit(ctx, st, run)
	return err
}

// TrainChild is trainOnce in the run directory of the test that started this process.
func TrainChild(out string) error {
	fmt.Println("started")
	return TrainOnce(context.Background(), Resumed(filepath.Dir(out), out), study.Options{})
}

// Outcome is what a run left, file by file; the checkpoints are left out.
func Outcome(t *testing.T, out string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(out, path)
		require.NoError(t, err)
		if top, _, _ := strings.Cut(rel, "/"); top == "ckpt" || top == rundir.ConfigFile ||
			top == rundir.ManifestOfRun {
			return nil // the first may differ in what is kept, the others name the directory
		}
		data, err := os.ReadFile(path)
		files[rel] = string(data)
		return err
	}))
	return files
}

func Same(t *testing.T, want map[string]string, out string, why ...any) {
	t.Helper()
	got := Outcome(t, out)
	for name, data := range want {
		assert.True(t, got[name] == data, "%s differs; %v", name, fmt.Sprint(why...))
	}
	assert.Len(t, got, len(want), fmt.Sprint(why...))
}

var ErrStop = errors.New("enough")

// StopAt cancels a context with errStop at the nth event of a phase.
func StopAt(ctx context.Context, phase progress.Phase, n int) (context.Context, func(progress.Event)) {
	ctx, cancel := context.WithCancelCause(ctx)
	seen := 0
	return ctx, func(e progress.Event) {
		if e.Phase == phase {
			if seen++; seen == n {
				cancel(ErrStop)
			}
		}
	}
}
