package brain

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/align"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// reader turns the windows of a story into vectors: one per window and layer.
type reader struct {
	model     *wavlm.Model
	token     string // first, last or mean
	normalise bool   // each window by itself
	pass      wavlm.Pass
	cache     *cache
	batch     int // windows of one forward pass
}

// runs cuts the windows from ≤ i < to into batches of equal length: the shorter windows at a story's start run by
// themselves, unpadded.
func (r *reader) runs(st *stimulus, from, to int) (out []align.Rows) {
	length := func(i int) int { return st.windows[i].End - st.windows[i].Start }
	for i := from; i < to; {
		j := i + 1
		for j < to && j-i < r.batch && length(j) == length(i) {
			j++
		}
		out = append(out, align.Rows{From: i, To: j})
		i = j
	}
	return out
}

// forward gives the vectors (n, E) of one run of windows at each of the layers.
func (r *reader) forward(s *torch.Scope, st *stimulus, run align.Rows, layers []int) []*torch.Tensor {
	return r.encode(r.front(s, st, run), layers)
}

// encode turns the front end's output (n, T, C) into the vectors (n, E) of each layer.
func (r *reader) encode(front *torch.Tensor, layers []int) []*torch.Tensor {
	hidden := r.model.Encoder.Forward(front, slices.Max(layers), r.pass)
	out := make([]*torch.Tensor, len(layers))
	for i, l := range layers {
		out[i] = pool(hidden[l], r.token)
	}
	return out
}

// pool gives one vector per window of frames h (n, T, E).
func pool(h *torch.Tensor, token string) *torch.Tensor {
	defer h.Scope().Part(PartReadout)()
	switch token {
	case "first":
		return h.Select(1, 0)
	case "mean":
		return h.Mean(1)
	default:
		return h.Select(1, -1)
	}
}

// front gives the frozen front end's output (n, T, C), from the cache where that has it.
func (r *reader) front(s *torch.Scope, st *stimulus, run align.Rows) *torch.Tensor {
	defer torch.Part(s.Context(), PartData)()
	if kept := r.cache.get(st.name, run); kept != nil {
		return torch.Stack(0, scoped(s, kept)...)
	}
	return s.Frozen(func(s *torch.Scope) *torch.Tensor { return r.model.FrontEnd.Forward(r.waves(s, st, run)) })
}

func scoped(s *torch.Scope, ts []*torch.Tensor) []*torch.Tensor {
	out := make([]*torch.Tensor, len(ts))
	for i, t := range ts {
		out[i] = s.Use(t)
	}
	return out
}

// waves gives the samples (n, S) of a run of windows.
func (r *reader) waves(s *torch.Scope, st *stimulus, run align.Rows) *torch.Tensor {
	var samples []float32
	for _, w := range st.windows[run.From:run.To] {
		window := st.samples[w.Start:w.End]
		if r.normalise {
			window = wavlm.Normalise(window)
		}
		samples = append(samples, window...)
	}
	n := run.To - run.From
	return s.FromFloat32(samples, n, len(samples)/n)
}

// features reads all windows of a story without gradients: one (windows, E) matrix per layer. It leaves the front end's
// output in the cache. Steps of training do not, so that what is kept, and with it the last bits of what follows, does
// not depend on which steps came before.
func (r *reader) features(ctx context.Context, st *stimulus, layers []int) ([][]float32, error) {
	out := make([][]float32, len(layers))
	for _, run := range r.runs(st, 0, len(st.windows)) {
		err := r.model.Session().Infer(ctx, func(s *torch.Scope) error {
			front := r.front(s, st, run)
			r.cache.put(st.name, run, front)
			for i, x := range r.encode(front, layers) {
				out[i] = append(out[i], x.To(torch.Float32).Float32s()...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// warm fills the cache as features would.
func (r *reader) warm(ctx context.Context, st *stimulus) error {
	for _, run := range r.runs(st, 0, len(st.windows)) {
		frames := r.model.Config.Frames(st.windows[run.From].End - st.windows[run.From].Start)
		if !r.cache.takes(st.name, run, int64(run.To-run.From)*int64(frames*r.model.Config.ConvOut())*4) {
			continue
		}
		err := r.model.Session().Infer(ctx, func(s *torch.Scope) error {
			r.cache.put(st.name, run, r.front(s, st, run))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// cache keeps the front end's output of windows in memory, first come first kept, up to a budget.
type cache struct {
	arena  *torch.Arena
	budget int64 // bytes left
	kept   map[cacheKey]*torch.Tensor
}

type cacheKey struct {
	story  string
	window int
}

func newCache(budget int64) *cache {
	return &cache{torch.NewArena(), budget, map[cacheKey]*torch.Tensor{}}
}

// get gives the frames (T, C) of every window of a run, or nil if one is missing.
func (c *cache) get(story string, run align.Rows) (out []*torch.Tensor) {
	for i := run.From; i < run.To; i++ {
		t := c.kept[cacheKey{story, i}]
		if t == nil {
			return nil
		}
		out = append(out, t)
	}
	return out
}

// takes says whether there is room for so many bytes of a run, none of whose windows is kept already.
func (c *cache) takes(story string, run align.Rows, bytes int64) bool {
	for i := run.From; i < run.To; i++ {
		if c.kept[cacheKey{story, i}] != nil {
			return false
		}
	}
	return bytes <= c.budget
}

// put keeps the frames of a run (n, T, C), if it takes them.
func (c *cache) put(story string, run align.Rows, frames *torch.Tensor) {
	size := int64(frames.Len() * frames.DType().Size())
	if !c.takes(story, run, size) {
		return
	}
	c.budget -= size
	for i := run.From; i < run.To; i++ {
		c.kept[cacheKey{story, i}] = c.arena.Keep(frames.Select(0, i-run.From))
	}
}

func (c *cache) close() { c.arena.Close() }
