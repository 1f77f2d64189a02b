package brain

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// rowFeatures are the features of stories at their rows, standardised and delayed: what a readout sees.
type rowFeatures struct {
	width  int                      // channels times delays
	rows   map[string][]float32     // story → (rows, width)
	zscore map[string]design.ZScore // story → statistics of the undelayed features

	options func(*ridge.Options) // of the ridge that is given them, where it is not that of every score
}

// read carries the windows' vectors of stories to rows, for each of the layers.
func (st *Study) read(ctx context.Context, r *reader, phase string, stories []string, layers ...int) ([]rowFeatures, error) {
	out := make([]rowFeatures, len(layers))
	for i := range out {
		out[i] = rowFeatures{rows: map[string][]float32{}, zscore: map[string]design.ZScore{}}
	}
	for n, story := range stories {
		st.opt.Progress(Event{Phase: phase, Done: n, Total: len(stories)})
		stim := st.stimuli[story]
		windows, err := r.features(ctx, stim, layers)
		if err != nil {
			return nil, err
		}
		for i, x := range windows {
			out[i].add(stim, x, st.delays)
		}
	}
	st.opt.Progress(Event{Phase: phase, Done: len(stories), Total: len(stories)})
	return out, nil
}

// add takes the vectors x (windows, C) of a story.
func (f *rowFeatures) add(stim *stimulus, x []float32, delays []int) {
	channels := len(x) / len(stim.windows)
	rows := stim.weights.Apply(x, channels)
	z := design.FitZScore(rows, stim.rows, channels, stim.statistics...)
	f.width = channels * len(delays)
	f.rows[stim.name] = design.FIR(z.Apply(rows), stim.rows, channels, delays)
	if stim.training != stim.weights { // what is tuned on is standardised by statistics of its own kind
		z = design.FitZScore(stim.training.Apply(x, channels), stim.rows, channels, stim.statistics...)
	}
	f.zscore[stim.name] = z
}

// stack joins the features of a person's rows in a split: (rows, width).
func (f *rowFeatures) stack(p *person, split Split) (x []float32, rows int) {
	for _, r := range p.parts[split] {
		x = append(x, f.rows[r.Story][r.From*f.width:r.To*f.width]...)
		rows += r.To - r.From
	}
	return x, rows
}

// storiesOf lists the stories of which any subject has rows in one of the splits, in the data set's order.
func (st *Study) storiesOf(splits ...Split) []string { return st.storiesIn(st.people, splits...) }

// storiesIn is storiesOf for some of the subjects.
func (st *Study) storiesIn(subjects []*person, splits ...Split) (out []string) {
	for _, story := range st.stories {
		for _, p := range subjects {
			for _, split := range splits {
				for _, r := range p.parts[split] {
					if r.Story == story && !slices.Contains(out, story) {
						out = append(out, story)
					}
				}
			}
		}
	}
	return out
}

// prediction is what a ridge fitted on training rows says of another split.
type prediction struct {
	rows int
	pred []float32 // (rows, voxels)
}

// predict fits a ridge for each subject on the training rows and predicts a split. Subjects with the same training rows
// share the decomposition of the features. With several features, each voxel takes those whose cross-validated score on
// the training rows is best.
func (st *Study) predict(ctx context.Context, subjects []*person, fs []rowFeatures, split Split) ([]prediction, error) {
	out := make([]prediction, len(subjects))
	for _, group := range sameRows(subjects) {
		first := subjects[group[0]]
		_, rows := fs[0].stack(first, Train)
		var responses ridge.HStack
		for _, i := range group {
			responses = append(responses, subjects[i].measured(Train))
		}
		var all []float32
		var best []float64
		for l := range fs {
			x, _ := fs[l].stack(first, Train)
			opt := st.ridgeOptions()
			if fs[l].options != nil {
				fs[l].options(&opt)
			}
			m, err := ridge.FitColumns(ctx, x, responses, rows, responses.Cols(), opt)
			if err != nil {
				return nil, err
			}
			x, n := fs[l].stack(first, split)
			pred, err := m.Predict(ctx, x, n)
			if err != nil {
				return nil, err
			}
			if l == 0 {
				all, best = pred, m.Scores
				continue
			}
			for v, score := range m.Scores {
				if score <= best[v] {
					continue
				}
				best[v] = score
				for k := v; k < len(all); k += m.Voxels {
					all[k] = pred[k]
				}
			}
		}
		_, rows = fs[0].stack(first, split)
		from := 0
		for k, i := range group {
			width := responses[k].Cols
			out[i] = prediction{rows, columns(all, rows, from, from+width)}
			from += width
		}
	}
	return out, nil
}

