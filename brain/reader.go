package brain

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// reader turns the windows of a story into vectors: one per window and layer.
//
// What the model has in common with the untuned one, and nothing random disturbs, is computed by that, group by group,
// and kept; the rest goes on from there in batches. So what is kept changes the time that reading takes, and no bit of
// what is read.
type reader struct {
	model   *wavlm.Model
	frozen  *frozen
	shared  int // hidden states, from 0, that the model has in common with the untuned one
	keep    int // frames at no higher depth are kept; -1: none, where all that is read is shared
	pooling experiment.Pooling
	pass    wavlm.Pass
	batch   int // clips of one forward pass
}

// reader reads windows with a model, which may be a tuned view of the study's, or one of its shape and front end.
func (st *Study) reader(model *wavlm.Model) *reader {
	exp := st.Experiment
	r := &reader{model: model, frozen: st.frozen, pooling: exp.Model.Pooling}
	r.pass.Regularise = wavlm.Regularise{Hidden: exp.Train.Dropout, Attention: exp.Train.Dropout, Projection: exp.Train.Dropout,
		LayerDrop: exp.Train.LayerDrop, Time: wavlm.Spans{Prob: exp.Train.SpecAugment, Length: 10, Min: 2}}
	r.batch = batchSize(model.Config, exp.Model, st.opt.BatchBytes)
	if model.Store() == st.Model.Store() {
		r.shared = max(model.SharedStates(), 0)
		if model.SharedStates() < 0 { // an adapter in the front end
			r.frozen = &frozen{model: model, normalise: st.frozen.normalise, half: st.frozen.half}
		}
	}
	r.keep = st.keptDepth(r)
	return r
}

// keptDepth is the depth of the frames that are kept, such that training, validation and evaluation share them. The
// untuned model, to which no depth is too much, so goes by the adapter that there will be; -1 if there will be none.
func (st *Study) keptDepth(r *reader) int {
	switch train := st.Experiment.Train; {
	case r.disturbed():
		return 0
	case r.shared <= r.model.Config.Layers:
		return r.shared
	case train.Mode == experiment.TrainReadout:
		return -1
	case train.Mode == experiment.TrainFull || slices.Contains(st.Experiment.Adapter.Targets, "all-linear"):
		return 0
	case len(st.Experiment.Adapter.Layers) > 0:
		return slices.Min(st.Experiment.Adapter.Layers) + 1
	}
	return 1
}

// runs cuts the windows from ≤ i < to into what goes through the model together.
func (r *reader) runs(st *stimulus, from, to int) []run { return st.runs(from, to, r.batch) }

// atOnce says whether all runs together are no more than one batch.
func (r *reader) atOnce(runs []run) bool {
	clips := 0
	for _, run := range runs {
		clips += run.clips.To - run.clips.From
	}
	return clips <= r.batch
}

// fixed is how many hidden states are the untuned model's in a pass of a scope.
func (r *reader) fixed(s *torch.Scope) int {
	if s.Mode().Dropout && r.disturbed() {
		return 0
	}
	return r.shared
}

// disturbed says whether anything random happens to frames while the model is tuned.
func (r *reader) disturbed() bool {
	random := r.pass.Regularise
	return random.Hidden > 0 || random.LayerDrop > 0 || random.Time.Prob > 0
}

// depth is where a pass of a scope goes on from what is kept.
func (r *reader) depth(s *torch.Scope, layers []int) int {
	return max(min(r.fixed(s), r.keep, slices.Min(layers)+1), 0)
}

// vectors gives the vectors (windows, E) of a run at each of the layers.
func (r *reader) vectors(s *torch.Scope, st *stimulus, run run, layers []int) []*torch.Tensor {
	if slices.Max(layers) < r.fixed(s) {
		return r.fixedVectors(s, st, run, layers)
	}
	depth := r.depth(s, layers)
	return r.goOn(r.frozen.frames(s, st, run.clips, depth), depth, r.model, st, run, layers, true)
}

// goOn reads the vectors (windows, E) of each layer from frames (n, T, C) at a depth. The last layer may work out only the
// frames that are read.
func (r *reader) goOn(frames *torch.Tensor, depth int, model *wavlm.Model, st *stimulus, run run, layers []int, last bool) []*torch.Tensor {
	var hidden []*torch.Tensor
	first, top := max(depth-1, 0), slices.Max(layers)
	pass := r.pass
	if last {
		pass.Last = r.lastFrames(st, run, frames.Dim(1))
	}
	if depth == 0 {
		hidden = model.Encoder.Forward(frames, top, pass)
	} else {
		hidden = model.Encoder.Continue(frames, first, top, pass)
	}
	out := make([]*torch.Tensor, len(layers))
	for i, l := range layers {
		if l == top {
			out[i] = r.pool(hidden[l-first], st, run, pass.Last)
		} else {
			out[i] = r.pool(hidden[l-first], st, run, nil)
		}
	}
	return out
}

