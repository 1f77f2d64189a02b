package windows

import (
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/speech"
)

// Stimulus is the waveform of a story, the windows in it, and the design that turns their vectors into rows.
type Stimulus struct {
	Name    string
	Rows    int
	Samples Wave
	Windows []design.Window
	Clips   []Clip        // each window belongs to one
	Groups  []design.Rows // of clips: activations of frozen layers are computed group by group
	Shared  bool          // clips hold several windows
	Design  *design.StoryDesign
	Tuning  *design.StoryDesign // the design while tuning: Design, unless compat.clip_lanczos

	passes []int // samples of the clips that a pass is over; nil: windows are not read from whole clips
}

// Own assigns the windows to clips.
func (st *Stimulus) Own(m experiment.Model) {
	st.Shared = Shares(m)
	switch m.Extraction {
	case experiment.ExtractClip:
		st.Clips = wholeClips(st.Windows, m.ChunkSeconds, st.passes)
	case experiment.ExtractChunks:
		st.Clips = ChunkClips(st.Windows, st.Samples.Len(), SamplesOf(m.ChunkSeconds), SamplesOf(m.WindowSeconds))
	default:
		st.Clips = ownClips(st.Windows)
	}
	st.Groups = Groups(st.Clips)
}

// SetStatistics sets the rows whose mean and SD standardise the columns of the design matrix.
func (st *Stimulus) SetStatistics(rows []design.Rows) {
	st.Design.Statistics, st.Tuning.Statistics = rows, rows
}

// BOLD returns the design of stories of an experiment.
func BOLD(exp *experiment.Experiment, delays []int) design.BOLD {
	return design.BOLD{Average: exp.Model.Downsample == experiment.DownsampleAverage, Delays: delays,
		Window: exp.Model.WindowSeconds, Stride: exp.Model.StrideSeconds}
}

// Cut cuts the waveform of a story with the given number of rows into the windows of a design.
func Cut(exp *experiment.Experiment, d design.Design, clock design.Clock, story string, samples Wave,
	rows int) (*Stimulus, error) {
	if exp.Compat.TimesAtTRStarts {
		clock.RowTime = 0
	}
	st := &Stimulus{Name: story, Rows: rows, Samples: samples}
	var err error
	if st.Windows, err = d.Windows(clock, rows, samples.Len(), speech.SampleRate); err != nil {
		return nil, fault.New(fault.BadData, "cut windows", story, "%v", err)
	}
	if bins, ok := d.(design.Series); ok && bins.Pass {
		st.passes = bins.Clips
	}
	st.Own(exp.Model)
	times := design.FeatureTimes(st.Windows)
	st.Design = d.Story(clock, rows, times)
	st.Tuning = st.Design
	if bold, ok := d.(design.BOLD); ok && exp.Compat.ClipLanczos && !bold.Average {
		bold.ClipNegative = true
		st.Tuning = bold.Story(clock, rows, times)
	}
	return st, nil
}