// ridgeOptions are those of every score.
func (st *Study) ridgeOptions() ridge.Options {
	exp := st.Experiment
	return ridge.Options{Alphas: exp.Eval.Alphas, Boots: exp.Eval.Boots, ChunkRows: exp.Eval.ChunkRows, HeldOut: exp.Eval.HeldOut,
		Seed: exp.Train.Seed, Device: st.Model.Session().Device}
}

// scoredLayer is the one hidden state that scores look at; nil where each voxel has its own.
func (st *Study) scoredLayer() *int {
	if st.Experiment.Eval.Layer != experiment.EvalLayerModel {
		return nil
	}
	return &st.Experiment.Model.Layer
}

// scoredLayers are the hidden states that scores look at: model.layer, or all up to it, of which each voxel has its own.
func (st *Study) scoredLayers() []int {
	layers := []int{st.Experiment.Model.Layer}
	for l := st.Experiment.Model.Layer - 1; l >= 0 && st.Experiment.Eval.Layer == experiment.EvalLayerVoxel; l-- {
		layers = append([]int{l}, layers...)
	}
	return layers
}

// sameRows groups subjects whose rows agree in every split, by their indices.
func sameRows(subjects []*person) (groups [][]int) {
	at := map[string]int{}
	for i, p := range subjects {
		key := fmt.Sprint(p.parts)
		if k, ok := at[key]; ok {
			groups[k] = append(groups[k], i)
			continue
		}
		at[key] = len(groups)
		groups = append(groups, []int{i})
	}
	return groups
}

// besides sets matrices (rows, widths[k]) side by side.
func besides(xs [][]float32, widths []int, rows int) []float32 {
	if len(xs) == 1 {
		return xs[0]
	}
	var out []float32
	for r := range rows {
		for k, x := range xs {
			out = append(out, x[r*widths[k]:(r+1)*widths[k]]...)
		}
	}
	return out
}

// columns cuts columns out of x (rows, n).
func columns(x []float32, rows, from, to int) []float32 {
	n := len(x) / rows
	if from == 0 && to == n {
		return x
	}
	var out []float32
	for r := range rows {
		out = append(out, x[r*n+from:r*n+to]...)
	}
	return out
}

// at picks places of x.
func at[T any](x []T, places []int) []T {
	out := make([]T, len(places))
	for i, place := range places {
		out[i] = x[place]
	}
	return out
}

// voxelScores are the validation scores of one person's voxels.
type voxelScores struct {
	r        []float64
	constant []bool
}

// validation scores features on the validation rows, by person. Most limits the rows of each part, 0 does not.
func (st *Study) validation(ctx context.Context, fs []rowFeatures, most int) ([]voxelScores, error) {
	predicted, err := st.predict(ctx, st.people, fs, Val)
	if err != nil {
		return nil, err
	}
	out := make([]voxelScores, len(st.people))
	for i, p := range st.people {
		var pred, want []float32
		rows, from := 0, 0
		for _, r := range p.parts[Val] {
			n := r.To - r.From
			take := n
			if most > 0 {
				take = min(n, most)
			}
			pred = append(pred, predicted[i].pred[from*p.voxels:(from+take)*p.voxels]...)
			want = append(want, p.responses[r.Story].data[r.From*p.voxels:(r.From+take)*p.voxels]...)
			rows, from = rows+take, from+n
		}
		out[i].r, out[i].constant = stats.Correlation(pred, want, rows, p.voxels)
	}
	return out, nil
}

// tunedR is the mean over people of the mean r of their tuned voxels, each counted as in the loss.
func (st *Study) tunedR(scores []voxelScores) float64 {
	total := 0.
	for i, p := range st.people {
		total += p.tunedMean(at(scores[i].r, p.tuned), at(scores[i].constant, p.tuned))
	}
	return total / float64(len(st.people))
}

// validationR is tunedR of features.
func (st *Study) validationR(ctx context.Context, fs []rowFeatures, most int) (float64, error) {
	scores, err := st.validation(ctx, fs, most)
	if err != nil {
		return 0, err
	}
	return st.tunedR(scores), nil
}
