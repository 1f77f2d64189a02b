package sim

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// TR is the seconds from one row to the next. A row stands for the end of its TR (row_time 1).
const TR = 2

// Options configures a simulated study. The zero value is the study of the demo; a 0 means the
// default in the comment of the field.
type Options struct {
	Seed uint64
	Null bool // all responses of all subjects are noise

	TuneStories  int // 28
	ValStories   int // 3
	TestStories  int // 8
	ProbeStories int // 4; without responses
	Rows         int // TRs of every story: 60
	TestRepeats  int // 5
	ValRepeats   int // 1
	Voxels       int // of each subject: 300; a third is auditory, a fifth noise, the rest semantic
	Peers        int // further subjects of the listener's kind: 0; the k-th has k voxels less
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&o.TuneStories, 28}, {&o.ValStories, 3}, {&o.TestStories, 8}, {&o.ProbeStories, 4},
		{&o.Rows, 60}, {&o.TestRepeats, 5}, {&o.ValRepeats, 1}, {&o.Voxels, 300},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return o
}

// of returns the options of one subject: the k-th peer has k voxels less.
func (o Options) of(subject string) Options {
	for k := range o.Peers {
		if subject == Peer(k+1) {
			o.Voxels -= k + 1
		}
	}
	return o
}

// names returns the names of the subjects.
func (o Options) names() []string {
	names := []string{Listener, Related, Unrelated}
	for k := range o.Peers {
		names = append(names, Peer(k+1))
	}
	return names
}

type region struct {
	name   string
	voxels int
}

func (o Options) regions() []region {
	auditory, silent := o.Voxels/3, o.Voxels/5
	return []region{{Auditory, auditory}, {Semantic, o.Voxels - auditory - silent}, {Noise, silent}}
}

// Study is a simulated study.
type Study struct {
	Options Options // with defaults filled in
	Lexicon *Lexicon
	Dataset *dataset.Dataset

	TuneStories, ValStories, TestStories, ProbeStories []string // names in Dataset

	Subjects []*Subject // Listener, Related, Unrelated, then peers

	stories []*stimulus
}

// stimulus is a story with its features.
type stimulus struct {
	*story
	spectrumZ        [][]float64 // (ticks, 9), each column with mean 0 and SD 1 over the tuning stories
	spectrum         [][]float64 // (ticks, 9), as measured
	planted, control [][]float64 // (ticks, 3)
}

// features are the stimulus features that drive the voxels of an ROI.
func (s *stimulus) features(region string, unrelated bool) [][]float64 {
	switch {
	case region == Auditory:
		return s.spectrumZ
	case unrelated:
		return s.control
	}
	return s.planted
}

// New simulates a study. The same options give the same study.
func New(opt Options) (*Study, error) {
	lex, err := LoadLexicon()
	if err != nil {
		return nil, err
	}
	s := &Study{Options: opt.withDefaults(), Lexicon: lex}
	s.TuneStories = s.compose("tune", roleTune, s.Options.TuneStories)
	s.ValStories = s.compose("val", roleTune, s.Options.ValStories)
	s.TestStories = s.compose("test", roleTest, s.Options.TestStories)
	s.ProbeStories = s.compose("probe", roleProbe, s.Options.ProbeStories)
	s.computeFeatures()
	for _, name := range s.Options.names() {
		p := newSubject(name, s.Options.of(name))
		p.simulateSignals(s.stories)
		s.Subjects = append(s.Subjects, p)
	}
	s.Dataset, err = dataset.New(s.spec())
	return s, err
}

// Subject returns the truth about a subject by name; nil if there is none.
func (s *Study) Subject(name string) *Subject {
	for _, p := range s.Subjects {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// compose adds stories of a role and returns their names.
func (s *Study) compose(kind string, role role, count int) (names []string) {
	for i := range count {
		name := fmt.Sprintf("%s-%02d", kind, i+1)
		s.stories = append(s.stories, &stimulus{story: compose(s.Lexicon, name, role, s.Options.Rows, s.Options.Seed)})
		names = append(names, name)
	}
	return names
}

// computeFeatures computes the stimulus features of all stories.
func (s *Study) computeFeatures() {
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0)) // each holds a story's sound
	for _, story := range s.stories {
		work.Go(func() error {
			story.spectrum = spectrum(story.sound(s.Lexicon))
			story.planted = story.spread(s.Lexicon, lexicalNumbers,
				func(w int) []float64 { return s.Lexicon.Planted[w] })
			story.control = story.spread(s.Lexicon, lexicalNumbers,
				func(w int) []float64 { return s.Lexicon.Control[w] })
			return nil
		})
	}
	_ = work.Wait() // none of them fails
	var tuning [][]float64
	for _, story := range s.stories {
		if story.Role == roleTune {
			tuning = append(tuning, story.spectrum...)
		}
	}
	mean, sd := moments(tuning)
	for _, story := range s.stories {
		story.spectrumZ = make([][]float64, len(story.spectrum))
		for t, row := range story.spectrum {
			story.spectrumZ[t] = make([]float64, len(row))
			for j, x := range row {
				story.spectrumZ[t][j] = (x - mean[j]) / sd[j]
			}
		}
	}
}

// spec describes the study as a data set. Sound is rendered on demand: all of it would take 300 MB.
func (s *Study) spec() dataset.Spec {
	spec := dataset.Spec{
		Name: "simulated", Licence: "Apache-2.0; word components from GloVe 6B, PDDL 1.0",
		Citation: "simulated by bwlm: not a measurement", TR: TR, RowTime: 1,
	}
	for _, story := range s.stories {
		spec.Stories = append(spec.Stories, dataset.Story{
			Name: story.Name,
			Audio: dataset.Input[[]float32]{Load: func(ctx context.Context) ([]float32, error) {
				return story.sound(s.Lexicon), ctx.Err()
			}},
			Seconds: func(context.Context) (float64, error) {
				return float64(story.samples()) / dataset.SampleRate, nil
			},
			Words: dataset.Value(story.wordTimes(s.Lexicon)),
		})
	}
	for _, p := range s.Subjects {
		subject := dataset.Subject{Name: p.Name}
		for _, story := range s.stories {
			if story.Role == roleProbe {
				continue
			}
			repeats := 1
			switch {
			case story.Role == roleTest:
				repeats = s.Options.TestRepeats
			case slices.Contains(s.ValStories, story.Name):
				repeats = s.Options.ValRepeats
			}
			m := p.simulateResponses(story.story, repeats, s.Options.Seed)
			subject.Responses = append(subject.Responses, dataset.Response{Story: story.Name, Matrix: dataset.Value(m)})
		}
		spec.Subjects = append(spec.Subjects, subject)
	}
	spec.Derived = []dataset.Subject{s.shuffled(spec.Subjects[0])}
	if s.Options.Peers > 0 {
		for _, subject := range spec.Subjects[1:] {
			spec.Derived = append(spec.Derived, s.shuffled(subject))
		}
	}
	for _, r := range s.Options.regions() {
		roi := dataset.ROI{Name: r.name}
		if s.Options.Peers == 0 { // all have the same columns
			roi.Region = dataset.Value(dataset.Region{Columns: s.Subjects[0].Columns(r.name)})
		} else {
			for _, p := range s.Subjects {
				region := dataset.Value(dataset.Region{Columns: p.Columns(r.name)})
				for _, name := range []string{p.Name, p.Name + shuffledSuffix} {
					roi.BySubject = append(roi.BySubject, dataset.SubjectRegion{Subject: name, Region: region})
				}
			}
		}
		spec.ROIs = append(spec.ROIs, roi)
	}
	return spec
}
