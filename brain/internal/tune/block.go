package tune

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/brainwavlm/bwlm/brain/internal/study"
)

// Block is one optimizer step: consecutive rows of a story and the subjects with responses to them.
type Block struct {
	Story    string
	From, To int
	Subjects []int // indices of subjects
}

// Blocks returns the blocks of the training rows.
func Blocks(subjects []*study.Subject, size int, shared bool) []Block {
	return blocksOf(study.Train, subjects, size, shared)
}

// blocksOf cuts the rows of a split of all subjects into blocks of size rows. A remainder of less
// than half a block joins the block before it, since the gradient of one or two rows is noise and
// the temporal loss is undefined for them. Subjects with the same rows share a block (joint:
// shared), or each has their own (sequential).
func blocksOf(split study.Split, subjects []*study.Subject, size int, shared bool) (out []Block) {
	byRows := map[rowsKey]int{}
	for i, p := range subjects {
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

// Shuffled returns the blocks in the order of one epoch.
func Shuffled(bs []Block, seed uint64) []Block {
	out := slices.Clone(bs)
	slices.SortStableFunc(out, func(a, b Block) int {
		return cmp.Or(cmp.Compare(a.Story, b.Story), cmp.Compare(a.From, b.From))
	})
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
