package results

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/npy"
)

// CompareOptions say how runs are compared. The zero value is useful.
type CompareOptions struct {
	Seed         uint64     // of the bootstrap and of the paired test
	Resamples    int        // 0: 2000
	Permutations int        // 0: 1000
	Unit         stats.Unit // what the paired test swaps: blocks of rows, stories or subjects
}

// Comparison is what bwlm compare prints: runs on the same test rows of the same subjects.
type Comparison struct {
	Schema   int           `json:"schema"`
	Subjects []string      `json:"subjects"`
	Rows     int           `json:"rows"` // of the subject with most
	Runs     []ComparedRun `json:"runs"`
	Units    int           `json:"units"` // that the paired test can swap, of all voxels: with n no p is below 2/2ⁿ
	ROIs     []ComparedROI `json:"rois"`  // all voxels first, with the name ""
	Notes    []string      `json:"notes,omitempty"`
}

// ComparedRun is one run.
type ComparedRun struct {
	Dir    string `json:"dir"`
	Chosen int    `json:"chosen_epoch"`
}

// ComparedROI is the scores of one region; Scores has a place for each run.
type ComparedROI struct {
	Name   string          `json:"name"`
	Voxels int             `json:"voxels"` // scored, over all subjects
	Base   stats.Score     `json:"base"`   // the untuned model, as the first run scored it
	Scores []ComparedScore `json:"scores"`
	Reason string          `json:"no_interval_because,omitempty"`
}

// ComparedScore is one run in one region. The differences are paired: from the same draws of test rows.
type ComparedScore struct {
	Tuned      stats.Score    `json:"tuned"`
	Delta      ComparedDelta  `json:"delta"`                 // less the untuned model as this run scored it
	DeltaFirst *ComparedDelta `json:"delta_first,omitempty"` // less the first run; absent for that
}

// ComparedDelta is a difference. Q counts every difference of the comparison as one family.
type ComparedDelta struct {
	stats.Score
	Significance
}

const Comparing = "compare runs"

// scoredRun is the evaluation of a run as its files have it.
type Scored struct {
	Dir         string
	Chosen      int
	Layout      Layout
	Want        [][]float32 // by subject, (rows, voxels)
	Base, Tuned [][]float32
	untuned     bool // training left the features alone
	testRepeats string
}

func ReadScored(dir string) (*Scored, error) {
	r := &Scored{Dir: dir}
	var err error
	if r.Layout, err = ReadLayout(dir); err != nil {
		return nil, err
	}
	var s Summary
	if err := jsonfile.Read(Comparing, filepath.Join(dir, "eval", "summary.json"), &s); err != nil {
		return nil, err
	}
	r.Chosen, r.testRepeats = s.Chosen, s.Test.TestRepeats
	for _, p := range r.Layout.Subjects {
		for name, into := range map[string]*[][]float32{"responses": &r.Want, "base_pred": &r.Base,
			"tuned_pred": &r.Tuned} {
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
		r.Tuned = r.Base
	}
	return r, nil
}

// matrix reads one of a subject's matrices (rows, voxels).
func (p LayoutSubject) matrix(run, name string) ([]float32, error) {
	if !filepath.IsLocal(p.Name) {
		return nil, fault.New(fault.BadData, Comparing, filepath.Join(run, LayoutFile), "%q is no name of a folder",
			p.Name)
	}
	path := filepath.Join(run, "eval", "test", p.Name, name+".npy")
	a, err := npy.Read(path)
	if err != nil {
		return nil, err
	}
	if want := []int{p.Count(), p.Voxels}; !slices.Equal(a.Shape, want) {
		return nil, fault.New(fault.BadData, Comparing, path, "shape %v, the layout says %v", a.Shape, want).
			WithHint("evaluate %s again", run)
	}
	return a.Float32()
}

func (l Layout) Names() (out []string) {
	for _, p := range l.Subjects {
		out = append(out, p.Name)
	}
	return out
}

func (p LayoutSubject) Region(name string) ([]int, bool) {
	for _, r := range p.ROIs {
		if r.Name == name {
			return r.Columns, true
		}
	}
	return nil, false
}

// Correct gives each difference its q.
func (c *Comparison) Correct() {
	var all []*ComparedDelta
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

// Note returns a remark on a run for readers of the table.
func (c *Comparison) Note(first, run *Scored, b *stats.BootstrapResult) {
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
