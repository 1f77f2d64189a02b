package brain_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m) }

// A study is opened from an experiment file, tuned, and evaluated.
func Example() {
	dir, err := os.MkdirTemp("", "study")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file, err := exampletest.WriteStudy(dir) // 48 s of tones and 60 voxels
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	exp, err := experiment.Load(file, "train.epochs=1")
	if err != nil {
		log.Fatal(err)
	}
	study, err := brain.Open(ctx, exp, brain.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer study.Close()
	run, err := study.StartOrResume(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer run.Close()
	done, err := study.Fit(ctx, run)
	if err != nil {
		log.Fatal(err)
	}
	summary, err := study.EvaluateRun(ctx, run)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(done.Epochs), "epochs scored, with the untuned model")
	fmt.Println(summary.Test.Rows, "test rows; untuned r above .3:", summary.Test.Base.MeanR > .3)
	// Output:
	// 2 epochs scored, with the untuned model
	// 34 test rows; untuned r above .3: true
}

// Every method that returns an error says that the study is closed.
func TestAClosedStudyIsAnError(t *testing.T) {
	exp, err := experiment.Load(exampletest.Study(t))
	require.NoError(t, err)
	st, err := brain.Open(t.Context(), exp, brain.Options{})
	require.NoError(t, err)
	st.Close()
	st.Close()
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Vary":          func() error { _, err := st.Vary(ctx, exp); return err },
		"Begin":         func() error { _, err := st.Begin(ctx); return err },
		"StartOrResume": func() error { _, err := st.StartOrResume(ctx); return err },
		"Fit":           func() error { _, err := st.Fit(ctx, nil); return err },
		"LoadTuned":     func() error { _, err := st.LoadTuned(ctx, nil); return err },
		"Baseline":      func() error { _, err := st.Baseline(ctx); return err },
		"Evaluate":      func() error { _, err := st.Evaluate(ctx, nil, ""); return err },
		"EvaluateRun":   func() error { _, err := st.EvaluateRun(ctx, nil); return err },
		"ScoreAdapters": func() error { _, err := st.ScoreAdapters(ctx, nil, nil); return err },
		"Plan":          func() error { _, err := st.Plan(ctx); return err },
		"LockAnalysis":  func() error { _, err := st.LockAnalysis(ctx, results.Endpoints{}); return err },
	} {
		err := call()
		assert.ErrorIs(t, err, fault.ErrClosed, name)
		assert.Equal(t, fault.Unavailable, fault.KindOf(err), name)
	}
	assert.NoDirExists(t, filepath.Join(filepath.Dir(exp.Out), "run"))
}
