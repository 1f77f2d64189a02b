package timing

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"

	"github.com/brainwavlm/bwlm/brain/design"
)

const (
	maxSuspects = 8   // stories of a subject that are compared: those that their own sound predicts worst
	swapVoxels  = 200 // voxels that are used, evenly spaced
	rolls       = 19  // of the responses in time, for the distribution of r by chance
	swapAt      = 4.  // SDs above chance, for subjects with a clear lag
	swapAlone   = 6.  // the same for the other subjects
)

// swaps finds, for each subject, pairs of stories whose responses are predicted better by the sound
// of the other than by their own, and better than by chance. One direction alone is no evidence:
// among several other stories one fits best even if the subject heard none of them.
func (d *check) swaps(ctx context.Context) error {
	if len(d.subjects) == 0 {
		return nil
	}
	subjectsOf := map[[2]string][]string{} // two stories → subjects
	var pairs [][2]string
	compared := 0
	for _, p := range d.subjects {
		exchanged, n, err := d.exchanged(ctx, p)
		if err != nil {
			return err
		}
		compared += n
		least := swapAlone
		if d.report.PerSubject[p.name].Clear {
			least = swapAt
		}
		for _, e := range exchanged {
			if e.excess <= least {
				continue
			}
			if subjectsOf[e.stories] == nil {
				pairs = append(pairs, e.stories)
			}
			subjectsOf[e.stories] = append(subjectsOf[e.stories], p.name)
		}
	}
	if compared == 0 {
		return nil
	}
	for _, pair := range pairs {
		d.addSwap(pair, subjectsOf[pair])
	}
	if len(pairs) == 0 {
		d.add(Finding{About: "stories", Verdict: OK, Text: "no two stories look swapped"})
	}
	return nil
}

// exchange is a pair of stories whose responses are each predicted best by the sound of the other.
type exchange struct {
	stories [2]string
	excess  float64 // of both r above chance, in SDs of chance
}

// exchanged returns the pairs of a subject, and the number of stories that were compared.
func (d *check) exchanged(ctx context.Context, p *subject) (out []exchange, compared int, err error) {
	c := d.compare(p)
	best := make([]*match, len(c.suspects))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range c.suspects {
		work.Go(func() error {
			best[i] = c.bestOther(i)
			return ctx.Err()
		})
	}
	if work.Wait() != nil {
		return nil, 0, context.Cause(ctx)
	}
	for _, m := range best {
		if m == nil {
			continue
		}
		compared++
		back := slices.IndexFunc(best, func(o *match) bool {
			return o != nil && o.answer == m.sound && o.sound == m.answer
		})
		if back < 0 || m.answer > m.sound { // each pair once
			continue
		}
		if o := best[back]; m.r > m.own && o.r > o.own {
			excess := (m.r - m.chance + o.r - o.chance) / math.Hypot(m.sd, o.sd)
			out = append(out, exchange{[2]string{m.answer, m.sound}, excess})
		}
	}
	return out, compared, nil
}

// addSwap adds a finding about two stories that look swapped in some subjects.
func (d *check) addSwap(pair [2]string, subjects []string) {
	where := fmt.Sprintf("%d subjects", len(subjects))
	switch {
	case len(subjects) == len(d.subjects) && len(subjects) > 1:
		where = "all subjects"
	case len(subjects) <= 3:
		where = joinFew(subjects)
	}
	f := Finding{About: "stories", Verdict: Wrong, Where: where,
		Text: fmt.Sprintf("%s and %s look swapped: each one's responses fit the other's sound", pair[0], pair[1]),
		Do:   "exchange the two matrices in dataset.yaml; if all subjects have them so, the two audio files"}
	d.add(f)
}

// comparison compares recordings of one subject with the sound of other stories.
type comparison struct {
	suspects []recording
	columns  []int      // of the answers
	lags     []float64  // a second apart
	far      float64    // seconds of roll beyond which responses and sound are unrelated
	all      []normal   // (lags) all recordings with their own sound
	own      [][]normal // (suspects, lags) their parts of all
}

