package brain

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// CompareOptions say how runs are compared. The zero value is useful.
type CompareOptions struct {
	Seed         uint64     // of the bootstrap and of the paired test
	Resamples    int        // 0: 2000
	Permutations int        // 0: 1000
	Unit         stats.Unit // what the paired test swaps: blocks of rows, stories or people
}

// Comparison is what bwlm compare prints: runs on the same test rows of the same people.
type Comparison struct {
	Schema   int              `json:"schema"`
	Subjects []string         `json:"subjects"`
	Rows     int              `json:"rows"` // of the person with most
	Runs     []ComparedRun    `json:"runs"`
	Units    int              `json:"units"`   // that the paired test can swap, of all voxels: with n no p is below 2/2ⁿ
	Regions  []ComparedRegion `json:"regions"` // all voxels first, with the name ""
	Notes    []string         `json:"notes,omitempty"`
}

// ComparedRun is one run.
type ComparedRun struct {
	Dir    string `json:"dir"`
	Chosen int    `json:"chosen_epoch"`
}

// ComparedRegion is the scores of one region; Scores has a place for each run.
type ComparedRegion struct {
	Name   string          `json:"name"`
	Voxels int             `json:"voxels"` // scored, over all people
	Base   stats.Score     `json:"base"`   // the untuned model, as the first run scored it
	Scores []ComparedScore `json:"scores"`
	Reason string          `json:"no_interval_because,omitempty"`
}

// ComparedScore is one run in one region. The differences are paired: from the same draws of test rows.
type ComparedScore struct {
	Tuned     stats.Score    `json:"tuned"`
	LessBase  ComparedDelta  `json:"less_base"`            // less the untuned model as this run scored it
	LessFirst *ComparedDelta `json:"less_first,omitempty"` // less the first run; absent for that
}

// ComparedDelta is a difference. Q counts every difference of the comparison as one family.
type ComparedDelta struct {
	stats.Score
	Significance
}

const comparing = "compare runs"

// Compare compares finished runs by the predictions that their evaluations left, without data set or model. Runs whose
// people, test rows, regions or responses differ are refused with what differs.
//
// Intervals are those of stats.PairedBootstrap, and stand each for itself: none is corrected for the number of regions
// and runs looked at. P is that of stats.PairedTest.
func Compare(ctx context.Context, dirs []string, opt CompareOptions) (*Comparison, error) {
	if len(dirs) < 2 {
		return nil, fault.New(fault.Usage, comparing, "", "%d run, want at least 2", len(dirs))
	}
	runs := make([]*scoredRun, len(dirs))
	for i, dir := range dirs {
		var err error
		if runs[i], err = readScored(dir); err != nil {
			return nil, err
		}
		if err := runs[0].sameTest(runs[i]); err != nil {
			return nil, err
		}
	}
	return runs[0].against(ctx, runs, opt)
}

// scoredRun is the evaluation of a run as its files have it.
type scoredRun struct {
	dir         string
	chosen      int
	layout      layout
	want        [][]float32 // by person, (rows, voxels)
	base, tuned [][]float32
	untuned     bool // training left the features alone
}

func readScored(dir string) (*scoredRun, error) {
	r := &scoredRun{dir: dir}
	var err error
	if r.layout, err = readLayout(dir); err != nil {
		return nil, err
	}
	var s Summary
	if err := jsonfile.Read(comparing, filepath.Join(dir, "eval", "summary.json"), &s); err != nil {
		return nil, err
	}
	r.chosen = s.Chosen
	for _, p := range r.layout.People {
		for name, into := range map[string]*[][]float32{"responses": &r.want, "base_pred": &r.base, "tuned_pred": &r.tuned} {
			x, err := p.matrix(dir, name)
			if name == "tuned_pred" && s.Test.Tuned == nil {
				r.untuned = true
				continue
			}
			if err != nil {
				return nil, err
			}
			*into = append(*into, x)
		}
	}
	if r.untuned {
		r.tuned = r.base
	}
	return r, nil
}

// matrix reads one of a person's matrices (rows, voxels).
func (p layoutPerson) matrix(run, name string) ([]float32, error) {
	if !filepath.IsLocal(p.Name) {
		return nil, fault.New(fault.BadData, comparing, filepath.Join(run, layoutFile), "%q is no name of a folder", p.Name)
	}
	path := filepath.Join(run, "eval", "test", p.Name, name+".npy")
	a, err := ckpt.ReadNPY(path)
	if err != nil {
		return nil, err
	}
	if want := []int{p.count(), p.Voxels}; !slices.Equal(a.Shape, want) {
		return nil, fault.New(fault.BadData, comparing, path, "shape %v, the layout says %v", a.Shape, want).
			Advise("write the scores again with `bwlm eval %s`", run)
	}
	return a.Float32()
}

// sameTest refuses a run that was tested on something else.
func (r *scoredRun) sameTest(o *scoredRun) error {
	differ := func(what string, a, b any) error {
		return fault.New(fault.BadData, comparing, o.dir, "%s: %v, %s has %v", what, b, r.dir, a).
			Advise("compare runs that were tested on the same")
	}
	if a, b := r.layout.names(), o.layout.names(); !slices.Equal(a, b) {
		return differ("people", a, b)
	}
	for i, p := range r.layout.People {
		q := o.layout.People[i]
		switch {
		case p.Voxels != q.Voxels:
			return differ("voxels of "+p.Name, p.Voxels, q.Voxels)
		case !slices.Equal(p.Rows, q.Rows):
			return differ("test rows of "+p.Name, p.rowsOf(), q.rowsOf())
		}
		for _, region := range p.Regions {
			if columns, ok := q.region(region.Name); ok && !slices.Equal(columns, region.Columns) {
				return differ(fmt.Sprintf("region %s of %s", region.Name, p.Name), fmt.Sprint(len(region.Columns), " voxels"),
					fmt.Sprint(len(columns), " voxels, not the same"))
			}
		}
		for k, v := range r.want[i] {
			if o.want[i][k] != v {
				return fault.New(fault.BadData, comparing, o.dir, "responses of %s: row %d, voxel %d is %g, %s has %g", p.Name, k/p.Voxels, k%p.Voxels,
					o.want[i][k], r.dir, v).Advise("compare runs on the same data with the same data.detrend and data.zscore")
			}
		}
	}
	return nil
}

