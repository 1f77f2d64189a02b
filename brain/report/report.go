package report

import (
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/controls"
	"github.com/brainwavlm/bwlm/brain/demo"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
)

// Report is all that a page shows.
type Report struct {
	Runs []*Run
	Demo *demo.Report // of a demo's directory
}

// Run is what a run left behind. What it has not is nil or empty.
type Run struct {
	Name, Dir  string // a short name that no other run of the report has, and the directory
	Experiment *experiment.Experiment
	Manifest   *results.Manifest
	Summary    *results.Summary
	Scores     results.Scores // that the page is about: of all people of the run, or of a demo's listener
	Epochs     []results.Epoch
	Chosen     int // epoch
	Subjects   []Subject
	Controls   []Scored
	Transfers  []Scored
	Unseen     *results.Transfer // what bwlm transfer found
	Probes     *results.Probes
	Partition  *controls.Partition
	Data       *Data
	Places     *Places
	Absent     []string // what is left out, with a word why
}

// NoMaps begins the word of [Run.Absent] that says why there are no maps.
const NoMaps = "maps: "

// Data is what the data set says of itself, if it is still where the run found it.
type Data struct{ Name, Licence, Citation string }

// Scored is a control or a transfer.
type Scored struct {
	Name    string
	Summary *results.Summary
}

// Subject is one person's scores by voxel, NaN where responses do not vary.
type Subject struct {
	Name                              string
	Voxels                            int
	Rows                              []design.Rows // test rows
	ROIs                              []ROI
	Base, Best, Tuned, Delta, Ceiling []float32 // nil where the run has none
	Q                                 []float32 // false discovery rate of Gain over the person's voxels
}

// ROI is a named set of columns.
type ROI struct {
	Name    string
	Columns []int
}

// Constant counts voxels whose test responses do not vary: they have no r and are in no mean.
func (p *Subject) Constant() (n int) {
	for _, r := range p.Base {
		if r != r {
			n++
		}
	}
	return n
}

// best is the voxels' score of the tuned model, or of the base where nothing is tuned.
func (p *Subject) best() []float32 {
	if p.Tuned != nil {
		return p.Tuned
	}
	return p.Base
}

// roiOf gives each voxel the index of the first region that has it, or -1.
func (p *Subject) roiOf() []int {
	out := make([]int, p.Voxels)
	for v := range out {
		out[v] = -1
	}
	for i, r := range slices.Backward(p.ROIs) {
		for _, c := range r.Columns {
			out[c] = i
		}
	}
	return out
}

// named gives runs the last parts of their paths as names, or, where those meet, as much of the path as tells them apart.
func named(runs []*Run) {
	for parts := 1; parts < 20; parts++ {
		count := map[string]int{}
		for _, r := range runs {
			r.Name = tail(r.Dir, parts)
			count[r.Name]++
		}
		if len(count) == len(runs) {
			return
		}
	}
}

// tail is the end of a path: so many parts.
func tail(path string, parts int) string {
	path = filepath.Clean(path)
	at := len(path)
	for i := len(path) - 1; i >= 0 && parts > 0; i-- {
		if path[i] == filepath.Separator {
			parts--
			if parts == 0 {
				return path[i+1:]
			}
		}
		at = i
	}
	return path[at:]
}
