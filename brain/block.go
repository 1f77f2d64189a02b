package brain

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/torch"
)

// block is one optimizer step: some consecutive rows of a story, and who answered to them.
type block struct {
	story    string
	from, to int
	subjects []int // indices of people
}

// blocks are those of training.
func blocks(people []*person, size int, shared bool) []block {
	return blocksOf(Train, people, size, shared)
}

// blocksOf cuts the rows of a split of all people into blocks of size rows. A rest of less than half a block goes with the
// block before it: a step on one or two rows would be noise, and to the temporal loss nothing at all. People who heard
// the same rows share a block (joint: shared), or each has their own (sequential).
func blocksOf(split Split, people []*person, size int, shared bool) (out []block) {
	byRows := map[rowsKey]int{}
	for i, p := range people {
		for _, r := range p.parts[split] {
			for from, to := r.From, 0; from < r.To; from = to {
				if to = from + size; r.To-to < (size+1)/2 {
					to = r.To
				}
				key := rowsKey{r.Story, from, to}
				if k, ok := byRows[key]; ok && shared {
					out[k].subjects = append(out[k].subjects, i)
					continue
				}
				byRows[key] = len(out)
				out = append(out, block{r.Story, from, to, []int{i}})
			}
		}
	}
	return out
}

// rowsKey is a block without its subjects.
type rowsKey struct {
	story    string
	from, to int
}

// shuffled is the order of blocks in one epoch.
func shuffled(bs []block, seed uint64) []block {
	out := slices.Clone(bs)
	slices.SortStableFunc(out, func(a, b block) int {
		return cmp.Or(cmp.Compare(a.story, b.story), cmp.Compare(a.from, b.from))
	})
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// span is what a block needs of its story: rows with their halo, and the windows behind those.
type span struct {
	rows    design.Rows // halo included
	halo    int         // rows of it before the block
	windows design.Rows
	weights []float32 // (rows, windows)
}

// spanOf finds a block's rows and windows. The halo ends at the story's start, where the delays see zeros.
func spanOf(st *stimulus, b block, halo int) span {
	halo = min(halo, b.from)
	sp := span{rows: design.Rows{From: b.from - halo, To: b.to}, halo: halo}
	sp.weights, sp.windows.From, sp.windows.To = st.training.Dense(sp.rows.From, sp.rows.To)
	return sp
}

// rowFeatures carries windows' vectors x (windows, E) to rows, standardised: (rows, E). Without statistics it takes
// those of the block itself.
func (sp span) rowFeatures(x *torch.Tensor, z *design.ZScore) *torch.Tensor {
	s := x.Scope()
	rows := sp.rows.To - sp.rows.From
	y := s.Zeros(rows, x.Dim(1)) // rows beyond the audio
	if len(sp.weights) > 0 {
		y = s.FromFloat32(sp.weights, rows, len(sp.weights)/rows).MatMul(x)
	}
	if z == nil {
		centred := y.Sub(y.MeanKeep(0))
		return centred.Div(centred.Square().MeanKeep(0).Shift(blockEps).Sqrt())
	}
	return y.Sub(vector(s, z.Mean)).Div(vector(s, z.SD))
}

// blockEps is the epsilon of PyTorch's InstanceNorm1d, which the authors' release uses.
const blockEps = 1e-5

func vector(s *torch.Scope, x []float64) *torch.Tensor {
	return s.FromFloat64(x, 1, len(x)).To(torch.Float32)
}
