package brain

import (
	"github.com/brainwavlm/bwlm/brain/align"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
)

// stimulus is a story as the speech model hears it: its waveform, the windows in it, and the weights that carry the
// windows' features to rows.
type stimulus struct {
	name       string
	rows       int
	samples    []float32
	windows    []align.Window
	clips      []clip         // that own them
	groups     []align.Rows   // of clips, in which what is frozen is computed
	shared     bool           // clips own several windows
	weights    *align.Weights // (rows, windows)
	training   *align.Weights // the same, but as compat wants it while tuning
	statistics []align.Rows   // rows behind the z-score of features
}

// own finds the clips of the windows.
func (st *stimulus) own(m experiment.Model) {
	if st.shared = m.Mode == "block"; st.shared {
		st.clips = blockClips(st.windows, len(st.samples), samplesOf(m.BlockSeconds), samplesOf(m.WindowSeconds))
	} else {
		st.clips = ownClips(st.windows)
	}
	st.groups = groups(st.clips)
}

// cut cuts the waveform of a story into windows and finds the weights that carry them to its rows.
func cut(exp *experiment.Experiment, clock align.Clock, story string, samples []float32, rows int) (*stimulus, error) {
	if exp.Compat.TimesAtTRStarts {
		clock.RowTime = 0
	}
	st := &stimulus{name: story, rows: rows, samples: samples}
	st.windows = align.Windows(len(samples), dataset.SampleRate, exp.Model.WindowSeconds, exp.Model.StrideSeconds)
	if len(st.windows) == 0 {
		return nil, fault.New(fault.BadData, "cut windows", story, "%.3g s of audio give no window of %g s every %g s",
			float64(len(samples))/dataset.SampleRate, exp.Model.WindowSeconds, exp.Model.StrideSeconds)
	}
	st.own(exp.Model)
	times, ends := clock.Times(0, rows), align.FeatureTimes(st.windows)
	if exp.Model.Downsample == "average" {
		st.weights = align.Average(times, ends, clock.TR, clock.RowTime)
		st.training = st.weights
		return st, nil
	}
	opt := align.LanczosOptions{Cutoff: 1 / clock.TR}
	st.weights = align.Lanczos(times, ends, opt)
	st.training = st.weights
	if opt.ClipNegative = exp.Compat.ClipLanczos; opt.ClipNegative {
		st.training = align.Lanczos(times, ends, opt)
	}
	return st, nil
}
