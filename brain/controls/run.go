package controls

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/align"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/probe"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// Names are all controls, in the order in which they are done; "tuned" is the run itself.
var Names = []string{"tuned", "best_layer", "random_adapter", "envelope", "spectrum", "word_rate", "word_rate_position",
	"autocorrelation", "motion", "shuffled", "phase_randomised", "wrong_story", "other_person", "stimulus", "word_vectors"}

// Options say which controls to do. The zero value does all.
type Options struct {
	Only, Skip []string
	Glove      string // word vectors, as for [probe.LoadVectors]; "": word_vectors is left out
}

// Report is what [Run] found, as bwlm controls --json prints it.
type Report struct {
	Schema   int                 `json:"schema"`
	Rows     int                 `json:"rows"`
	Subjects []string            `json:"subjects"`
	Base     brain.System        `json:"base"`
	Controls map[string]*Control `json:"controls"`
}

// Control is the outcome of one.
type Control struct {
	Skipped string             `json:"skipped,omitempty"` // why there is no outcome
	MeanR   float64            `json:"mean_r"`
	ROIs    map[string]float64 `json:"rois,omitempty"`
	Gain    *brain.Delta       `json:"gain,omitempty"` // over base
	Epoch   *int               `json:"chosen_epoch,omitempty"`
}

// runner is a Run in progress.
type runner struct {
	study    *brain.Study
	run      *brain.Run
	opt      Options
	baseline *brain.Baseline // made when it is needed
}

// Run does the controls of a finished run and leaves each in controls/NAME of its directory. What is there is read.
func Run(ctx context.Context, st *brain.Study, run *brain.Run, opt Options) (*Report, error) {
	for _, name := range slices.Concat(opt.Only, opt.Skip) {
		if !slices.Contains(Names, name) {
			return nil, fault.New(fault.Usage, "controls", name, "there is no such control").Advise("name some of %s", strings.Join(Names, ", "))
		}
	}
	c := &runner{study: st, run: run, opt: opt}
	out := &Report{Schema: 1, Subjects: st.People(), Controls: map[string]*Control{}}
	for _, name := range Names {
		if len(opt.Only) > 0 && !slices.Contains(opt.Only, name) || slices.Contains(opt.Skip, name) {
			continue
		}
		s, skipped, err := c.one(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("control %s: %w", name, err)
		}
		if skipped != "" {
			out.Controls[name] = &Control{Skipped: skipped}
			continue
		}
		t := s.Test
		out.Rows, out.Base = t.Rows, t.Base
		out.Controls[name] = &Control{MeanR: t.Tuned.MeanR, ROIs: t.Tuned.ROIs, Gain: t.Delta}
		if s.Epochs != nil {
			out.Controls[name].Epoch = &s.Chosen
		}
	}
	return out, nil
}

// one gives the scores of a control, from its directory if they are there, or why there are none.
func (c *runner) one(ctx context.Context, name string) (s *brain.Summary, skipped string, err error) {
	file := filepath.Join(c.dir(name), "eval", "summary.json")
	if text, err := os.ReadFile(file); err == nil {
		s = &brain.Summary{}
		if err := json.Unmarshal(text, s); err != nil || s.Test.Tuned == nil || s.Test.Delta == nil {
			return nil, "", fault.New(fault.BadData, "controls", file, "is no summary of a control").Advise("remove %s to do it again", c.dir(name))
		}
		return s, "", nil
	}
	if skipped, err = c.why(name); skipped != "" || err != nil {
		return nil, skipped, err
	}
	if c.baseline == nil {
		if c.baseline, err = c.study.Baseline(ctx); err != nil {
			return nil, "", err
		}
	}
	e, err := c.evaluate(ctx, name)
	if err != nil {
		return nil, "", err
	}
	return e.Summary, "", e.Write(filepath.Dir(file))
}

func (c *runner) dir(name string) string { return filepath.Join(c.run.Dir, "controls", name) }

