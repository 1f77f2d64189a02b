// Package finished reads what finished runs left on disk, for the pages and maps made of it.
package finished

import (
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
)

// Run holds the results of a finished run. Parts that the run does not have are nil or empty.
type Run struct {
	Name, Dir  string // a short name that no other run of the report has, and the directory
	Experiment *experiment.Experiment
	Manifest   *results.Manifest
	Summary    *results.Summary
	Scores     results.Scores // of all subjects of the run, or of the listener of a demo
	Epochs     []results.Epoch
	Chosen     int // epoch
	Subjects   []Subject
	Controls   []Scored
	Transfers  []Scored
	Unseen     *results.Transfer // what bwlm transfer found
	Probes     *results.Probes
	Partition  *results.VariancePartition
	Data       *Data
	Places     *Places  // of all subjects; nil if each has its own, or none has
	Absent     []string // what is left out, with the reason
}

// NoMaps begins the entry of [Run.Absent] with the reason why there are no maps.
const NoMaps = "maps: "

// Data describes the data set, if it is still where the run found it.
type Data struct{ Name, Licence, Citation string }

// Scored is a control or a transfer.
type Scored struct {
	Name    string
	Summary *results.Summary
}

// Subject holds the scores of one subject by voxel, NaN where responses do not vary.
type Subject struct {
	Name                              string
	Voxels                            int
	Places                            *Places       // nil: unknown
	Rows                              []design.Rows // test rows
	ROIs                              []ROI
	Base, Best, Tuned, Delta, Ceiling []float32 // nil where the run has none
	Q                                 []float32 // false discovery rate of Delta over the voxels of the subject
}

// ROI is a named set of columns.
type ROI struct {
	Name    string
	Columns []int
}

// Constant returns the number of voxels whose test responses do not vary. They have no r and enter no mean.
func (p *Subject) Constant() (n int) {
	for _, r := range p.Base {
		if r != r {
			n++
		}
	}
	return n
}

// Scored returns the scores of the tuned model, or of the untuned one where nothing is tuned.
func (p *Subject) Scored() []float32 {
	if p.Tuned != nil {
		return p.Tuned
	}
	return p.Base
}

// ROIOf returns the index of the first ROI of each voxel, or -1.
func (p *Subject) ROIOf() []int {
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
