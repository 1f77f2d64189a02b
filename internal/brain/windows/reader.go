package windows

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// Reader turns the windows of a story into vectors: one per window and layer.
//
// Layers that the model shares with the untuned one, and below anything random, are computed by the
// untuned model in fixed groups and cached. The layers above are computed from there in fixed
// units. The size of the cache changes the time, and results are bit-identical.
type Reader struct {
	Model       speech.Encoder
	Frozen      *Frozen
	TrainsFront bool // the model's own front end runs, with gradients where the scope has them
	Shared      int  // hidden states, from 0 on, that the model shares with the untuned one
	CacheDepth  int  // highest depth whose frames are cached; -1: none, where all layers that are read are shared
	Pooling     experiment.Pooling
	Pass        speech.Pass
	Unit        int         // clips that go through the model together
	Ranks       *dist.Group // processes that share the units of Part, where all of them call it; nil: this one alone
}

// Units returns the units of the windows from ≤ i < to.
func (r *Reader) Units(st *Stimulus, from, to int) []Unit { return st.Units(from, to, r.Unit) }

// SharedStates returns the number of hidden states of a pass that equal those of the untuned model.
func (r *Reader) SharedStates(s *torch.Scope) int {
	if s.Mode().Dropout && r.Stochastic() {
		return 0
	}
	return r.Shared
}

// Stochastic reports whether dropout, layer drop or SpecAugment changes frames while the model is tuned.
func (r *Reader) Stochastic() bool {
	random := r.Pass.Regularise
	return random.Hidden > 0 || random.LayerDrop > 0 || random.Time.Prob > 0
}

// Depth returns the depth of the cached frames from which a pass starts.
func (r *Reader) Depth(s *torch.Scope, layers []int) int {
	return max(min(r.SharedStates(s), r.CacheDepth, slices.Min(layers)+1), 0)
}

// Vectors returns the vectors (windows, E) of a unit at each of the layers.
func (r *Reader) Vectors(s *torch.Scope, st *Stimulus, unit Unit, layers []int) []*torch.Tensor {
	if slices.Max(layers) < r.SharedStates(s) {
		return r.fixedVectors(s, st, unit, layers)
	}
	if r.TrainsFront {
		return r.forwardFrom(r.Model.FrontEnd(r.Frozen.waves(s, st, unit.Clips)), 0, r.Model, st, unit, layers, true)
	}
	depth := r.Depth(s, layers)
	return r.forwardFrom(r.Frozen.Frames(s, st, unit.Clips, depth), depth, r.Model, st, unit, layers, true)
}

// forwardFrom computes the vectors (windows, E) of each layer from frames (n, T, C) at a depth. With last set, the top
// layer computes only the frames that are read.
func (r *Reader) forwardFrom(frames *torch.Tensor, depth int, model speech.Encoder, st *Stimulus, unit Unit,
	layers []int, last bool) []*torch.Tensor {
	first, top := max(depth-1, 0), slices.Max(layers)
	pass := r.Pass
	if last {
		pass.Last = r.LastFrames(st, unit)
	}
	hidden := model.Forward(frames, depth, top, pass)
	out := make([]*torch.Tensor, len(layers))
	for i, l := range layers {
		if l == top {
			out[i] = r.pool(hidden[l-first], st, unit, pass.Last)
		} else {
			out[i] = r.pool(hidden[l-first], st, unit, nil)
		}
	}
	return out
}

// groupVectors reads all windows (windows, E) of a group from the untuned model through cached frames; last is as in
// forwardFrom.
func (r *Reader) groupVectors(s *torch.Scope, st *Stimulus, g design.Rows, layers []int, last bool) []*torch.Tensor {
	if r.CacheDepth < 0 {
		return r.forwardFrom(r.Frozen.Compute(s, st, g, 0), 0, r.Frozen.Model, st, st.All(g), layers, last)
	}
	depth := min(r.CacheDepth, slices.Min(layers)+1)
	return r.forwardFrom(r.Frozen.group(s, st, g, depth), depth, r.Frozen.Model, st, st.All(g), layers, last)
}

// fixedVectors is Vectors where all layers equal those of the untuned model.
func (r *Reader) fixedVectors(s *torch.Scope, st *Stimulus, unit Unit, layers []int) []*torch.Tensor {
	out := make([]*torch.Tensor, len(layers))
	n, width := unit.Windows.To-unit.Windows.From, r.Model.Architecture().Width
	if kept := r.Frozen.Cache.AllVectors(r.vectorKeys(st, layers)); kept != nil {
		for i, x := range kept {
			out[i] = s.FromFloat32(x[unit.Windows.From*width:unit.Windows.To*width], n, width)
		}
		return out
	}
	joint := s.Frozen(func(s *torch.Scope) *torch.Tensor {
		var parts []*torch.Tensor
		for _, g := range st.Groups {
			all := st.All(g).Windows
			if from, to := max(all.From, unit.Windows.From), min(all.To, unit.Windows.To); from < to {
				parts = append(parts, torch.Cat(1, r.groupVectors(s, st, g, layers, true)...).Narrow(0, from-all.From,
					to-from))
			}
		}
		return torch.Cat(0, parts...) // (n, L·E)
	})
	for i := range layers {
		out[i] = joint.Narrow(1, i*width, width)
	}
	return out
}

