package probe

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/roikeys"
	"github.com/brainwavlm/bwlm/speech"
)

// Options configures [Run]. The zero value is useful.
type Options struct {
	Glove    string               // word vectors, as for [LoadVectors]; "": that probe is left out
	Layers   []int                // hidden states; none: all
	Stories  []string             // whole stories; none: the audio of the test rows
	Frames   int                  // largest number of frames; 0: 2000
	NoROIs   bool                 // leave out the ridge scores of each ROI at each layer, which read test rows
	Seed     uint64               // of held-out words, random labels and random weights
	Progress func(progress.Event) // may be nil
}

// The names of the probed models.
const (
	base      = "base"
	tuned     = "tuned"
	untrained = "untrained"
)

// appendScore appends a model's score of the next layer.
func appendScore(scores *results.LayerScores, model string, score float64) {
	to := map[string]*[]float64{base: &scores.Base, tuned: &scores.Tuned, untrained: &scores.Untrained}[model]
	*to = append(*to, score)
}

// probedModel is a model with its vectors of frames and of words, by layer.
type probedModel struct {
	name          string
	model         speech.Encoder
	frames, words [][]float32
}

// of returns the vectors of one layer, of words or of frames.
func (s *probedModel) of(words bool, layer int) []float32 {
	if words {
		return s.words[layer]
	}
	return s.frames[layer]
}

// Run probes the model of the study, a tuned model (nil: none) and a model of the same shape with
// random weights.
func Run(ctx context.Context, of *brain.Study, after *study.Tuned, opt Options) (*results.Probes, error) {
	st := of.Internal()
	r, err := newRunner(ctx, st, &opt)
	if err != nil {
		return nil, err
	}
	session := st.Model.Session()
	fresh, err := st.Model.Random(ctx, speech.Options{Seed: opt.Seed, Device: session.Device, Compute: session.Compute})
	if err != nil {
		return nil, err
	}
	defer fresh.Close()
	r.models = []*probedModel{{name: base, model: st.Model}, {name: untrained, model: fresh}}
	if after != nil {
		r.models = append(r.models, &probedModel{name: tuned, model: after.Model})
	}
	for _, step := range []func(context.Context) error{r.read, r.probe, r.geometry, r.rois} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return r.report, nil
}

// runner is a Run in progress.
type runner struct {
	opt    Options
	study  *study.Study
	items  *material
	tasks  []*task
	models []*probedModel
	report *results.Probes
}

func newRunner(ctx context.Context, st *study.Study, opt *Options) (*runner, error) {
	if opt.Progress == nil {
		opt.Progress = func(progress.Event) {}
	}
	if opt.Frames == 0 {
		opt.Frames = defaultFrames
	}
	if opt.Layers == nil {
		opt.Layers = firstN(st.Model.Architecture().Layers + 1)
	}
	for _, l := range opt.Layers {
		if l < 0 || l > st.Model.Architecture().Layers {
			return nil, fault.New(fault.Usage, "probe", "layers", "there is no hidden state %d, the model has 0 to %d",
				l, st.Model.Architecture().Layers)
		}
	}
	stories, spans := opt.Stories, map[string][]windows.Span{}
	if stories == nil {
		var err error
		if stories, spans, err = st.Heard(study.Test); err != nil {
			return nil, err
		}
	}
	r := &runner{opt: *opt, study: st}
	var err error
	if r.items, err = collect(ctx, st, stories, spans, opt.Frames); err != nil {
		return nil, err
	}
	if r.tasks, err = r.items.tasks(ctx, opt.Glove, opt.Seed); err != nil {
		return nil, err
	}
	r.report = &results.Probes{Schema: 1, Layers: opt.Layers, Stories: stories, Frames: len(r.items.frames),
		Words:  len(r.items.words),
		Probes: map[string]*results.Probe{}}
	if len(r.items.frames) == 0 {
		return nil, fault.New(fault.BadData, "probe", "stories", "there is no audio to ask about")
	}
	return r, nil
}

// read reads all items with each model.
func (r *runner) read(ctx context.Context) error {
	for _, s := range r.models {
		s.frames, s.words = make([][]float32, len(r.opt.Layers)), make([][]float32, len(r.opt.Layers))
		for i, story := range r.items.stories {
			r.opt.Progress(progress.Event{Phase: progress.Read(s.name), Done: i, Total: len(r.items.stories)})
			var spans []windows.Span
			for _, set := range [][]item{r.items.frames, r.items.words} {
				for _, it := range set {
					if it.Story == i {
						spans = append(spans, windows.Span{From: it.From, To: it.To})
					}
				}
			}
			x, err := r.study.Pool(ctx, s.model, story, spans, r.opt.Layers)
			if err != nil {
				return err
			}
			frames := 0
			for _, it := range r.items.frames {
				if it.Story == i {
					frames++
				}
			}
			width := s.model.Architecture().Width
			for l := range x {
				s.frames[l], s.words[l] = append(s.frames[l], x[l][:frames*width]...),
					append(s.words[l], x[l][frames*width:]...)
			}
		}
		r.opt.Progress(progress.Event{Phase: progress.Read(s.name), Done: len(r.items.stories),
			Total: len(r.items.stories)})
	}
	return nil
}

