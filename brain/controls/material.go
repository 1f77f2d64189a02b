package controls

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/probing"
)

// tuningData returns the data set that a control is tuned on, with other responses, and changes the
// experiment accordingly. The responses are already detrended and z-scored.
func (c *runner) tuningData(ctx context.Context, name string, exp *experiment.Experiment) (dataset.Spec, error) {
	spec := c.study.Data.Spec()
	if name == "other_subject" {
		exp.Data.Subjects = c.others()
		return spec, nil
	}
	exp.Data.Path = filepath.Join(exp.Out, "in memory") // a path that cannot be opened by mistake
	exp.Data.Detrend, exp.Data.ZScore = "none", "none"
	spec.Subjects, spec.Derived = nil, nil
	r := rand.New(rand.NewPCG(c.seed(name), 0))
	for _, p := range c.study.SubjectNames() {
		answers, err := c.study.ReadResponses(ctx, p)
		if err != nil {
			return spec, err
		}
		switch name {
		case "shuffled":
			c.change(p, answers, func(x []float32, rows, width int) []float32 { return shuffle(x, rows, width, r) })
		case "phase_randomised":
			c.change(p, answers, func(x []float32, rows, width int) []float32 {
				return randomisePhases(x, rows, width, r)
			})
		case "wrong_story":
			c.swap(p, answers)
		default: // features replace the responses
			return c.features(ctx, name, exp, spec)
		}
		spec.Subjects = append(spec.Subjects, subjectOf(p, c.study.Data.Stories(), answers))
	}
	exp.Data.Subjects = c.study.SubjectNames()
	for i, roi := range spec.ROIs { // without the subjects that are left out
		spec.ROIs[i].BySubject = slices.DeleteFunc(slices.Clone(roi.BySubject), func(s dataset.SubjectRegion) bool {
			return !slices.Contains(exp.Data.Subjects, s.Subject)
		})
	}
	spec.ROIs = slices.DeleteFunc(spec.ROIs, func(roi dataset.ROI) bool {
		return roi.Region.Absent() && len(roi.BySubject) == 0
	})
	return spec, nil
}

// change replaces a subject's responses in each part of training and validation.
func (c *runner) change(subject string, answers map[string]*dataset.Matrix,
	fn func(x []float32, rows, width int) []float32) {
	copied := map[string]bool{}
	for _, split := range []study.Split{study.Train, study.Val} {
		for _, part := range c.study.Rows(subject, split) {
			m := answers[part.Story]
			if !copied[part.Story] {
				m.Data, copied[part.Story] = slices.Clone(m.Data), true
			}
			x := m.Data[part.From*m.Voxels : part.To*m.Voxels]
			copy(x, fn(slices.Clone(x), part.To-part.From, m.Voxels))
		}
	}
}

// swap replaces the responses in each part of training and validation by those to the next story.
func (c *runner) swap(subject string, answers map[string]*dataset.Matrix) {
	stories := c.tuningStories(subject)
	pieces := map[string][]float32{}
	for _, split := range []study.Split{study.Train, study.Val} {
		for _, part := range c.study.Rows(subject, split) {
			m := answers[part.Story]
			pieces[part.Story] = append(pieces[part.Story], m.Data[part.From*m.Voxels:part.To*m.Voxels]...)
		}
	}
	at := map[string]int{} // rows of each story that are replaced
	for _, split := range []study.Split{study.Train, study.Val} {
		for _, part := range c.study.Rows(subject, split) {
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

// tuningStories returns the stories of which a subject has rows in training or validation.
func (c *runner) tuningStories(subject string) (stories []string) {
	for _, split := range []study.Split{study.Train, study.Val} {
		for _, part := range c.study.Rows(subject, split) {
			if !slices.Contains(stories, part.Story) {
				stories = append(stories, part.Story)
			}
		}
	}
	return stories
}

// stimulus is the name of the subject whose responses are features of the stimulus.
const stimulus = "stimulus"

// features returns a data set with one subject whose responses are features of the stimulus, one
// row late. The readout needs a delay, and one row is its only one.
func (c *runner) features(ctx context.Context, name string, exp *experiment.Experiment,
	spec dataset.Spec) (dataset.Spec, error) {
	var vectors *probing.Vectors
	if name == "word_vectors" {
		var err error
		if vectors, err = loadVectors(ctx, c.study, c.opt.Glove); err != nil {
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
			x, width, err = wordVectors(ctx, c.study.Data, story, rows[story], vectors)
		} else {
			x, width, err = sound(ctx, c.study.Data, story, rows[story])
		}
		if err != nil {
			return spec, err
		}
		late := append(slices.Clone(x[:width]), x[:len(x)-width]...)
		answers[story] = dataset.NewMatrix(rows[story], width, late)
	}
	spec.Subjects = []dataset.Subject{subjectOf(stimulus, stories, answers)}
	spec.ROIs = nil
	exp.Data.Subjects, exp.Data.ROI, exp.Data.ZScore = []string{stimulus}, nil, "story"
	exp.Train.Loss, exp.Readout.DelaysSeconds = "auto", []float64{c.study.Data.TR()}
	return spec, nil
}

// subjectOf returns a subject with responses in memory.
func subjectOf(name string, stories []string, answers map[string]*dataset.Matrix) dataset.Subject {
	s := dataset.Subject{Name: name}
	for _, story := range stories {
		if m := answers[story]; m != nil {
			s.Responses = append(s.Responses, dataset.Response{Story: story, Matrix: dataset.Value(m)})
		}
	}
	return s
}

// others returns subjects outside the experiment who have all its stories, at most as many as the
// experiment has.
func (c *runner) others() (names []string) {
	in := c.study.SubjectNames()
	stories, _ := c.study.StoryRows()
	for _, name := range c.study.Data.SubjectNames() {
		heard := c.study.Data.StoriesOf(name)
		all := !slices.ContainsFunc(stories, func(s string) bool { return !slices.Contains(heard, s) })
		if all && !slices.Contains(in, name) && len(names) < len(in) {
			names = append(names, name)
		}
	}
	return names
}
