package study

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// Vary returns a study of another experiment on the same data and model. Both share the front end's
// output, so their windows and normalisation must be equal. It is valid until st is closed.
func (st *Study) Vary(ctx context.Context, exp *experiment.Experiment) (*Study, error) {
	return st.VaryData(ctx, exp, st.Data)
}

// VaryData is Vary with other responses: data must have the same audio under the same names of stories.
func (st *Study) VaryData(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset) (*Study, error) {
	exp, data, err := designed(exp, data)
	if err != nil {
		return nil, err
	}
	if !sameClips(st.Data, data) {
		return nil, fault.New(fault.Usage, "vary study", "data", "the splits of clips differ from those of the study")
	}
	a, b := st.Experiment.Model, exp.Model
	if a.WindowSeconds != b.WindowSeconds || a.StrideSeconds != b.StrideSeconds || a.Normalise != b.Normalise ||
		windows.ClipLength(a) != windows.ClipLength(b) {
		return nil, fault.New(fault.Usage, "vary study", "model",
			"windows differ: %g s every %g s against %g s every %g s",
			b.WindowSeconds, b.StrideSeconds, a.WindowSeconds, a.StrideSeconds)
	}
	if !slices.Equal(a.ClipWindow, b.ClipWindow) {
		return nil, fault.New(fault.Usage, "vary study", "model", "clip_window %v, the study's is %v", b.ClipWindow,
			a.ClipWindow)
	}
	if a.Context != b.Context {
		return nil, fault.New(fault.Usage, "vary study", "model", "context %s, the study's model has %s", b.Context,
			a.Context)
	}
	v := &Study{Experiment: exp, Data: data, Model: st.Model, Options: st.Options, Frozen: st.Frozen,
		waves: st.waves, sounds: st.sounds, disk: st.disk, clips: st.clips, ridgeBytes: st.ridgeBytes}
	v.Notes = append(v.Notes, st.Model.Notes()...)
	err = v.prepare(ctx)
	v.opened = true
	return v, err
}

// sameClips reports whether the rows of two data sets are the same clips, or none are clips.
func sameClips(a, b *dataset.Dataset) bool {
	return slices.EqualFunc(a.Events(), b.Events(), func(x, y dataset.Event) bool { return x.Name == y.Name })
}

// StartOrResume creates the run directory of the study, or opens an existing one of the same experiment.
func (st *Study) StartOrResume(ctx context.Context) (*rundir.Run, error) {
	if _, err := os.Lstat(filepath.Join(st.Experiment.Out, rundir.ConfigFile)); errors.Is(err, fs.ErrNotExist) {
		return st.Begin(ctx)
	}
	run, err := rundir.Open(st.Experiment.Out)
	if err != nil {
		return nil, err
	}
	if err := st.made(run); err != nil {
		run.Close()
		return nil, err
	}
	return run, nil
}

// made returns an error unless a run is of this study's experiment.
func (st *Study) made(run *rundir.Run) error {
	var now bytes.Buffer
	if err := st.Experiment.Write(&now); err != nil {
		return err
	}
	then, err := run.Config()
	if err != nil {
		return err
	}
	if !bytes.Equal(then, now.Bytes()) {
		return fault.New(fault.Exists, "open run", run.Dir, "was made by another experiment than this file").
			WithHint("name the run itself, or choose another out")
	}
	return nil
}

// SubjectNames returns the names of the subjects of the study.
func (st *Study) SubjectNames() (names []string) {
	for _, p := range st.Subjects {
		names = append(names, p.Name)
	}
	return names
}

// Rows returns a subject's rows of a split.
func (st *Study) Rows(subject string, split Split) []design.Rows {
	for _, p := range st.Subjects {
		if p.Name == subject {
			return p.Parts[split]
		}
	}
	return nil
}

// ReadResponses returns all responses of a subject in memory by story, as the study uses them: without drift,
// standardised, the mean over repeats.
func (st *Study) ReadResponses(ctx context.Context, subject string) (map[string]*dataset.Matrix, error) {
	out := map[string]*dataset.Matrix{}
	for _, p := range st.Subjects {
		if p.Name != subject {
			continue
		}
		for _, story := range p.Responses.Stories() {
			rows := p.Responses.Rows(story)
			x, err := p.Read(ctx, nil, design.Rows{Story: story, To: rows})
			if err != nil {
				return nil, err
			}
			out[story] = dataset.NewMatrix(rows, p.Voxels, x)
		}
	}
	return out, nil
}

// StoryRows returns the stories of the study with their numbers of rows, in the data set's order.
func (st *Study) StoryRows() (stories []string, rows map[string]int) {
	rows = map[string]int{}
	for _, story := range st.Stories {
		rows[story] = st.Stimuli[story].Rows
	}
	return st.Stories, rows
}