// why says why a control cannot be done; "" if it can.
func (c *runner) why(name string) (string, error) {
	mode := c.study.Experiment.Train.Mode
	switch name {
	case "tuned":
		if mode == "readout" {
			return "the run tuned readouts only", nil
		}
	case "random_adapter":
		if mode != "lora" {
			return "the run has no adapter", nil
		}
	case "motion":
		for _, p := range c.study.People() {
			for _, story := range c.study.Data.StoriesOf(p) {
				if stories, _ := c.study.StoryRows(); slices.Contains(stories, story) && !c.study.Data.HasMotion(p, story) {
					return fmt.Sprintf("the data set has no motion of %s in story %s", p, story), nil
				}
			}
		}
	case "shuffled", "phase_randomised", "stimulus":
		return c.tunes()
	case "wrong_story":
		for _, p := range c.study.People() {
			if len(c.tuningStories(p)) < 2 {
				return fmt.Sprintf("%s has one story in training and validation, so there is no other to take", p), nil
			}
		}
		return c.tunes()
	case "other_person":
		if len(c.others()) == 0 {
			return "everybody in the data set who heard all stories is in the experiment", nil
		}
		return c.tunes()
	case "word_rate", "word_rate_position", "word_vectors":
		if story, err := wordless(c.study); story != "" || err != nil {
			return fmt.Sprintf("story %s has no words", story), err
		}
		if name == "word_vectors" && c.opt.Glove == "" {
			return "no word vectors were given (--glove)", nil
		}
	}
	if name == "word_vectors" {
		return c.tunes()
	}
	return "", nil
}

// tunes says why nothing could be tuned otherwise.
func (c *runner) tunes() (string, error) {
	if c.study.Experiment.Train.Mode == "readout" {
		return "the run tuned readouts only", nil
	}
	return "", nil
}

// evaluate does a control.
func (c *runner) evaluate(ctx context.Context, name string) (*brain.Evaluation, error) {
	_, rows := c.study.StoryRows()
	regress := func(of func(story string, rows int) ([]float32, int, error)) (*brain.Evaluation, error) {
		return c.baseline.Control(ctx, name, func(_ context.Context, _, story string) ([]float32, int, error) { return of(story, rows[story]) })
	}
	data := c.study.Data
	switch name {
	case "tuned":
		t, err := c.study.LoadTuned(ctx, c.run)
		return c.compare(ctx, t, err)
	case "best_layer":
		return c.baseline.BestLayer(ctx)
	case "random_adapter":
		t, err := c.study.RandomAdapter(ctx, filepath.Join(c.run.Dir, "adapter"), filepath.Join(c.dir(name), "adapter"), c.seed(name))
		return c.compare(ctx, t, err)
	case "spectrum":
		return regress(func(story string, rows int) ([]float32, int, error) { return sound(ctx, data, story, rows) })
	case "envelope":
		return regress(func(story string, rows int) ([]float32, int, error) { return firstOf(sound(ctx, data, story, rows)) })
	case "word_rate":
		return regress(func(story string, rows int) ([]float32, int, error) {
			return firstOf(wordRatePosition(ctx, data, story, rows))
		})
	case "word_rate_position":
		return regress(func(story string, rows int) ([]float32, int, error) { return wordRatePosition(ctx, data, story, rows) })
	case "motion":
		delays, err := align.Delays(c.study.Experiment.Readout.DelaysSeconds, data.TR())
		if err != nil {
			return nil, err
		}
		return c.baseline.Control(ctx, name, func(ctx context.Context, person, story string) ([]float32, int, error) {
			return moved(ctx, data, person, story, rows[story], slices.Min(delays))
		})
	case "autocorrelation":
		return regress(func(_ string, rows int) ([]float32, int, error) { return smooth(rows) })
	}
	exp := *c.study.Experiment
	exp.Out = c.dir(name)
	spec, err := c.material(ctx, name, &exp)
	if err != nil {
		return nil, err
	}
	return c.tune(ctx, &exp, spec)
}

