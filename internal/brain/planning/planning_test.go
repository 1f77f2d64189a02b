package planning

import (
	"io/fs"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/testnum"
)

// Studies with the planted difference are found about as often as the power says: two predictions
// of one response, drawn from the three-variate normal distribution that has the wanted
// correlations, compared by the SE in the formula.
func TestDetectableDeltaIsFoundFourTimesInFive(t *testing.T) {
	const n, r, c, studies = 300, .3, .9, 3000
	delta := plan.MinDetectableDifference(n, r, c, .05, .8)
	assert.InDelta(t, .0684, delta, .002)
	r1, r2 := r-delta/2, r+delta/2
	rng := rand.New(rand.NewPCG(5, 5))
	se := delta / (1 - r*r) / (1.959964 + .841621) // of the difference of z
	found := 0
	for range studies {
		// p1, then p2 given p1, then y given both.
		b2 := (r2 - c*r1) / (1 - c*c)
		b1 := (r1 - c*r2) / (1 - c*c)
		rest := math.Sqrt(1 - b1*r1 - b2*r2)
		var p1, p2, y []float64
		for range n {
			a := rng.NormFloat64()
			b := c*a + math.Sqrt(1-c*c)*rng.NormFloat64()
			p1, p2, y = append(p1, a), append(p2, b), append(y, b1*a+b2*b+rest*rng.NormFloat64())
		}
		if z := (math.Atanh(testnum.Pearson(p2, y)) - math.Atanh(testnum.Pearson(p1, y))) / se; math.Abs(z) > 1.959964 {
			found++
		}
	}
	assert.InDelta(t, .8, float64(found)/studies, .03)
	assert.True(t, math.IsInf(plan.MinDetectableDifference(3, r, c, .05, .8), 1))
}

func TestAlikeIsTheMeanSquaredCorrelation(t *testing.T) {
	const rows, cols = 4000, 6
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, 0, rows*cols)
	for range rows {
		shared := rng.NormFloat64()
		for c := range cols - 1 {
			sign := float64(1 - 2*(c%2)) // opposite signs count alike
			x = append(x, float32(sign*math.Sqrt(.5)*shared+math.Sqrt(.5)*rng.NormFloat64()))
		}
		x = append(x, 3) // constant
	}
	q, varying := alike(x, cols, rows)
	assert.InDelta(t, .25, q, .02)
	assert.Equal(t, cols-1, varying)
	q, varying = alike(nil, 0, rows)
	assert.Zero(t, q+float64(varying))
}

func TestPersistenceInvertsTheAutocorrelationTime(t *testing.T) {
	for _, phi := range []float64{0, .3, .8} {
		assert.InDelta(t, phi, persistence((1+phi)/(1-phi)), 1e-12)
	}
}