func (l layout) names() (out []string) {
	for _, p := range l.People {
		out = append(out, p.Name)
	}
	return out
}

func (p layoutPerson) region(name string) ([]int, bool) {
	for _, r := range p.Regions {
		if r.Name == name {
			return r.Columns, true
		}
	}
	return nil, false
}

// groups are all voxels, and the regions that all runs have.
func (r *scoredRun) groups(runs []*scoredRun) []stats.Group {
	out := []stats.Group{{Name: everything}}
	for _, region := range r.layout.People[0].Regions {
		g := stats.Group{Name: region.Name}
		for _, p := range r.layout.People {
			columns, _ := p.region(region.Name)
			g.Columns = append(g.Columns, columns)
		}
		lacks := func(o *scoredRun) bool { _, ok := o.layout.People[0].region(region.Name); return !ok }
		if !slices.ContainsFunc(runs, lacks) {
			out = append(out, g)
		}
	}
	return out
}

// pair sets two predictions of the same rows beside the responses.
func (r *scoredRun) pair(base, tuned [][]float32) []stats.Subject {
	out := make([]stats.Subject, len(r.layout.People))
	for i, p := range r.layout.People {
		out[i].Voxels = p.Voxels
		from := 0
		names := p.rowsOf()
		for k, rows := range p.Rows {
			to := from + (rows.To-rows.From)*p.Voxels
			out[i].Stories = append(out[i].Stories, stats.Story{Name: names[k], Rows: rows.To - rows.From,
				Want: r.want[i][from:to], Base: base[i][from:to], Tuned: tuned[i][from:to]})
			from = to
		}
	}
	return out
}

// against compares runs that were tested on the same, r being the first of them.
func (r *scoredRun) against(ctx context.Context, runs []*scoredRun, opt CompareOptions) (*Comparison, error) {
	out := &Comparison{Schema: 1, Subjects: r.layout.names()}
	for _, p := range r.layout.People {
		out.Rows = max(out.Rows, p.count())
	}
	groups := r.groups(runs)
	draw := stats.BootstrapOptions{Seed: opt.Seed, Resamples: opt.Resamples}
	for k, run := range runs {
		out.Runs = append(out.Runs, ComparedRun{run.dir, run.chosen})
		differences := func(base [][]float32) (*stats.Bootstrap, *stats.Paired, error) {
			subjects := r.pair(base, run.tuned)
			b, err := stats.PairedBootstrap(ctx, subjects, groups, draw)
			if err != nil {
				return nil, nil, err
			}
			t, err := stats.PairedTest(ctx, subjects, groups, stats.PairedOptions{Seed: opt.Seed, Permutations: opt.Permutations, Unit: opt.Unit})
			return b, t, err
		}
		toBase, baseTest, err := differences(run.base)
		toFirst, firstTest := toBase, baseTest
		if err == nil && k > 0 {
			toFirst, firstTest, err = differences(r.tuned)
		}
		if err != nil {
			return nil, err
		}
		for g, score := range toBase.Groups {
			if k == 0 {
				out.Regions = append(out.Regions, ComparedRegion{Name: score.Name, Voxels: score.Voxels, Base: score.Base, Reason: score.Reason})
			}
			s := ComparedScore{Tuned: *score.Tuned, LessBase: ComparedDelta{*score.Delta, Significance{P: baseTest.Groups.P[g]}}}
			if k > 0 {
				s.LessFirst = &ComparedDelta{*toFirst.Groups[g].Delta, Significance{P: firstTest.Groups.P[g]}}
			}
			out.Regions[g].Scores = append(out.Regions[g].Scores, s)
		}
		out.Units = baseTest.Units[0]
		out.note(r, run, toBase)
	}
	out.correct()
	return out, nil
}

// correct gives each difference its q.
func (c *Comparison) correct() {
	var all []*ComparedDelta
	var p []float64
	for _, region := range c.Regions {
		for k := range region.Scores {
			s := &region.Scores[k]
			all = append(all, &s.LessBase)
			if s.LessFirst != nil {
				all = append(all, s.LessFirst)
			}
		}
	}
	for _, d := range all {
		p = append(p, d.P)
	}
	for i, q := range stats.BenjaminiHochberg(p) {
		all[i].Q = q
	}
}

// note says what the reader of the table should know of a run.
func (c *Comparison) note(first, run *scoredRun, b *stats.Bootstrap) {
	if run.untuned {
		c.Notes = append(c.Notes, fmt.Sprintf("%s trained its readout only, so its features score as the untuned model's", run.dir))
	}
	if !reflect.DeepEqual(first.base, run.base) {
		c.Notes = append(c.Notes, fmt.Sprintf("%s has an untuned score of its own (another layer, seed or alphas): all voxels %.3f, %s has %.3f",
			run.dir, b.Groups[0].Base.Mean, first.dir, c.Regions[0].Base.Mean))
	}
}
