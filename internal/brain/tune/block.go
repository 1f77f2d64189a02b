package tune

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Block is one optimizer step: consecutive rows of a story and the subjects with responses to them.
type Block struct {
	Story    string
	From, To int
	Subjects []int // indices of subjects
}

// Blocks are those of training.
func Blocks(subjects []*study.Subject, train experiment.Train) []Block {
	return blocksOf(study.Train, subjects, train, train.Joint == experiment.JointShared)
}

// blocksOf cuts the rows of a split of all subjects into blocks of train.block_rows. A rest of less than half a block
// goes with the block before it: a step on one or two rows would be noise, and to the temporal loss nothing at all.
// With last_block: keep it is a block of its own from two rows on, and one row is in none, as in the authors'
// released code. Subjects who heard the same rows share a block (joint: shared), or each has their own (sequential).
func blocksOf(split study.Split, subjects []*study.Subject, train experiment.Train, shared bool) (out []Block) {
	byRows := map[rowsKey]int{}
	for i, p := range subjects {
		for _, r := range p.Parts[split] {
			for from, to := r.From, 0; from < r.To; from = to {
				to = blockEnd(from, r.To, train)
				if to-from < min(leastKept, train.BlockRows) && train.LastBlock == "keep" {
					break
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

// leastKept is the number of rows from which last_block: keep makes a rest a block.
const leastKept = 2

// blockEnd returns the row before which a block that begins at a row ends, in a part that ends before row end.
func blockEnd(from, end int, train experiment.Train) int {
	to := from + train.BlockRows
	if train.LastBlock == "keep" {
		return min(to, end)
	}
	if end-to < (train.BlockRows+1)/2 {
		return end
	}
	return to
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

// Listed is the order of blocks story by story, as the stories first come in bs, the same in every epoch.
func Listed(bs []Block) []Block {
	place := map[string]int{}
	for _, b := range bs {
		if _, ok := place[b.Story]; !ok {
			place[b.Story] = len(place)
		}
	}
	out := slices.Clone(bs)
	slices.SortStableFunc(out, func(a, b Block) int { return cmp.Compare(place[a.Story], place[b.Story]) })
	return out
}
