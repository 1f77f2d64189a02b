package datacheck

import (
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/internal/clean"
)

// SubjectReport describes what is counted over all stories of a subject.
type SubjectReport struct {
	Subject string
	Stories int
	Rows    int     // of all repeats
	Seconds float64 // of all repeats
	Voxels  int

	// TSNR is the temporal signal-to-noise ratio: of each voxel its mean over the rows of a story, in SDs, and the mean
	// over stories, weighted by their rows; of these the median over voxels that vary. It is 0 where it says nothing:
	// where the median is below 3, as after z-scoring.
	TSNR float64

	// FD is the framewise displacement; nil if there are no tables of head motion with names of columns.
	FD *Displacement
}

// Displacement is the framewise displacement of the head (Power et al. 2012).
type Displacement struct {
	Rows  int
	Mean  float64 // millimetres
	Share float64 // of the rows whose displacement is above .5 mm
}

// muchMotion is a framewise displacement in millimetres that is usually censored.
const muchMotion = .5

// leastTSNR is the ratio below which responses do not have the scanner's mean any more.
const leastTSNR = 3

// figures are collected for a subject.
type figures struct {
	stories, rows, voxels int
	ratio, weight         []float64 // of each voxel
	fdRows, fdMuch        int
	fd                    float64
}

func (f *figures) add(r MatrixReport) {
	f.stories++
	f.rows += r.Repeats * r.Rows
	f.voxels = r.Voxels
}

// addTSNR takes the ratios of a story and its number of rows.
func (f *figures) addTSNR(ratios []float64, rows int) {
	if f.ratio == nil {
		f.ratio, f.weight = make([]float64, len(ratios)), make([]float64, len(ratios))
	}
	if len(ratios) != len(f.ratio) {
		return // [CheckShapes] says it
	}
	for c, v := range ratios {
		if !math.IsNaN(v) {
			f.ratio[c] += float64(rows) * v
			f.weight[c] += float64(rows)
		}
	}
}

// addMotion takes a table of head motion. A file without names of columns does not say which are rotations, and a
// table may lack some of the six parameters: neither has a displacement.
func (f *figures) addMotion(file string) {
	if !strings.EqualFold(filepath.Ext(file), ".tsv") {
		return
	}
	table, err := clean.Read(file)
	if err != nil {
		return
	}
	fd, err := table.Displacement()
	if err != nil {
		return
	}
	for _, v := range fd {
		f.fd += v
		if f.fdRows++; v > muchMotion {
			f.fdMuch++
		}
	}
}

func (f *figures) report(subject string, tr float64) SubjectReport {
	r := SubjectReport{Subject: subject, Stories: f.stories, Rows: f.rows, Seconds: float64(f.rows) * tr,
		Voxels: f.voxels}
	var ratios []float64
	for c, w := range f.weight {
		if w > 0 {
			ratios = append(ratios, f.ratio[c]/w)
		}
	}
	if len(ratios) > 0 {
		slices.Sort(ratios)
		n := len(ratios)
		if median := (ratios[(n-1)/2] + ratios[n/2]) / 2; median >= leastTSNR {
			r.TSNR = median
		}
	}
	if f.fdRows > 0 {
		n := float64(f.fdRows)
		r.FD = &Displacement{Rows: f.fdRows, Mean: f.fd / n, Share: float64(f.fdMuch) / n}
	}
	return r
}

// motionFile is the file of a subject's motion during a story, "" if it is in memory.
func (c *check) motionFile(subject, story string) string {
	spec := c.Spec()
	for _, s := range slices.Concat(spec.Subjects, spec.Derived) {
		if s.Name != subject {
			continue
		}
		for _, m := range s.Motion {
			if m.Story == story {
				return m.Matrix.Path
			}
		}
	}
	return ""
}
