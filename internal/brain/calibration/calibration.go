package calibration

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// Levels are those of the intervals, ascending.
var Levels = []float64{.5, .6, .7, .8, .9, .95, .99}

// Calibration is what validation rows say about the readout of one subject.
type Calibration struct {
	Columns    []int         // the voxels, as columns of the subject's responses
	R          []float64     // of each voxel; NaN where it is constant
	Clip       Intervals     // of features that are standardised by the clip's own statistics
	Training   Intervals     // of features that are standardised by Statistics
	Statistics design.ZScore // of the features over the training stories, not delayed
}

// Intervals are those of the voxels of a readout.
type Intervals struct {
	Rows, Blocks, BlockRows int       // what they were measured on, and the least rows of a block
	Intercept, Slope        []float64 // (voxels): the middle of an interval is a line of the prediction
	Half                    []float64 // (levels, voxels): half-widths; NaN where there are too few blocks
}

// Fit measures intervals on predicted and measured responses (rows, voxels). The rows are those of parts of the given
// lengths, each contiguous.
func Fit(pred, want []float32, voxels int, parts []int) Intervals {
	rows := 0
	for _, n := range parts {
		rows += n
	}
	x := Intervals{Rows: rows, Intercept: make([]float64, voxels), Slope: make([]float64, voxels),
		Half: make([]float64, len(Levels)*voxels)}
	residuals := make([]float32, rows*voxels)
	for v := range voxels {
		var s sums
		for k := range rows {
			s.add(float64(pred[k*voxels+v]), float64(want[k*voxels+v]))
		}
		x.Intercept[v], x.Slope[v] = s.line()
		for k := range rows {
			at := k*voxels + v
			residuals[at] = float32(float64(want[at]) - x.Intercept[v] - x.Slope[v]*float64(pred[at]))
		}
	}
	x.BlockRows = stats.BlockLength(stats.MedianAutocorrelationTime(residuals, parts, voxels))
	blocks := blocksOf(parts, x.BlockRows)
	x.Blocks = len(blocks)
	p, y := make([]float64, rows), make([]float64, rows)
	for v := range voxels {
		for k := range rows {
			p[k], y[k] = float64(pred[k*voxels+v]), float64(want[k*voxels+v])
		}
		for l, half := range halfWidths(p, y, blocks) {
			x.Half[l*voxels+v] = half
		}
	}
	return x
}

// blocksOf cuts each part into equal blocks of at least some rows; a shorter part is one block.
func blocksOf(parts []int, least int) (out []design.Rows) {
	begin := 0
	for _, rows := range parts {
		n := max(1, rows/least)
		for b := range n {
			if from, to := begin+rows*b/n, begin+rows*(b+1)/n; from < to {
				out = append(out, design.Rows{From: from, To: to})
			}
		}
		begin += rows
	}
	return out
}

// halfWidths returns the half-width of each level for one voxel, of which p is predicted and y measured.
func halfWidths(p, y []float64, blocks []design.Rows) []float64 {
	type residual struct{ size, weight float64 }
	var all sums
	of := make([]sums, len(blocks))
	for b, rows := range blocks {
		for k := rows.From; k < rows.To; k++ {
			of[b].add(p[k], y[k])
			all.add(p[k], y[k])
		}
	}
	var list []residual
	for b, rows := range blocks {
		a, c := all.less(of[b]).line()
		weight := 1 / (float64(len(blocks)+1) * float64(rows.Len()))
		for k := rows.From; k < rows.To; k++ {
			list = append(list, residual{math.Abs(y[k] - a - c*p[k]), weight})
		}
	}
	slices.SortFunc(list, func(a, b residual) int {
		switch {
		case a.size < b.size:
			return -1
		case a.size > b.size:
			return 1
		}
		return 0
	})
	const edge = 1e-9 // of a level; what rounding of weights may take
	out := make([]float64, len(Levels))
	at, total := 0, 0.
	for l, level := range Levels {
		for at < len(list) && total < level-edge {
			total += list[at].weight
			at++
		}
		if out[l] = math.NaN(); total >= level-edge && len(blocks) > 1 {
			out[l] = list[at-1].size
		}
	}
	return out
}

// sums are what a line is fitted from.
type sums struct{ n, x, y, xx, xy float64 }

func (s *sums) add(x, y float64) {
	s.n, s.x, s.y, s.xx, s.xy = s.n+1, s.x+x, s.y+y, s.xx+x*x, s.xy+x*y
}

// less returns the sums without those of a part.
func (s sums) less(part sums) sums {
	return sums{s.n - part.n, s.x - part.x, s.y - part.y, s.xx - part.xx, s.xy - part.xy}
}

// line returns intercept and slope, which is at least 0.
func (s sums) line() (intercept, slope float64) {
	if s.n == 0 {
		return 0, 0
	}
	const least = 1e-12 // of the mean square of x: below it, x is constant but for rounding
	variance := s.xx/s.n - s.x/s.n*(s.x/s.n)
	if variance > least*s.xx/s.n {
		slope = max(0, (s.xy/s.n-s.x/s.n*(s.y/s.n))/variance)
	}
	return s.y/s.n - slope*s.x/s.n, slope
}

// Pooled returns the statistics of stories together from those of each and their numbers of rows.
func Pooled(stories []design.ZScore, rows []int) design.ZScore {
	channels := len(stories[0].Mean)
	out := design.ZScore{Mean: make([]float64, channels), SD: make([]float64, channels)}
	total := 0.
	for _, n := range rows {
		total += float64(n)
	}
	for c := range channels {
		for i, z := range stories {
			out.Mean[c] += float64(rows[i]) / total * z.Mean[c]
		}
		variance := 0.
		for i, z := range stories {
			d := z.Mean[c] - out.Mean[c]
			variance += float64(rows[i]) / total * (z.SD[c]*z.SD[c] + d*d)
		}
		out.SD[c] = math.Sqrt(variance)
	}
	return out
}