func (c *runner) compare(ctx context.Context, t *brain.Tuned, err error) (*brain.Evaluation, error) {
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return c.baseline.Compare(ctx, t)
}

// material is what a control is tuned on: the data set with other responses, and the changes to the experiment that this
// needs. Responses are as the study uses them, so they are not prepared again.
func (c *runner) material(ctx context.Context, name string, exp *experiment.Experiment) (dataset.Spec, error) {
	spec := c.study.Data.Spec()
	if name == "other_person" {
		exp.Data.Subjects = c.others()
		return spec, nil
	}
	exp.Data.Path = filepath.Join(exp.Out, "in memory") // which no command can open by mistake
	exp.Data.Detrend, exp.Data.ZScore = "none", "none"
	spec.Subjects, spec.Derived = nil, nil
	r := rand.New(rand.NewPCG(c.seed(name), 0))
	for _, p := range c.study.People() {
		answers := c.study.Answers(p)
		switch name {
		case "shuffled":
			c.change(p, answers, func(x []float32, rows, width int) []float32 { return shuffle(x, rows, width, r) })
		case "phase_randomised":
			c.change(p, answers, func(x []float32, rows, width int) []float32 { return randomisePhases(x, rows, width, r) })
		case "wrong_story":
			c.swap(p, answers)
		default: // responses give way to features
			return c.features(ctx, name, exp, spec)
		}
		spec.Subjects = append(spec.Subjects, subject(p, c.study.Data.Stories(), answers))
	}
	exp.Data.Subjects = c.study.People()
	for i, roi := range spec.ROIs { // of people who are not there any more
		spec.ROIs[i].BySubject = slices.DeleteFunc(slices.Clone(roi.BySubject), func(s dataset.SubjectRegion) bool {
			return !slices.Contains(exp.Data.Subjects, s.Subject)
		})
	}
	return spec, nil
}

// change replaces a person's responses in the rows of each part of training and validation.
func (c *runner) change(person string, answers map[string]*dataset.Matrix, fn func(x []float32, rows, width int) []float32) {
	copied := map[string]bool{}
	for _, split := range []brain.Split{brain.Train, brain.Val} {
		for _, part := range c.study.Rows(person, split) {
			m := answers[part.Story]
			if !copied[part.Story] {
				m.Data, copied[part.Story] = slices.Clone(m.Data), true
			}
			x := m.Data[part.From*m.Voxels : part.To*m.Voxels]
			copy(x, fn(slices.Clone(x), part.To-part.From, m.Voxels))
		}
	}
}

// swap gives each part of training and validation the responses to the part of another story: those of the next story
// in turn.
func (c *runner) swap(person string, answers map[string]*dataset.Matrix) {
	stories := c.tuningStories(person)
	pieces := map[string][]float32{}
	for _, split := range []brain.Split{brain.Train, brain.Val} {
		for _, part := range c.study.Rows(person, split) {
			m := answers[part.Story]
			pieces[part.Story] = append(pieces[part.Story], m.Data[part.From*m.Voxels:part.To*m.Voxels]...)
		}
	}
	at := map[string]int{} // rows of each story that are filled
	for _, split := range []brain.Split{brain.Train, brain.Val} {
		for _, part := range c.study.Rows(person, split) {
			m := answers[part.Story]
			if at[part.Story] == 0 {
				m.Data = slices.Clone(m.Data)
			}
			next := stories[(slices.Index(stories, part.Story)+1)%len(stories)]
			rows := part.To - part.From
			x := stretch(pieces[next], m.Voxels, at[part.Story]+rows)
			copy(m.Data[part.From*m.Voxels:part.To*m.Voxels], x[at[part.Story]*m.Voxels:])
			at[part.Story] += rows
		}
	}
}

