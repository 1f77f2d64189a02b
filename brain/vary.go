package brain

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
)

// Vary makes a study of another experiment on the same data and model. The two share the front end's output, so the
// windows and their normalisation must be the same. It ends with st.
func (st *Study) Vary(ctx context.Context, exp *experiment.Experiment) (*Study, error) {
	return st.VaryData(ctx, exp, st.Data)
}

// VaryData is Vary with other responses: data must have the same audio under the same names of stories.
func (st *Study) VaryData(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset) (*Study, error) {
	a, b := st.Experiment.Model, exp.Model
	if a.WindowSeconds != b.WindowSeconds || a.StrideSeconds != b.StrideSeconds || a.Normalise != b.Normalise || clipLength(a) != clipLength(b) {
		return nil, fault.New(fault.Usage, "vary study", "model", "windows differ: %g s every %g s against %g s every %g s",
			b.WindowSeconds, b.StrideSeconds, a.WindowSeconds, a.StrideSeconds)
	}
	v := &Study{Experiment: exp, Data: data, Model: st.Model, opt: st.opt, frozen: st.frozen, waves: st.waves}
	v.Notes = append(v.Notes, st.Model.Notes...)
	return v, v.prepare(ctx)
}

// BeginOrGoOn begins the run of the study, or opens the one that is there, which must be of the same experiment.
func (st *Study) BeginOrGoOn(ctx context.Context) (*Run, error) {
	if _, err := os.Stat(filepath.Join(st.Experiment.Out, configFile)); errors.Is(err, fs.ErrNotExist) {
		return st.Begin(ctx)
	}
	run, err := OpenRun(st.Experiment.Out)
	if err != nil {
		return nil, err
	}
	if err := st.made(run); err != nil {
		run.Close()
		return nil, err
	}
	return run, nil
}

// made says whether a run is of this study's experiment: an error if not.
func (st *Study) made(run *Run) error {
	var now bytes.Buffer
	if err := st.Experiment.Write(&now); err != nil {
		return err
	}
	then, err := os.ReadFile(run.file(configFile))
	if err != nil {
		return fault.Wrap(fault.IO, "open run", run.file(configFile), err)
	}
	if !bytes.Equal(then, now.Bytes()) {
		return fault.New(fault.Exists, "open run", run.Dir, "was made by another experiment than this file").
			Advise("name the run itself, or choose another out")
	}
	return nil
}

// People are the names of the people of the study.
func (st *Study) People() (names []string) {
	for _, p := range st.people {
		names = append(names, p.name)
	}
	return names
}

// Rows are a person's rows of a split.
func (st *Study) Rows(person string, split Split) []design.Rows {
	for _, p := range st.people {
		if p.name == person {
			return p.parts[split]
		}
	}
	return nil
}

// Answers are a person's responses to the stories of the splits as the study uses them: without drift, standardised, the
// mean over repeats.
func (st *Study) Answers(person string) map[string]*dataset.Matrix {
	out := map[string]*dataset.Matrix{}
	for _, p := range st.people {
		if p.name != person {
			continue
		}
		for story, r := range p.responses {
			out[story] = dataset.NewMatrix(r.rows, p.voxels, r.data)
		}
	}
	return out
}

// StoryRows lists the stories that the study hears, in the data set's order, with the number of rows of each.
func (st *Study) StoryRows() (stories []string, rows map[string]int) {
	rows = map[string]int{}
	for _, story := range st.stories {
		rows[story] = st.stimuli[story].rows
	}
	return st.stories, rows
}

// RandomAdapter reads the adapter of a folder and replaces each pair by random numbers, so scaled that the norm of what
// it adds to its layer, ‖s·B·A‖, is as it was. It is written to another folder, in which it can be found again. The
// adapter of an untrained run adds nothing, which no scale can give back: that is a fault of kind BadData.
func (st *Study) RandomAdapter(ctx context.Context, from, to string, seed uint64) (*Tuned, error) {
	a, err := peft.Load(from)
	if err != nil {
		return nil, err
	}
	view, err := st.adapted(ctx, a, 0)
	if err == nil {
		mode := torch.Mode{Seed: seed, Device: st.Model.Session().Device}
		err = torch.Do(ctx, mode, func(s *torch.Scope) error { return randomise(s, a, from) })
	}
	if err == nil {
		if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
			err = replaceDir(to, a.SaveInto)
		}
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return &Tuned{view, a.Close}, nil
}

// randomise is what RandomAdapter does to the pairs.
func randomise(s *torch.Scope, a *peft.Adapter, where string) error {
	total := 0.
	for _, l := range a.Layers() {
		A, B := pair(a, l)
		if A == nil || B == nil {
			return fault.New(fault.BadData, "make a random adapter", where, "%s has no pair of low-rank matrices", l.Path)
		}
		want := productNorm(s, A, B)
		total += want
		A.CopyFrom(s.Normal(0, 1, A.Shape()...))
		B.CopyFrom(s.Normal(0, 1, B.Shape()...))
		B.CopyFrom(s.Use(B).Scale(want / productNorm(s, A, B)))
	}
	if total == 0 {
		return fault.New(fault.BadData, "make a random adapter", where, "the adapter adds nothing: validation chose the untuned model").
			Advise("train longer, or with another learning rate")
	}
	return nil
}

// pair is A (r, in) and B (out, r) of a layer; nil where the adapter's method has none.
func pair(a *peft.Adapter, l *peft.Adapted) (A, B *torch.Tensor) {
	return a.Store().Param(l.Name + ".lora_A.weight"), a.Store().Param(l.Name + ".lora_B.weight")
}

// productNorm is ‖B·A‖, in Float64. The scale of a pair does not change, so equal norms add equally much.
func productNorm(s *torch.Scope, A, B *torch.Tensor) float64 {
	return math.Sqrt(product(s, A, B).Square().Sum().Item())
}

func product(s *torch.Scope, A, B *torch.Tensor) *torch.Tensor {
	return s.Use(B).To(torch.Float64).MatMul(s.Use(A).To(torch.Float64)) // (out, in)
}
