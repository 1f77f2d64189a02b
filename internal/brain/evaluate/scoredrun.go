package evaluate

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/npy"
)

// comparing is the operation of errors.
const comparing = "compare runs"

// scored is the evaluation of a run as its files have it.
type scored struct {
	Dir         string
	Chosen      int
	Layout      results.Layout
	Want        [][]float32 // by subject, (rows, voxels)
	Base, Tuned [][]float32
	untuned     bool // training left the features alone
	testRepeats string
}

// readScored reads the evaluation of a run.
func readScored(dir string) (*scored, error) {
	if err := rundir.CheckFiles(comparing, dir); err != nil {
		return nil, err
	}
	r := &scored{Dir: dir}
	var err error
	if r.Layout, err = results.ReadLayout(dir); err != nil {
		return nil, err
	}
	var s results.Summary
	if err := jsonfile.ReadOwn(comparing, dir, filepath.Join("eval", "summary.json"), &s); err != nil {
		return nil, err
	}
	r.Chosen, r.testRepeats = s.Chosen, s.Test.TestRepeats
	for _, p := range r.Layout.Subjects {
		for name, into := range map[string]*[][]float32{"responses": &r.Want, "base_pred": &r.Base,
			"tuned_pred": &r.Tuned} {
			x, err := matrixOf(p, dir, name)
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
		r.Tuned = r.Base
	}
	return r, nil
}

// matrixOf reads one of a subject's matrices (rows, voxels).
func matrixOf(p results.LayoutSubject, run, name string) ([]float32, error) {
	if !filepath.IsLocal(p.Name) {
		return nil, fault.New(fault.BadData, comparing, filepath.Join(run, results.LayoutFile),
			"%q is no name of a folder", p.Name)
	}
	path := filepath.Join(run, "eval", "test", p.Name, name+".npy")
	a, err := npy.Read(path)
	if err != nil {
		return nil, err
	}
	if want := []int{p.Count(), p.Voxels}; !slices.Equal(a.Shape, want) {
		return nil, fault.New(fault.BadData, comparing, path, "shape %v, the layout says %v", a.Shape, want).
			WithHint("evaluate %s again", run)
	}
	return a.Float32()
}

// correct gives each difference its q.
func correct(c *results.Comparison) {
	var all []*results.ComparedDelta
	var p []float64
	for _, region := range c.ROIs {
		for k := range region.Scores {
			s := &region.Scores[k]
			all = append(all, &s.Delta)
			if s.DeltaFirst != nil {
				all = append(all, s.DeltaFirst)
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

// note adds remarks on a run for readers of the table.
func note(c *results.Comparison, first, run *scored, b *stats.BootstrapResult) {
	if run.testRepeats != "" {
		c.Notes = append(c.Notes, run.Dir+": "+run.testRepeats)
	}
	if run.untuned {
		c.Notes = append(c.Notes,
			fmt.Sprintf("%s trained its readout only, so its features score as the untuned model's", run.Dir))
	}
	if !reflect.DeepEqual(first.Base, run.Base) {
		c.Notes = append(c.Notes,
			fmt.Sprintf("%s has an untuned score of its own (another layer, seed or alphas): all voxels %.3f, %s has "+
				"%.3f",
				run.Dir, b.Groups[0].Base.Mean, first.Dir, c.ROIs[0].Base.Mean))
	}
}