// groupVectors reads all windows (windows, E) of one group from the untuned model, by way of frames that are kept; last
// as in goOn.
func (r *reader) groupVectors(s *torch.Scope, st *stimulus, g design.Rows, layers []int, last bool) []*torch.Tensor {
	if r.keep < 0 {
		return r.goOn(r.frozen.compute(s, st, g, 0), 0, r.frozen.model, st, st.all(g), layers, last)
	}
	depth := min(r.keep, slices.Min(layers)+1)
	return r.goOn(r.frozen.group(s, st, g, depth), depth, r.frozen.model, st, st.all(g), layers, last)
}

// fixedVectors is vectors where no tuning changes what is read.
func (r *reader) fixedVectors(s *torch.Scope, st *stimulus, run run, layers []int) []*torch.Tensor {
	out := make([]*torch.Tensor, len(layers))
	n, width := run.windows.To-run.windows.From, r.model.Config.Hidden
	if kept := r.frozen.cache.allVectors(r.vectorKeys(st, layers)); kept != nil {
		for i, x := range kept {
			out[i] = s.FromFloat32(x[run.windows.From*width:run.windows.To*width], n, width)
		}
		return out
	}
	joint := s.Frozen(func(s *torch.Scope) *torch.Tensor {
		var parts []*torch.Tensor
		for _, g := range st.groups {
			all := st.all(g).windows
			if from, to := max(all.From, run.windows.From), min(all.To, run.windows.To); from < to {
				parts = append(parts, torch.Cat(1, r.groupVectors(s, st, g, layers, true)...).Narrow(0, from-all.From, to-from))
			}
		}
		return torch.Cat(0, parts...) // (n, L·E)
	})
	for i := range layers {
		out[i] = joint.Narrow(1, i*width, width)
	}
	return out
}

// frozenBytes is what the frames or vectors of a story take that are kept while training reads those layers.
func (r *reader) frozenBytes(st *stimulus, layers []int) (bytes int64) {
	cfg := r.model.Config
	if slices.Max(layers) < r.shared && r.keep < 0 {
		return int64(len(st.windows)) * int64(cfg.Hidden) * int64(len(layers)) * 4
	}
	channels := cfg.ConvOut()
	if min(r.shared, r.keep, slices.Min(layers)+1) > 0 {
		channels = cfg.Hidden
	}
	size := 4
	if r.frozen.half {
		size = 2
	}
	for _, c := range st.clips {
		bytes += int64(cfg.Frames(c.samples()) * channels * size)
	}
	return bytes
}

// fill computes what is frozen under a run of windows, so that it is kept where there is room.
func (r *reader) fill(ctx context.Context, st *stimulus, run run, layers []int) error {
	return r.model.Session().Infer(ctx, func(s *torch.Scope) error {
		if slices.Max(layers) < r.fixed(s) {
			return nil
		}
		r.frozen.frames(s, st, run.clips, r.depth(s, layers))
		return nil
	})
}