// compare prepares the comparison of the recordings that may be swapped: those that their own sound
// predicts worst.
func (d *check) compare(p *subject) *comparison {
	c := &comparison{far: 2 * d.opt.MaxLag}
	own := map[*story]float64{}
	for _, a := range p.recordings {
		own[a.story] = *d.report.PerSubject[p.name].Stories[a.story.name].PeakR
	}
	sorted := slices.Clone(p.recordings)
	slices.SortStableFunc(sorted, func(a, b recording) int { return cmp.Compare(own[a.story], own[b.story]) })
	c.suspects = sorted[:min(len(sorted), maxSuspects)]
	for i := range min(p.voxels, swapVoxels) {
		c.columns = append(c.columns, i*p.voxels/min(p.voxels, swapVoxels))
	}
	for i := 0; i < len(d.lags); i += int(1 / lagStep) {
		c.lags = append(c.lags, d.lags[i])
	}
	c.all, c.own = make([]normal, len(c.lags)), make([][]normal, len(c.suspects))
	for i, a := range sorted {
		y := c.responses(a, a.rows)
		for l, x := range c.featuresAt(a.story, a.rows) {
			n := sum(x, y)
			c.all[l].add(&n)
			if i < len(c.suspects) {
				c.own[i] = append(c.own[i], n)
			}
		}
	}
	return c
}

// othersThan returns the normal equations of all recordings except two suspects, by lag: the
// recordings that are known to be right for the purpose of comparing these two.
func (c *comparison) othersThan(i, j int) []normal {
	out := make([]normal, len(c.lags))
	for l := range out {
		out[l] = c.all[l].less(&c.own[i][l])
		out[l] = out[l].less(&c.own[j][l])
	}
	return out
}

// responses returns rows of a recording, detrended and standardised.
func (c *comparison) responses(a recording, rows design.Rows) *mat.Dense {
	m := a.raw.Select(c.columns)
	n := rows.To - rows.From
	return dense(standardise(m.Data[rows.From*m.Voxels:rows.To*m.Voxels], n, m.Voxels, a.story.clock.TR), n)
}

// featuresAt returns the features of a story at some rows, by lag, (rows, features).
func (c *comparison) featuresAt(s *story, rows design.Rows) []*mat.Dense {
	all := dense(s.predictors(rows, c.lags), rows.To-rows.From)
	out := make([]*mat.Dense, len(c.lags))
	for l := range out {
		out[l] = all.Slice(0, rows.To-rows.From, l*len(s.features), (l+1)*len(s.features)).(*mat.Dense)
	}
	return out
}

// match is the other story whose sound predicts the responses to a story best.
type match struct {
	answer, sound string
	r, own        float64 // with the sound of that story and of its own
	chance, sd    float64 // mean and SD of r with responses rolled in time
}

// bestOther compares suspect i with the sound of the other suspects; nil if there is none to
// compare with.
func (c *comparison) bestOther(i int) *match {
	a, best, top := c.suspects[i], -1, 0.
	both := func(j int) design.Rows {
		b := c.suspects[j]
		return design.Rows{From: max(a.rows.From, b.rows.From), To: min(a.rows.To, b.rows.To)}
	}
	for j, b := range c.suspects {
		rows := both(j)
		if b.story.stimulus == a.story.stimulus || rows.To-rows.From < minRows {
			continue
		}
		if r := c.bestR(c.featuresAt(b.story, rows), c.responses(a, rows), c.othersThan(i, j)); best < 0 || r > top {
			best, top = j, r
		}
	}
	if best < 0 {
		return nil
	}
	b, rows, others := c.suspects[best], both(best), c.othersThan(i, best)
	y := c.responses(a, rows)
	m := &match{answer: a.story.name, sound: b.story.name, r: top, own: c.bestR(c.featuresAt(a.story, rows), y, others)}
	m.chance, m.sd = c.chance(c.featuresAt(b.story, rows), y, others, a.story.clock.TR)
	return m
}

// bestR returns r at the lag with the best prediction of y from sound. The normal equations of
// others are training data, too.
func (c *comparison) bestR(sound []*mat.Dense, y *mat.Dense, others []normal) float64 {
	top := math.Inf(-1)
	for l, x := range sound {
		mean, rows := 0., heldOut(x, y, &others[l])
		for _, v := range rows {
			mean += v / float64(len(rows))
		}
		top = max(top, mean)
	}
	return top
}

// chance returns the mean and SD of r for responses that are rolled in time, by more than the range
// of the scan if there are enough rows.
func (c *comparison) chance(sound []*mat.Dense, y *mat.Dense, others []normal, tr float64) (mean, sd float64) {
	rows, voxels := y.Dims()
	near := int(math.Ceil(c.far / tr))
	if rows-2*near < rolls {
		near = rows / 4
	}
	square := 0.
	rolled := mat.NewDense(rows, voxels, nil)
	for i := range rolls {
		by := near + (rows-2*near)*i/(rolls-1)
		for k := range rows {
			rolled.SetRow((k+by)%rows, y.RawRowView(k))
		}
		r := c.bestR(sound, rolled, others)
		mean, square = mean+r/rolls, square+r*r/rolls
	}
	return mean, math.Sqrt(max(square-mean*mean, 0))
}
