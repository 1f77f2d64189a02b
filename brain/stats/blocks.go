package stats

import "math/rand/v2"

// blockPlan divides the stories of all subjects into blocks, with the rows of each subject.
type blockPlan struct {
	rows   int       // least rows of a block
	total  int       // number of blocks
	blocks [][]block // by subject
}

// block is the rows of one subject in one block.
type block struct {
	index int // of the block in the plan
	story int // index among the subject's stories
	from  int
	to    int // exclusive
}

// newPlan cuts every story, at the length of its longest version among the subjects, into equal
// blocks of at least the given number of rows. A shorter story is one block.
func newPlan(subjects []Subject, rows int) *blockPlan {
	longest := map[string]int{}
	var names []string // in the order of first appearance
	for _, subject := range subjects {
		for _, story := range subject.Stories {
			if _, known := longest[story.Name]; !known {
				names = append(names, story.Name)
			}
			longest[story.Name] = max(longest[story.Name], story.Rows)
		}
	}
	p := &blockPlan{rows: rows, blocks: make([][]block, len(subjects))}
	first := map[string]int{}
	for _, name := range names {
		first[name] = p.total
		p.total += blocksOf(longest[name], rows)
	}
	for s, subject := range subjects {
		for i, story := range subject.Stories {
			n, whole := blocksOf(longest[story.Name], rows), longest[story.Name]
			for b := range n {
				from, to := whole*b/n, min(whole*(b+1)/n, story.Rows)
				if from < to {
					p.blocks[s] = append(p.blocks[s], block{index: first[story.Name] + b, story: i, from: from, to: to})
				}
			}
		}
	}
	return p
}

func blocksOf(rows, least int) int { return max(1, rows/least) }

// count returns the number of blocks in which the subjects of a group have rows.
func (p *blockPlan) count(group Group) int {
	seen := map[int]bool{}
	for s, blocks := range p.blocks {
		if !group.includes(s) {
			continue
		}
		for _, b := range blocks {
			seen[b.index] = true
		}
	}
	return len(seen)
}

// draw returns the number of times that each block is drawn: once in draw 0, which is the sample
// itself, and at random with replacement in the others.
func (p *blockPlan) draw(resamples int, seed uint64) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 0))
	draws := make([][]float64, 1+resamples)
	for d := range draws {
		draws[d] = make([]float64, p.total)
		for b := range draws[d] {
			if d == 0 {
				draws[d][b] = 1
			} else {
				draws[d][rng.IntN(p.total)]++
			}
		}
	}
	return draws
}