// tuningStories are the stories of which a person has rows in training or validation.
func (c *runner) tuningStories(person string) (stories []string) {
	for _, split := range []brain.Split{brain.Train, brain.Val} {
		for _, part := range c.study.Rows(person, split) {
			if !slices.Contains(stories, part.Story) {
				stories = append(stories, part.Story)
			}
		}
	}
	return stories
}

// stimulus is the name of the "person" who answers with features of the stimulus.
const stimulus = "stimulus"

// features makes a person of the stimulus, who answers one row late: the readout needs a delay, and gets that alone.
func (c *runner) features(ctx context.Context, name string, exp *experiment.Experiment, spec dataset.Spec) (dataset.Spec, error) {
	var vectors *probe.Vectors
	if name == "word_vectors" {
		var err error
		if vectors, err = heardVectors(ctx, c.study, c.opt.Glove); err != nil {
			return spec, err
		}
	}
	stories, rows := c.study.StoryRows()
	answers := map[string]*dataset.Matrix{}
	for _, story := range stories {
		var x []float32
		var width int
		var err error
		if vectors != nil {
			x, width, err = meanings(ctx, c.study.Data, story, rows[story], vectors)
		} else {
			x, width, err = sound(ctx, c.study.Data, story, rows[story])
		}
		if err != nil {
			return spec, err
		}
		late := append(slices.Clone(x[:width]), x[:len(x)-width]...)
		answers[story] = dataset.NewMatrix(rows[story], width, late)
	}
	spec.Subjects = []dataset.Subject{subject(stimulus, stories, answers)}
	spec.ROIs = nil
	exp.Data.Subjects, exp.Data.ROI, exp.Data.ZScore = []string{stimulus}, nil, "story"
	exp.Train.Loss, exp.Readout.DelaysSeconds = "auto", []float64{c.study.Data.TR()}
	return spec, nil
}

// subject is a person with responses in memory.
func subject(name string, stories []string, answers map[string]*dataset.Matrix) dataset.Subject {
	s := dataset.Subject{Name: name}
	for _, story := range stories {
		if m := answers[story]; m != nil {
			s.Responses = append(s.Responses, dataset.Response{Story: story, Matrix: dataset.Value(m)})
		}
	}
	return s
}

// others are as many people outside the experiment as there are in it, or fewer, who heard all that is heard in it.
func (c *runner) others() (names []string) {
	in := c.study.People()
	stories, _ := c.study.StoryRows()
	for _, name := range c.study.Data.People() {
		heard := c.study.Data.StoriesOf(name)
		all := !slices.ContainsFunc(stories, func(s string) bool { return !slices.Contains(heard, s) })
		if all && !slices.Contains(in, name) && len(names) < len(in) {
			names = append(names, name)
		}
	}
	return names
}

// tune trains a control in its own run directory, or goes on with it, and scores what came out on the true responses.
func (c *runner) tune(ctx context.Context, exp *experiment.Experiment, spec dataset.Spec) (*brain.Evaluation, error) {
	data, err := dataset.New(spec)
	if err != nil {
		return nil, err
	}
	v, err := c.study.VaryData(ctx, exp, data)
	if err != nil {
		return nil, err
	}
	open := func() (*brain.Run, error) { return v.Begin(ctx) }
	if _, err := os.Stat(filepath.Join(exp.Out, "config.yaml")); err == nil {
		open = func() (*brain.Run, error) { return brain.OpenRun(exp.Out) }
	}
	run, err := open()
	if err != nil {
		return nil, err
	}
	defer run.Close()
	p, err := v.Fit(ctx, run)
	if err != nil {
		return nil, err
	}
	t, err := c.study.LoadTuned(ctx, run)
	e, err := c.compare(ctx, t, err)
	if err == nil {
		e.Summary.Epochs, e.Summary.Chosen = p.Epochs, p.Epochs[p.Best].Epoch
	}
	return e, err
}

// seed is a control's own.
func (c *runner) seed(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return torch.Seed(c.study.Experiment.Train.Seed, h.Sum64())
}
