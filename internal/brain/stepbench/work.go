package stepbench

import "github.com/brainwavlm/bwlm/wavlm"

// FLOPs counts the floating-point operations of the products in one tuning step, two for each multiplication with its
// addition. What is done element by element is left out, being limited by memory.
type FLOPs struct {
	Forward    float64
	Backward   float64 // for gradients; none for weights that are frozen, nor for what no tuned weight is below
	Recomputed float64 // in the backward pass: scores of the attention, which are not kept
}

// Total is what the mathematics needs: recomputation is a choice of the program and no work for its result.
func (w FLOPs) Total() float64 { return w.Forward + w.Backward }

// add counts a product of m × k by k × n, and as many again for each gradient that it must give: to what it multiplies,
// and to its weight.
func (w *FLOPs) add(m, k, n int, times int, input, weight bool) {
	once := 2 * float64(m) * float64(k) * float64(n) * float64(times)
	w.Forward += once
	if input {
		w.Backward += once
	}
	if weight {
		w.Backward += once
	}
}

// stepShape is what a step's work follows from, beside the architecture.
type stepShape struct {
	clips         []int // frames of each clip that goes through the model
	read          []int // frames of each that the last layer gives; nil: all
	depth         int   // of what is kept: 0 the front end's output, d hidden state d-1
	layer         int   // hidden state that is read
	rank, adapted int   // of LoRA, and how many (E, E) projections of each layer have it
	windows       int   // whose vectors are resampled to rows
	rows, context int   // that are predicted, and before them
	bottleneck    int
	voxels        int
	subjects      int
}

// stepWork counts a step of LoRA on a WavLM from what is kept on, below which all is frozen. With n
// frames in all, products of these sizes are formed:
//
//	projection              n·C·E
//	positional convolution  (T+1)·E·(E/G)·K for a clip of T frames; T for an odd K
//	each layer              q, k, v, out 4·n·E·E; gate n·E·8; q·k' and sum of v 2·T·T·E a clip; feed-forward 2·n·E·F
//	each adapter            2·n·E·rank
//	the last layer          but for k and v only for the frames that are read
//	resampling              (rows + context)·windows·E
//	readout                 rows·(E·b + b·V), for each subject
//
// Gradients pass through a layer but for the inputs of q, k, v, gate and A in the lowest; the
// attention has four products in the backward pass and forms one, the scores, again.
func stepWork(cfg wavlm.Config, s stepShape) (w FLOPs) {
	n, e := 0, cfg.Hidden
	for _, frames := range s.clips {
		n += frames
		if s.depth == 0 {
			w.add(frames+1-cfg.PosKernel%2, e/cfg.PosGroups*cfg.PosKernel, e, 1, false, false)
		}
	}
	if s.depth == 0 {
		w.add(n, cfg.ConvWidth[len(cfg.ConvWidth)-1], e, 1, false, false)
	}
	lowest := max(s.depth-1, 0)
	for l := lowest; l < s.layer; l++ {
		below := l > lowest // is anything tuned
		given, asked := s.clips, n
		if l == s.layer-1 && s.read != nil {
			given, asked = s.read, sum(s.read)
		}
		w.add(asked, e, e, 1, below, false) // q
		w.add(n, e, e, 2, below, false)     // k, v
		w.add(asked, e, e, 1, true, false)  // out
		for i := range s.adapted {          // q first
			frames := n
			if i == 0 {
				frames = asked
			}
			w.add(frames, e, s.rank, 1, below, true)
			w.add(frames, s.rank, e, 1, true, true)
		}
		w.add(asked, e, 8, 1, below, false)
		for i, frames := range s.clips {
			w.add(given[i], frames, e, 2, true, true) // both operands of each product have gradients
			w.Recomputed += 2 * float64(given[i]) * float64(frames) * float64(e)
		}
		w.add(asked, e, cfg.Inner, 2, true, false)
	}
	w.add(s.context+s.rows, s.windows, e, 1, true, false)
	w.add(s.rows, e, s.bottleneck, s.subjects, true, true)
	w.add(s.rows, s.bottleneck, s.voxels, s.subjects, true, true)
	return w
}

func sum(x []int) (total int) {
	for _, v := range x {
		total += v
	}
	return total
}