// features reads all windows of a story without gradients: one (windows, E) matrix per layer.
func (r *reader) features(ctx context.Context, st *stimulus, layers []int) ([][]float32, error) {
	if slices.Max(layers) < r.shared {
		return r.fixedFeatures(ctx, st, layers)
	}
	out := make([][]float32, len(layers))
	for _, run := range r.runs(st, 0, len(st.windows)) {
		err := r.model.Session().Infer(ctx, func(s *torch.Scope) error {
			appendVectors(out, r.vectors(s, st, run, layers))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fixedFeatures is features where no tuning changes what is read: layers that were read before are not read again.
func (r *reader) fixedFeatures(ctx context.Context, st *stimulus, layers []int) ([][]float32, error) {
	out := make([][]float32, len(layers))
	keys := r.vectorKeys(st, layers)
	print := func(i int) func() fingerprint {
		return func() fingerprint { return r.frozen.printVectors(st, keys[i]) }
	}
	var missing, places []int
	for i, key := range keys {
		if out[i] = r.frozen.cache.vectors(key, r.model.Config.Hidden, print(i)); out[i] == nil {
			missing, places = append(missing, layers[i]), append(places, i)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	read := make([][]float32, len(missing))
	last := slices.Max(missing) == slices.Max(layers) // else what is missing was below it
	for _, g := range st.groups {
		err := r.model.Session().Infer(ctx, func(s *torch.Scope) error {
			appendVectors(read, r.groupVectors(s, st, g, missing, last))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for k, i := range places {
		out[i] = read[k]
		r.frozen.cache.putVectors(keys[i], read[k], print(i))
	}
	return out, nil
}

func appendVectors(to [][]float32, xs []*torch.Tensor) {
	for i, x := range xs {
		to[i] = append(to[i], x.To(torch.Float32).Float32s()...)
	}
}

func (r *reader) vectorKeys(st *stimulus, layers []int) []vectorKey {
	keys := make([]vectorKey, len(layers))
	for i, l := range layers {
		keys[i] = vectorKey{st.name, len(st.windows), l, r.pooling, l == slices.Max(layers) && r.pooling != experiment.PoolMean}
	}
	return keys
}

// lastFrames are the frames of a run's clips of T frames from which vectors are read, so that the last layer need not work
// out the others; nil where that is most of them.
func (r *reader) lastFrames(st *stimulus, run run, frames int) (last []int) {
	switch {
	case r.pooling == experiment.PoolMean:
		return nil
	case !st.shared && r.pooling == experiment.PoolFirst:
		return []int{0}
	case !st.shared:
		return []int{frames - 1}
	}
	r.wanted(st, run, func(_ int, in design.Rows) { last = append(last, r.frameOf(in)) })
	slices.Sort(last)
	return slices.Compact(last)
}

// frameOf is the frame that is the vector of a window with those frames.
func (r *reader) frameOf(in design.Rows) int {
	if r.pooling == experiment.PoolFirst {
		return in.From
	}
	return in.To - 1
}

// pool gives the vector of each wanted window (windows, E) from frames h (n, T, E) of a run's clips; kept are their numbers
// where they are not all.
func (r *reader) pool(h *torch.Tensor, st *stimulus, run run, kept []int) *torch.Tensor {
	defer h.Scope().Part(PartReadout)()
	switch {
	case st.shared && r.pooling == experiment.PoolMean:
		return r.means(h, st, run)
	case st.shared:
		return r.picked(h, st, run, kept)
	case r.pooling == experiment.PoolMean:
		return h.Mean(1)
	case r.pooling == experiment.PoolFirst:
		return h.Select(1, 0)
	}
	return h.Select(1, -1)
}

// wanted goes through the windows of a run, with the place of their clip in the run and their frames in the clip.
func (r *reader) wanted(st *stimulus, run run, do func(place int, frames design.Rows)) {
	for k := run.clips.From; k < run.clips.To; k++ {
		c := st.clips[k]
		for i := max(c.windows.From, run.windows.From); i < min(c.windows.To, run.windows.To); i++ {
			do(k-run.clips.From, c.framesIn(st.windows[i], r.model.Config))
		}
	}
}

// picked takes one frame for each window out of frames h (n, T, E) of clips: (windows, E).
func (r *reader) picked(h *torch.Tensor, st *stimulus, run run, kept []int) *torch.Tensor {
	frames := h.Dim(1)
	var places []int
	r.wanted(st, run, func(place int, in design.Rows) {
		at := r.frameOf(in)
		if kept != nil {
			at, _ = slices.BinarySearch(kept, at)
		}
		places = append(places, place*frames+at)
	})
	return h.Reshape(h.Dim(0)*frames, -1).IndexSelect(0, places)
}

// means takes the mean over the frames of each window out of frames h (n, T, E) of clips: (windows, E).
func (r *reader) means(h *torch.Tensor, st *stimulus, run run) *torch.Tensor {
	s, frames := h.Scope(), h.Dim(1)
	weights := make([][]float32, h.Dim(0)) // (windows, T) of each clip
	r.wanted(st, run, func(place int, in design.Rows) {
		row := make([]float32, frames)
		for f := in.From; f < in.To; f++ {
			row[f] = 1 / float32(in.To-in.From)
		}
		weights[place] = append(weights[place], row...)
	})
	var out []*torch.Tensor
	for k, w := range weights {
		if len(w) > 0 {
			out = append(out, s.FromFloat32(w, len(w)/frames, frames).MatMul(h.Select(0, k).To(torch.Float32)))
		}
	}
	return torch.Cat(0, out...)
}