func TestPlanOfTheTinyStudy(t *testing.T) {
	if testing.Short() {
		t.Skip("timed trainings")
	}
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment,
		s *dataset.Spec) {
		e.Data.Subjects = []string{"ada", "bob"}
	})
	var calibrated []progress.Event
	st.OnProgress(func(e progress.Event) { calibrated = append(calibrated, e) })
	p, err := Estimate(t.Context(), st)
	require.NoError(t, err)
	// 40 rows a story less 4 and 2: 34, in blocks of 10 the last of which takes the rest of 4; two
	// stories, shared by both subjects.
	assert.Equal(t, []int{3 * 2, 2, 3 * 2 * 2}, []int{p.StepsPerEpoch, p.Epochs, p.Steps})
	// Windows of .2 s every .1 s: 160 in each of the three stories that are read.
	assert.Equal(t, 3*160, p.WindowsRead)
	assert.InDelta(t, float64(p.WindowsPerEpoch)/6, p.WindowsPerStep, 1e-9)
	// Rank 4 on q, k, v of two layers of width 16; readouts of 32 → 6 → 60 and 53 voxels.
	assert.Equal(t, 3*2*2*4*16, p.ModelParameters)
	assert.Equal(t, p.ModelParameters+2*(32*6+6)+6*(60+53)+60+53, p.Parameters)
	assert.Equal(t, 1., p.CachedShare)
	assert.Contains(t, p.Models, "one adapter for all 2 subjects, with a readout each (train.joint: shared")
	assert.Positive(t, p.Seconds)
	assert.Positive(t, p.PeakMB)
	total := 0.
	for _, phase := range p.Phases {
		assert.InDelta(t, phase.Times*phase.Each, phase.Seconds, 1e-9)
		total += phase.Seconds
	}
	assert.InDelta(t, total, p.Seconds, 1e-9)
	assert.EqualValues(t, "calibrate", calibrated[0].Phase)
	require.Len(t, p.Sensitivity, 2)
	d := p.Sensitivity[0]
	assert.Equal(t, []int{60 + 53, 34}, []int{d.Voxels, d.TestRows})
	assert.Nil(t, d.Ceiling)
	assert.Less(t, d.Mean, d.OneVoxel)
	assert.Less(t, d.OneVoxel, d.AnyVoxel)
	assert.NoDirExists(t, st.Experiment.Out, "a plan writes nothing")
	assert.Len(t, p.Ways, 2, "windows of .2 s every .25 s would leave gaps")
	assert.InEpsilon(t, p.Seconds, p.Ways[0].Seconds, 1e-9)
	assert.InEpsilon(t, p.PeakMB, p.Ways[0].PeakMB, 1e-9)
	assert.Greater(t, p.FreeMB, p.DiskMB)
	assert.Empty(t, p.Notes)
	InCache(p, "/")
	assert.Positive(t, p.CacheMB)

	// The same study, run: counts are exact, the disk is as foreseen.
	steps := 0
	st.OnProgress(func(e progress.Event) {
		if e.Phase == progress.Tune {
			steps = e.Total
		}
	})
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	_, err = tune.Fit(t.Context(), st, run)
	require.NoError(t, err)
	s, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	assert.NotEmpty(t, s.Test.Delta.Reason)
	assert.Equal(t, s.Test.Delta.Reason, p.Intervals.Reason, "34 test rows allow no interval, which the plan knew")
	assert.InDelta(t, 20*float64(p.Intervals.BlockRows)*studytest.TinyTR/60, p.Intervals.Minutes, .1)
	assert.Equal(t, len(s.Test.Stories), p.Intervals.Stories)
	assert.Equal(t, p.Steps, steps)
	assert.InEpsilon(t, float64(sizeOf(t, run.Dir))/1e6, p.DiskMB, .25)
}

func TestPlanReportsOneModelForOneSubject(t *testing.T) {
	st := studytest.Tiny(t, study.Options{CacheBytes: 4000},
		func(e *experiment.Experiment, s *dataset.Spec) { e.Train.Mode = "readout" })
	p, err := Estimate(t.Context(), st)
	require.NoError(t, err)
	assert.Equal(t, "the model as it is and one readout for ada", p.Models)
	assert.Less(t, p.CachedShare, 1.)
	assert.Zero(t, p.ModelParameters)
}

// sizeOf adds up the files below a directory.
func sizeOf(t *testing.T, dir string) (total int64) {
	require.NoError(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		total += info.Size()
		return err
	}))
	return total
}

func TestADiskThatIsTooSmallIsNamed(t *testing.T) {
	var p plan.Plan
	compare(&p, "the run directory", "runs", 10, 0)
	compare(&p, "the run directory", "runs", 10, 10)
	assert.Empty(t, p.Notes, "unknown, or just enough")
	compare(&p, "the run directory", "runs", 1234, 12)
	assert.Equal(t, []string{"the run directory needs about 1.23e+03 MB, and at runs 12 MB are free"}, p.Notes)
}

// A subject may lack the test stories of another.
func TestBlocksAreThoseOfAllSubjects(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Subjects = []string{"ada", "bob"}
	})
	for i := range st.Subjects {
		kept := st.Subjects[i].Parts[study.Test]
		st.Subjects[i].Parts[study.Test] = nil
		found, err := expectIntervals(t.Context(), st)
		require.NoError(t, err)
		assert.Equal(t, 3, found.Blocks, "34 rows in blocks of at least 10")
		assert.Equal(t, 1, found.Stories)
		st.Subjects[i].Parts[study.Test] = kept
	}
}