// FrozenBytes returns the size of the activations of a story that training caches to read the layers.
func (r *Reader) FrozenBytes(st *Stimulus, layers []int) (bytes int64) {
	if slices.Max(layers) < r.Shared && r.CacheDepth < 0 {
		return int64(len(st.Windows)) * int64(r.Model.Architecture().Width) * int64(len(layers)) * 4
	}
	depth := max(min(r.Shared, r.CacheDepth, slices.Min(layers)+1), 0)
	size := 4
	if r.Frozen.Half {
		size = 2
	}
	for _, c := range st.Clips {
		frames, channels := r.Model.FrameShape(depth, c.Samples())
		bytes += int64(frames * channels * size)
	}
	return bytes
}

// Fill caches the frames under a unit, where there is room.
func (r *Reader) Fill(ctx context.Context, st *Stimulus, unit Unit, layers []int) error {
	return SoundError(r.Model.Session().Infer(ctx, func(s *torch.Scope) error {
		if r.TrainsFront || slices.Max(layers) < r.SharedStates(s) {
			return nil
		}
		r.Frozen.Frames(s, st, unit.Clips, r.Depth(s, layers))
		return nil
	}))
}

// Features reads all windows of a story without gradients: one matrix (windows, E) per layer.
func (r *Reader) Features(ctx context.Context, st *Stimulus, layers []int) ([][]float32, error) {
	if slices.Max(layers) < r.Shared {
		return r.fixedFeatures(ctx, st, layers)
	}
	return r.Part(ctx, st, 0, len(st.Windows), layers)
}

// Part reads the windows from ≤ i < to of a story in units, without gradients: one matrix (windows, E) per layer. Each
// rank reads its share of the units.
func (r *Reader) Part(ctx context.Context, st *Stimulus, from, to int, layers []int) ([][]float32, error) {
	out := make([][]float32, len(layers))
	units := r.Units(st, from, to)
	for _, unit := range Share(units, r.Ranks.World(), r.Ranks.Rank()) {
		err := r.Model.Session().Infer(ctx, func(s *torch.Scope) error {
			AppendVectors(out, r.Vectors(s, st, unit, layers))
			return nil
		})
		if err != nil {
			return nil, SoundError(err)
		}
	}
	if r.Ranks == nil {
		return out, nil
	}
	lengths := make([]int, r.Ranks.World())
	for rank := range lengths {
		lengths[rank] = Length(Share(units, len(lengths), rank)) * r.Model.Architecture().Width
	}
	for i := range out {
		parts, err := dist.Gather(r.Ranks, "features of "+st.Name, out[i], lengths)
		if err != nil {
			return nil, err
		}
		out[i] = slices.Concat(parts...)
	}
	return out, nil
}

// Share returns the units that one of several ranks computes: consecutive ones, none where there are more ranks than
// units.
func Share(units []Unit, world, rank int) []Unit {
	return units[len(units)*rank/world : len(units)*(rank+1)/world]
}

// Length returns the number of windows of units.
func Length(units []Unit) (n int) {
	for _, u := range units {
		n += u.Windows.Len()
	}
	return n
}

// fixedFeatures is Features where all layers equal those of the untuned model. Layers in the cache are not read again.
func (r *Reader) fixedFeatures(ctx context.Context, st *Stimulus, layers []int) ([][]float32, error) {
	out := make([][]float32, len(layers))
	keys := r.vectorKeys(st, layers)
	print := func(i int) func() Fingerprint {
		return func() Fingerprint { return r.Frozen.PrintVectors(st, keys[i]) }
	}
	var missing, places []int
	err := readsSound(func() {
		for i, key := range keys {
			if out[i] = r.Frozen.Cache.Vectors(key, r.Model.Architecture().Width, print(i)); out[i] == nil {
				missing, places = append(missing, layers[i]), append(places, i)
			}
		}
	})
	if err != nil || len(missing) == 0 {
		return out, err
	}
	read := make([][]float32, len(missing))
	last := slices.Max(missing) == slices.Max(layers) // else the missing layers were below it
	for _, g := range st.Groups {
		err := r.Model.Session().Infer(ctx, func(s *torch.Scope) error {
			AppendVectors(read, r.groupVectors(s, st, g, missing, last))
			return nil
		})
		if err != nil {
			return nil, SoundError(err)
		}
	}
	return out, readsSound(func() {
		for k, i := range places {
			out[i] = read[k]
			r.Frozen.Cache.PutVectors(keys[i], read[k], print(i))
		}
	})
}

