package stats

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// tileColumns is the number of columns that are summed at a time: the sums of 50 blocks then take
// 200 kB and stay in cache.
const tileColumns = 64

// The sums over the rows of a block, for every column of a tile. p is base, q tuned, y the
// response.
const (
	sumP = iota
	sumPP
	sumPY
	sumQ
	sumQQ
	sumQY
	sumY
	sumYY
	sums
)

// drawScores holds the scores of one subject in one group.
type drawScores struct {
	voxels      int       // number of voxels that can be scored
	base, tuned []float64 // sums of r over those voxels, by draw
}

// memberships returns the groups of each column of subject s.
func memberships(groups []Group, s, voxels int) [][]int {
	member := make([][]int, voxels)
	for g, group := range groups {
		if group.Columns == nil {
			for v := range member {
				member[v] = append(member[v], g)
			}
			continue
		}
		for _, v := range group.Columns[s] {
			if !slices.Contains(member[v], g) { // a group is a set
				member[v] = append(member[v], g)
			}
		}
	}
	return member
}

// scoreDraws returns the sums of r over the voxels of each group in every draw, and the number of
// the subject's rows in each draw, which can be 0. member holds the groups of each column.
func scoreDraws(ctx context.Context, subject Subject, blocks []block, draws [][]float64,
	groups int, member [][]int) ([]drawScores, []float64, error) {
	scores := make([]drawScores, groups)
	for g := range scores {
		scores[g] = drawScores{base: make([]float64, len(draws)), tuned: make([]float64, len(draws))}
	}
	rows := make([]float64, len(draws))
	for d, draw := range draws {
		for _, b := range blocks {
			rows[d] += draw[b.index] * float64(b.to-b.from)
		}
	}
	columns := scorable(subject, member)
	for _, v := range columns {
		for _, g := range member[v] {
			scores[g].voxels++
		}
	}
	for tile := range slices.Chunk(columns, tileColumns) {
		if ctx.Err() != nil {
			return nil, nil, fault.Wrap(fault.Interrupted, "bootstrap", "", context.Cause(ctx))
		}
		blockSums := sumBlocks(subject, blocks, tile)
		parallel.Ranges(len(draws), 1, func(from, to int) {
			drawn := make([]float64, sums*len(tile))
			for d := from; d < to; d++ {
				clear(drawn)
				for i, b := range blocks {
					if times := draws[d][b.index]; times > 0 {
						floats.AddScaled(drawn, times, blockSums[i])
					}
				}
				for i, v := range tile {
					at := func(sum int) float64 { return drawn[sum*len(tile)+i] }
					base := pearson(rows[d], at(sumP), at(sumPP), at(sumY), at(sumYY), at(sumPY))
					tuned := pearson(rows[d], at(sumQ), at(sumQQ), at(sumY), at(sumYY), at(sumQY))
					for _, g := range member[v] {
						scores[g].base[d] += base
						scores[g].tuned[d] += tuned
					}
				}
			}
		})
	}
	return scores, rows, nil
}

// scorable returns the columns in some group whose responses and at least one prediction vary.
func scorable(subject Subject, member [][]int) []int {
	want := varying(subject, func(s Story) []float32 { return s.Responses })
	base := varying(subject, func(s Story) []float32 { return s.Base })
	tuned := varying(subject, func(s Story) []float32 { return s.Tuned })
	var columns []int
	for v, groups := range member {
		if len(groups) > 0 && want[v] && (base[v] || tuned[v]) {
			columns = append(columns, v)
		}
	}
	return columns
}

// varying reports which columns of a matrix, over all stories, vary and are finite.
func varying(subject Subject, matrix func(Story) []float32) []bool {
	yes, broken := make([]bool, subject.Voxels), make([]bool, subject.Voxels)
	first := matrix(subject.Stories[0])
	for _, story := range subject.Stories {
		for at, x := range matrix(story) {
			v := at % subject.Voxels
			yes[v] = yes[v] || x != first[v]
			broken[v] = broken[v] || x-x != 0 // NaN and ±Inf
		}
	}
	for v := range yes {
		yes[v] = yes[v] && !broken[v]
	}
	return yes
}

// sumBlocks returns the sums of each block for the columns of a tile, (blocks, sums × columns).
// Values are centred by their mean over all rows, so that [pearson] loses no precision.
func sumBlocks(subject Subject, blocks []block, tile []int) [][]float64 {
	n, width := subject.Voxels, len(tile)
	var rows float64
	mean := make([]float64, 3*width) // p, q, y
	for _, story := range subject.Stories {
		rows += float64(story.Rows)
		for t := range story.Rows {
			for i, v := range tile {
				mean[i] += float64(story.Base[t*n+v])
				if story.Tuned != nil {
					mean[width+i] += float64(story.Tuned[t*n+v])
				}
				mean[2*width+i] += float64(story.Responses[t*n+v])
			}
		}
	}
	floats.Scale(1/rows, mean)
	out := make([][]float64, len(blocks))
	for k, b := range blocks {
		story := subject.Stories[b.story]
		out[k] = make([]float64, sums*width)
		for t := b.from; t < b.to; t++ {
			for i, v := range tile {
				add := func(sum int, x float64) { out[k][sum*width+i] += x }
				p, y := float64(story.Base[t*n+v])-mean[i], float64(story.Responses[t*n+v])-mean[2*width+i]
				add(sumP, p)
				add(sumPP, p*p)
				add(sumPY, p*y)
				add(sumY, y)
				add(sumYY, y*y)
				if story.Tuned != nil {
					q := float64(story.Tuned[t*n+v]) - mean[width+i]
					add(sumQ, q)
					add(sumQQ, q*q)
					add(sumQY, q*y)
				}
			}
		}
	}
	return out
}

// pearson returns r from n and five sums. It is 0 if a variance is within the rounding of its two
// terms.
func pearson(n, x, xx, y, yy, xy float64) float64 {
	const rounding = 1e-12
	vx, vy := n*xx-x*x, n*yy-y*y
	if !(vx > rounding*n*xx) || !(vy > rounding*n*yy) {
		return 0
	}
	return clamp((n*xy - x*y) / math.Sqrt(vx*vy))
}
