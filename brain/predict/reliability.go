package predict

import (
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/calibration"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/npy"
)

// Levels returns the levels of prediction intervals that a run keeps, ascending.
func Levels() []float64 { return slices.Clone(calibration.Levels) }

// openReliability reads what a run knows of how good its predictions are, which may be nothing.
func (p *Predictor) openReliability(run string) (err error) {
	p.ValidationR, p.Ceiling = unknown(p.Voxels()), unknown(p.Voxels())
	channels := p.model.Model.Architecture().Width
	if p.readout.Weights != nil {
		channels *= p.readout.Weights.States
	}
	p.calibration, err = calibration.Read(calibration.Path(run, p.Subject), p.Columns, channels)
	switch {
	case err == nil:
		copy(p.ValidationR, p.calibration.R)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case p.training:
		return fault.New(fault.Usage, rundir.OpenPredictor, run,
			"the run does not keep the statistics of its training stories").
			WithHint("resume it with this version, or standardise clips by their own statistics")
	}
	return p.readCeiling(run)
}

// readCeiling reads the noise ceilings that an evaluation leaves. A ceiling of 0 is none: its voxel shows no signal.
func (p *Predictor) readCeiling(run string) error {
	path := filepath.Join(run, "eval", "test", p.Subject, "ceiling.npy")
	m, err := npy.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var all []float32
	if err == nil {
		all, err = m.Float32()
	}
	if err != nil {
		return err
	}
	for i, c := range p.Columns {
		if c >= len(all) {
			return fault.New(fault.BadData, rundir.OpenPredictor, path, "%d voxels, the readout has voxel %d", len(all),
				c).WithHint("evaluate the run again")
		}
		if v := float64(all[c]); v > 0 && v <= 1 {
			p.Ceiling[i] = v
		}
	}
	return nil
}

func unknown(n int) []float64 { return slices.Repeat([]float64{math.NaN()}, n) }

// standardised returns the features of a clip at its rows, not delayed, from vectors of the i-th hidden state.
func (p *Predictor) standardised(d *design.StoryDesign, x []float32, i int) []float32 {
	channels := p.model.Model.Architecture().Width
	if !p.training {
		rows, _ := d.Undelayed(x, channels)
		return rows
	}
	return p.statistics(i, channels).Apply(d.Resample(x, channels))
}

// statistics returns those of the training stories of the i-th hidden state.
func (p *Predictor) statistics(i, channels int) design.ZScore {
	z := p.calibration.Statistics
	return design.ZScore{Mean: z.Mean[i*channels:][:channels], SD: z.SD[i*channels:][:channels]}
}

// Interval returns the bounds (rows, voxels) between which the responses to a clip lie with the probability of a level,
// one of Levels: a line of the prediction, less and plus a quantile of the residuals on the validation rows of the run.
// They are of one presentation of the clip, if those of the validation rows were, and in the units of the responses.
// Bounds are NaN where the validation rows are too few for the level, and where the run keeps no residuals: see
// Calibrated. The method and its caveats are in docs/outputs.md.
func (p *Predictor) Interval(of *Prediction, level float64) (lower, upper []float32, err error) {
	l := slices.Index(calibration.Levels, level)
	if l < 0 {
		return nil, nil, fault.New(fault.Usage, rundir.Predicting, "", "there are no intervals of level %g", level).
			WithHint("choose one of %v", calibration.Levels)
	}
	if of.Voxels != p.Voxels() {
		return nil, nil, fault.New(fault.Usage, rundir.Predicting, "", "a prediction of %d voxels, the readout has %d",
			of.Voxels, p.Voxels())
	}
	lower, upper = make([]float32, len(of.Values)), make([]float32, len(of.Values))
	if p.calibration == nil {
		for i := range lower {
			lower[i], upper[i] = float32(math.NaN()), float32(math.NaN())
		}
		return lower, upper, nil
	}
	c := p.calibration.Clip
	if p.training {
		c = p.calibration.Training
	}
	for i, x := range of.Values {
		v := i % of.Voxels
		middle, half := c.Intercept[v]+c.Slope[v]*float64(x), c.Half[l*of.Voxels+v]
		lower[i], upper[i] = float32(middle-half), float32(middle+half)
	}
	return lower, upper, nil
}

// Calibrated reports whether the run keeps residuals of its validation rows. Runs of earlier versions do not.
func (p *Predictor) Calibrated() bool { return p.calibration != nil }