func AppendVectors(to [][]float32, xs []*torch.Tensor) {
	for i, x := range xs {
		to[i] = append(to[i], x.ToType(torch.Float32).Float32s()...)
	}
}

func (r *Reader) vectorKeys(st *Stimulus, layers []int) []VectorKey {
	keys := make([]VectorKey, len(layers))
	for i, l := range layers {
		keys[i] = VectorKey{st.Name, len(st.Windows), l, r.Pooling, l == slices.Max(layers) &&
			r.Pooling != experiment.PoolMean}
	}
	return keys
}

// LastFrames returns the frames of the clips of a unit from which vectors are read, so that the last layer need not
// compute the others; nil where most are read.
func (r *Reader) LastFrames(st *Stimulus, unit Unit) (last []int) {
	switch {
	case r.Pooling == experiment.PoolMean:
		return nil
	case !st.Shared:
		return []int{r.frameOf(design.Rows{To: r.frames(st, unit)})}
	}
	r.wanted(st, unit, func(_ int, in design.Rows) { last = append(last, r.frameOf(in)) })
	slices.Sort(last)
	return slices.Compact(last)
}

// frames returns the number of frames of each clip of a unit, without padding.
func (r *Reader) frames(st *Stimulus, unit Unit) int {
	return r.Model.Frames(st.Clips[unit.Clips.From].Samples())
}

// frameOf returns the frame that is the vector of a window, given its frames.
func (r *Reader) frameOf(in design.Rows) int {
	n, ok := r.Pooling.Index()
	switch {
	case r.Pooling == experiment.PoolFirst:
		return in.From
	case !ok:
		return in.To - 1
	case n < 0:
		return max(in.To+n, in.From)
	}
	return min(in.From+n, in.To-1)
}

// pool returns the vector of each window of a unit (windows, E) from frames h (n, T, E) of its clips. Kept holds the
// numbers of these frames where some are left out.
func (r *Reader) pool(h *torch.Tensor, st *Stimulus, unit Unit, kept []int) *torch.Tensor {
	defer h.Scope().Part(phases.PartReadout)()
	switch {
	case st.Shared && r.Pooling == experiment.PoolMean:
		return r.means(h, st, unit)
	case st.Shared:
		return r.picked(h, st, unit, kept)
	case r.Pooling == experiment.PoolMean:
		return h.Narrow(1, 0, r.frames(st, unit)).Mean(1)
	case kept != nil: // one frame is left
		return h.Select(1, 0)
	}
	return h.Select(1, r.frameOf(design.Rows{To: r.frames(st, unit)}))
}

// wanted visits the windows of a unit with the place of their clip in the unit and their frames in the clip.
func (r *Reader) wanted(st *Stimulus, unit Unit, do func(place int, frames design.Rows)) {
	for k := unit.Clips.From; k < unit.Clips.To; k++ {
		c := st.Clips[k]
		for i := max(c.Windows.From, unit.Windows.From); i < min(c.Windows.To, unit.Windows.To); i++ {
			do(k-unit.Clips.From, st.framesOf(c, st.Windows[i], r.Model))
		}
	}
}

// picked returns one frame per window (windows, E) from frames h (n, T, E) of clips.
func (r *Reader) picked(h *torch.Tensor, st *Stimulus, unit Unit, kept []int) *torch.Tensor {
	frames := h.Dim(1)
	var places []int
	r.wanted(st, unit, func(place int, in design.Rows) {
		at := r.frameOf(in)
		if kept != nil {
			at, _ = slices.BinarySearch(kept, at)
		}
		places = append(places, place*frames+at)
	})
	return h.Reshape(h.Dim(0)*frames, -1).IndexSelect(0, places)
}

// means returns the mean over the frames of each window (windows, E) from frames h (n, T, E) of clips.
func (r *Reader) means(h *torch.Tensor, st *Stimulus, unit Unit) *torch.Tensor {
	s, frames := h.Scope(), h.Dim(1)
	weights := make([][]float32, h.Dim(0)) // (windows, T) of each clip
	r.wanted(st, unit, func(place int, in design.Rows) {
		row := make([]float32, frames)
		for f := in.From; f < in.To; f++ {
			row[f] = 1 / float32(in.To-in.From)
		}
		weights[place] = append(weights[place], row...)
	})
	var out []*torch.Tensor
	for k, w := range weights {
		if len(w) > 0 {
			out = append(out, s.FromFloat32(w, len(w)/frames, frames).MatMul(h.Select(0, k).ToType(torch.Float32)))
		}
	}
	return torch.Cat(0, out...)
}
