package windows

import (
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
)

// Stimulus is a story as the speech model hears it: its waveform, the windows in it, and the weights that carry the
// windows' features to rows.
type Stimulus struct {
	Name       string
	Rows       int
	Samples    []float32
	Windows    []design.Window
	Clips      []Clip          // that own them
	Groups     []design.Rows   // of clips, in which what is frozen is computed
	Shared     bool            // clips own several windows
	Weights    *design.Weights // (rows, windows)
	Training   *design.Weights // the same, but as compat wants it while tuning
	Statistics []design.Rows   // rows behind the z-score of features
}

// Own finds the clips of the windows.
func (st *Stimulus) Own(m experiment.Model) {
	if st.Shared = m.Extraction == experiment.ExtractChunks; st.Shared {
		st.Clips = BlockClips(st.Windows, len(st.Samples), SamplesOf(m.ChunkSeconds), SamplesOf(m.WindowSeconds))
	} else {
		st.Clips = ownClips(st.Windows)
	}
	st.Groups = Groups(st.Clips)
}

// Cut cuts the waveform of a story into windows and finds the weights that carry them to its rows.
func Cut(exp *experiment.Experiment, clock design.Clock, story string, samples []float32, rows int) (*Stimulus, error) {
	if exp.Compat.TimesAtTRStarts {
		clock.RowTime = 0
	}
	st := &Stimulus{Name: story, Rows: rows, Samples: samples}
	st.Windows = design.Windows(len(samples), dataset.SampleRate, exp.Model.WindowSeconds, exp.Model.StrideSeconds)
	if len(st.Windows) == 0 {
		return nil, fault.New(fault.BadData, "cut windows", story, "%.3g s of audio give no window of %g s every %g s",
			float64(len(samples))/dataset.SampleRate, exp.Model.WindowSeconds, exp.Model.StrideSeconds)
	}
	st.Own(exp.Model)
	times, ends := clock.Times(0, rows), design.FeatureTimes(st.Windows)
	if exp.Model.Downsample == experiment.DownsampleAverage {
		st.Weights = design.Average(times, ends, clock.TR, clock.RowTime)
		st.Training = st.Weights
		return st, nil
	}
	opt := design.LanczosOptions{Cutoff: 1 / clock.TR}
	st.Weights = design.Lanczos(times, ends, opt)
	st.Training = st.Weights
	if opt.ClipNegative = exp.Compat.ClipLanczos; opt.ClipNegative {
		st.Training = design.Lanczos(times, ends, opt)
	}
	return st, nil
}
