package brain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
)

// CompareOptions say how runs are compared. The zero value is useful.
type CompareOptions struct {
	Seed      uint64 // of the bootstrap
	Resamples int    // 0: 2000
}

// Comparison is what bwlm compare prints: runs on the same test rows of the same people.
type Comparison struct {
	Schema   int              `json:"schema"`
	Subjects []string         `json:"subjects"`
	Rows     int              `json:"rows"` // of the person with most
	Runs     []ComparedRun    `json:"runs"`
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
	Tuned     stats.Score  `json:"tuned"`
	LessBase  stats.Score  `json:"less_base"`            // less the untuned model as this run scored it
	LessFirst *stats.Score `json:"less_first,omitempty"` // less the first run; absent for that
}

const comparing = "compare runs"

// Compare compares finished runs by the predictions that their evaluations left, without data set or model. Runs whose
// people, test rows, regions or responses differ are refused with what differs.
//
// Intervals are those of stats.PairedBootstrap, and stand each for itself: none is corrected for the number of regions
// and runs looked at.
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
	root, err := os.OpenRoot(filepath.Join(dir, "eval"))
	if err != nil {
		return nil, fault.Wrap(fault.Missing, comparing, dir, err)
	}
	defer root.Close()
	var s Summary
	if err := readJSON(root, "summary.json", &s); err != nil {
		return nil, fault.Wrap(fault.BadData, comparing, filepath.Join(dir, "eval", "summary.json"), err)
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
		toBase, err := stats.PairedBootstrap(ctx, r.pair(run.base, run.tuned), groups, draw)
		toFirst := toBase
		if err == nil && k > 0 {
			toFirst, err = stats.PairedBootstrap(ctx, r.pair(r.tuned, run.tuned), groups, draw)
		}
		if err != nil {
			return nil, err
		}
		for g, score := range toBase.Groups {
			if k == 0 {
				out.Regions = append(out.Regions, ComparedRegion{Name: score.Name, Voxels: score.Voxels, Base: score.Base, Reason: score.Reason})
			}
			s := ComparedScore{Tuned: *score.Tuned, LessBase: *score.Delta}
			if k > 0 {
				s.LessFirst = toFirst.Groups[g].Delta
			}
			out.Regions[g].Scores = append(out.Regions[g].Scores, s)
		}
		out.note(r, run, toBase)
	}
	return out, nil
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