// probe fits every probe on every layer of every model: plain, with random labels, and on matched
// components.
func (r *runner) probe(ctx context.Context) error {
	done, total := 0, len(r.tasks)*len(r.models)*len(r.opt.Layers)
	for _, t := range r.tasks {
		out := &results.Probe{Skipped: t.skipped, Score: t.score, Items: len(t.rows), Classes: t.classes}
		r.report.Probes[t.name] = out
		if t.skipped != "" {
			done += len(r.models) * len(r.opt.Layers)
			continue
		}
		out.Chance, out.Selectivity, out.PCA = t.chance(), &results.LayerScores{}, &results.ProbePCA{}
		components, err := r.components(ctx, t)
		if err != nil {
			return err
		}
		out.PCA.Dims = matched(components)
		device := r.study.Model.Session().Device
		for i, s := range r.models {
			for l := range r.opt.Layers {
				r.opt.Progress(progress.Event{Phase: progress.Probe, Done: done, Total: total})
				done++
				x, width := s.of(t.words, l), s.model.Architecture().Width
				score, each, err := t.run(ctx, device, x, width, false, r.opt.Seed)
				if err != nil {
					return fmt.Errorf("%s: %w", t.name, err)
				}
				luck, _, err := t.run(ctx, device, x, width, true, r.opt.Seed)
				if err != nil {
					return err
				}
				few := *t
				few.rows = firstN(len(t.rows))
				narrow, _, err := few.run(ctx, device, components[i][l].first(out.PCA.Dims), out.PCA.Dims, false,
					r.opt.Seed)
				if err != nil {
					return err
				}
				appendScore(&out.LayerScores, s.name, score)
				appendScore(out.Selectivity, s.name, score-luck)
				appendScore(&out.PCA.LayerScores, s.name, narrow)
				if len(each) > 1 {
					if out.ByDimension == nil {
						out.ByDimension = map[string][][]float64{}
					}
					out.ByDimension[s.name] = append(out.ByDimension[s.name], each)
				}
			}
		}
	}
	r.opt.Progress(progress.Event{Phase: progress.Probe, Done: total, Total: total})
	return nil
}

// components returns the principal components of the items of a task, by model and layer.
func (r *runner) components(ctx context.Context, t *task) (out [][]*pca, err error) {
	for _, s := range r.models {
		layers := make([]*pca, len(r.opt.Layers))
		for l := range layers {
			if layers[l], err = newPCA(ctx, take(s.of(t.words, l), s.model.Architecture().Width, t.rows),
				len(t.rows)); err != nil {
				return nil, err
			}
		}
		out = append(out, layers)
	}
	return out, nil
}

// matched returns the least number of components that hold enough of the variance in any layer of
// any model.
func matched(components [][]*pca) int {
	least := 0
	for _, layers := range components {
		for _, p := range layers {
			if d := p.dims(matchedShare); least == 0 || d < least {
				least = d
			}
		}
	}
	return least
}

// geometry measures how wide each representation is, and how far tuning moved it.
func (r *runner) geometry(ctx context.Context) error {
	n := len(r.items.frames)
	if n >= leastItems {
		r.report.IntrinsicDimension = map[string][]float64{}
	}
	for _, s := range r.models {
		for l := range r.opt.Layers {
			if s.name == tuned {
				c, err := linearCKA(ctx, r.models[0].frames[l], s.frames[l], n)
				if err != nil {
					return err
				}
				r.report.CKA = append(r.report.CKA, c)
			}
			if n < leastItems {
				continue
			}
			d, err := intrinsicDimension(ctx, s.frames[l], n)
			if err != nil {
				return err
			}
			if d != d {
				return fault.New(fault.BadData, "probe", fmt.Sprintf("layer %d", r.opt.Layers[l]),
					"fewer than 20 of %d frames differ", n).
					WithHint("name stories with speech in them")
			}
			r.report.IntrinsicDimension[s.name] = append(r.report.IntrinsicDimension[s.name], d)
		}
	}
	return nil
}

// rois scores every layer of the untuned and the tuned model on the test rows.
func (r *runner) rois(ctx context.Context) error {
	if r.opt.NoROIs {
		return nil
	}
	r.report.ROIs = map[string]*results.LayerScores{}
	for _, s := range r.models {
		if s.name == untrained {
			continue
		}
		layers, err := evaluate.ScoreLayers(ctx, r.study, s.model, r.opt.Layers)
		if err != nil {
			return err
		}
		for _, scores := range layers {
			appendScore(r.roi(roikeys.All), s.name, scores.MeanR)
			for _, name := range slices.Sorted(maps.Keys(scores.ROIs)) {
				appendScore(r.roi(name), s.name, scores.ROIs[name])
			}
		}
	}
	return nil
}

func (r *runner) roi(name string) *results.LayerScores {
	if r.report.ROIs[name] == nil {
		r.report.ROIs[name] = &results.LayerScores{}
	}
	return r.report.ROIs[name]
}
