package tune

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/internal/windows"
	"github.com/brainwavlm/bwlm/torch"
)

// Block is one optimizer step: some consecutive rows of a story, and who answered to them.
type Block struct {
	Story    string
	From, To int
	Subjects []int // indices of people
}

// Blocks are those of training.
func Blocks(people []*study.Subject, size int, shared bool) []Block {
	return blocksOf(study.Train, people, size, shared)
}

// blocksOf cuts the rows of a split of all people into blocks of size rows. A rest of less than half a block goes with the
// block before it: a step on one or two rows would be noise, and to the temporal loss nothing at all. People who heard
// the same rows share a block (joint: shared), or each has their own (sequential).
func blocksOf(split study.Split, people []*study.Subject, size int, shared bool) (out []Block) {
	byRows := map[rowsKey]int{}
	for i, p := range people {
		for _, r := range p.Parts[split] {
			for from, to := r.From, 0; from < r.To; from = to {
				if to = from + size; r.To-to < (size+1)/2 {
					to = r.To
				}
				key := rowsKey{r.Story, from, to}
				if k, ok := byRows[key]; ok && shared {
					out[k].Subjects = append(out[k].Subjects, i)
					continue
				}
				byRows[key] = len(out)
				out = append(out, Block{r.Story, from, to, []int{i}})
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

// Shuffled is the order of blocks in one epoch.
func Shuffled(bs []Block, seed uint64) []Block {
	out := slices.Clone(bs)
	slices.SortStableFunc(out, func(a, b Block) int {
		return cmp.Or(cmp.Compare(a.Story, b.Story), cmp.Compare(a.From, b.From))
	})
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// span is what a block needs of its story: rows with their halo, and the windows behind those.
type span struct {
	Rows    design.Rows // halo included
	Halo    int         // rows of it before the block
	Windows design.Rows
	Weights []float32 // (rows, windows)
}

// SpanOf finds a block's rows and windows. The halo ends at the story's start, where the delays see zeros.
func SpanOf(st *windows.Stimulus, b Block, halo int) span {
	halo = min(halo, b.From)
	sp := span{Rows: design.Rows{From: b.From - halo, To: b.To}, Halo: halo}
	sp.Weights, sp.Windows.From, sp.Windows.To = st.Training.Dense(sp.Rows.From, sp.Rows.To)
	return sp
}

// RowFeatures carries windows' vectors x (windows, E) to rows, standardised: (rows, E). Without statistics it takes
// those of the block itself.
func (sp span) RowFeatures(x *torch.Tensor, z *design.ZScore) *torch.Tensor {
	s := x.Scope()
	rows := sp.Rows.To - sp.Rows.From
	y := s.Zeros(rows, x.Dim(1)) // rows beyond the audio
	if len(sp.Weights) > 0 {
		y = s.FromFloat32(sp.Weights, rows, len(sp.Weights)/rows).MatMul(x)
	}
	if z == nil {
		centred := y.Sub(y.MeanKeep(0))
		return centred.Div(centred.Square().MeanKeep(0).AddScalar(blockEps).Sqrt())
	}
	return y.Sub(vector(s, z.Mean)).Div(vector(s, z.SD))
}

// blockEps is the epsilon of PyTorch's InstanceNorm1d, which the authors' release uses.
const blockEps = 1e-5

func vector(s *torch.Scope, x []float64) *torch.Tensor {
	return s.FromFloat64(x, 1, len(x)).ToType(torch.Float32)
}
