package timing

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/stats"
)

const (
	draws     = 500
	minBlocks = 20 // with fewer there is no interval, as in package stats
	clearZ    = 3. // standard errors above 0
)

// layout divides the scanned rows of all stories into blocks. No block crosses the middle of its
// story.
type layout struct {
	rows   int // least rows of a block
	blocks []place
}

// place is one block: rows of a story, within its first (0) or second (1) half.
type place struct {
	story *story
	rows  design.Rows
	half  int
}

// cutBlocks cuts the scanned rows of each story into blocks, at the length of its longest
// recording.
func (d *check) cutBlocks() layout {
	var taus []float64
	for _, p := range d.subjects {
		taus = append(taus, p.tau())
	}
	slices.Sort(taus)
	l := layout{rows: stats.BlockLength(taus[len(taus)/2])}
	for _, s := range d.stories {
		r := s.scannedRows(s.rows[1], d.lags)
		for half := range 2 {
			from, to := r.From+(r.To-r.From)*half/2, r.From+(r.To-r.From)*(half+1)/2
			n := max(1, (to-from)/l.rows)
			for b := range n {
				rows := design.Rows{From: from + (to-from)*b/n, To: from + (to-from)*(b+1)/n}
				l.blocks = append(l.blocks, place{s, rows, half})
			}
		}
	}
	return l
}

// sums holds the fits of a subject, summed over the rows of each block.
type sums struct {
	fit  [][]float64 // (blocks, lags)
	rows []float64   // of each block
}

func (p *subject) sums(l layout, lags int) sums {
	out := sums{make([][]float64, len(l.blocks)), make([]float64, len(l.blocks))}
	for b, block := range l.blocks {
		out.fit[b] = make([]float64, lags)
		row := 0
		for _, a := range p.recordings {
			from, to := max(a.rows.From, block.rows.From), min(a.rows.To, block.rows.To)
			if a.story == block.story && from < to {
				out.rows[b] = float64(to - from)
				for i := range out.fit[b] {
					for k := from; k < to; k++ {
						out.fit[b][i] += p.fit[i][row+k-a.rows.From]
					}
				}
			}
			row += a.rows.To - a.rows.From
		}
	}
	return out
}

// curve returns r at each lag: the mean over subjects with rows in the blocks of their mean over
// rows. Blocks are weighted by keep and, unless drawn is nil, by the number of times they were
// drawn.
func curve(subjects []sums, drawn []float64, keep func(block int) float64, lags int) []float64 {
	out, n := make([]float64, lags), 0.
	for _, p := range subjects {
		one, rows := make([]float64, lags), 0.
		for b := range p.fit {
			w := keep(b)
			if drawn != nil {
				w *= drawn[b]
			}
			if w == 0 || p.rows[b] == 0 {
				continue
			}
			rows += w * p.rows[b]
			for i, x := range p.fit[b] {
				one[i] += w * x
			}
		}
		if rows > 0 {
			n++
			for i := range one {
				out[i] += one[i] / rows
			}
		}
	}
	for i := range out {
		out[i] /= max(n, 1)
	}
	return out
}

// sample is the estimate of one curve with its bootstrap draws.
type sample struct {
	Estimate
	curve []float64
	drawn []float64 // lags at the peak of each draw
	peakZ float64   // peak r in standard errors above 0; 0 if the peak is at an end of the scan
}

// examine finds the peak of the curve over the blocks that keep weights, and its uncertainty.
func (d *check) examine(subjects []sums, counts [][]float64, keep func(block int) float64) sample {
	n := len(d.lags)
	whole := curve(subjects, nil, keep, n)
	lag, r, inside := peak(d.lags, whole)
	out := sample{curve: whole}
	out.Lag, out.PeakR = &lag, &r
	blocks := 0
	for b := range subjects[0].fit {
		if keep(b) > 0 && slices.ContainsFunc(subjects, func(p sums) bool { return p.rows[b] > 0 }) {
			blocks++
		}
	}
	if blocks < 2 {
		return out
	}
	top := slices.Index(whole, slices.Max(whole))
	var mean, square float64
	for _, drawn := range counts {
		c := curve(subjects, drawn, keep, n)
		at, _, _ := peak(d.lags, c)
		out.drawn = append(out.drawn, at)
		mean, square = mean+c[top]/draws, square+c[top]*c[top]/draws
	}
	if sd := math.Sqrt(max(square-mean*mean, 0)); inside && sd > 0 {
		out.peakZ = whole[top] / sd
	}
	out.Clear = out.peakZ > clearPeak(blocks)
	if blocks >= minBlocks {
		out.CI95 = percentileInterval(out.drawn)
	}
	return out
}

// clearPeak returns the standard errors above 0 that a clear peak has at least. With few blocks these are uncertain
// themselves, and too small in a bootstrap.
func clearPeak(blocks int) float64 {
	if blocks >= minBlocks {
		return clearZ
	}
	n := float64(blocks)
	few := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	return math.Sqrt(n/(n-1)) * few.Quantile(distuv.UnitNormal.CDF(clearZ))
}

// percentileInterval returns the 2.5 to 97.5 percentile of x.
func percentileInterval(x []float64) *stats.Interval {
	sorted := slices.Sorted(slices.Values(x))
	tail := len(sorted) / 40
	return &stats.Interval{sorted[tail], sorted[len(sorted)-1-tail]}
}

// estimate finds the lag over all subjects, of each subject, and of each subject in each story, and
// whether it grows within stories.
func (d *check) estimate(context.Context) error {
	if len(d.subjects) == 0 {
		return nil
	}
	l := d.cutBlocks()
	subjects := make([]sums, len(d.subjects))
	for i, p := range d.subjects {
		subjects[i] = p.sums(l, len(d.lags))
	}
	rng := rand.New(rand.NewPCG(d.opt.Seed, uint64(len(l.blocks))))
	counts := make([][]float64, draws)
	for i := range counts {
		counts[i] = make([]float64, len(l.blocks))
		for range l.blocks {
			counts[i][rng.IntN(len(l.blocks))]++
		}
	}
	all := func(int) float64 { return 1 }
	pooled := d.examine(subjects, counts, all)
	d.report.Estimate, d.report.R, d.peakZ = pooled.Estimate, pooled.curve, map[*subject]float64{}
	for i, p := range d.subjects {
		own := d.examine(subjects[i:i+1], counts, all)
		d.peakZ[p] = own.peakZ
		subject := Subject{Estimate: own.Estimate, Voxels: p.voxels, R: own.curve, Stories: map[string]Estimate{}}
		for _, a := range p.recordings {
			subject.Stories[a.story.name] = d.examine(subjects[i:i+1], counts, func(b int) float64 {
				if l.blocks[b].story == a.story {
					return 1
				}
				return 0
			}).Estimate
		}
		d.report.PerSubject[p.name] = subject
	}
	d.drift(l, subjects, counts)
	return nil
}
