package bids

import (
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/internal/brain/finished"
)

// voxelMap is one number for each voxel of a subject.
type voxelMap struct {
	stat, desc string // as in the file's name
	unit       string
	about      string
	values     []float32
}

// What maps are of, as names say it.
const (
	correlation = "r"
	percent     = "percentofceiling"
)

// described explains the desc of a name.
var described = []struct{ desc, about string }{
	{"base", "the untuned model"},
	{"basebestlayer", "the untuned model at the layer that is best on the validation rows"},
	{"tuned", "the tuned model"},
	{"delta", "tuned minus untuned"},
	{"ceiling", "what a perfect model would reach, from repeats of the test rows"},
}

func aboutDesc(desc string) string {
	for _, d := range described {
		if d.desc == desc {
			return d.about
		}
	}
	return ""
}

// mapsOf lists the maps of a subject.
func mapsOf(p *finished.Subject) (out []voxelMap) {
	for _, m := range []struct {
		desc   string
		values []float32
	}{{"base", p.Base}, {"basebestlayer", p.Best}, {"tuned", p.Tuned}, {"delta", p.Delta}, {"ceiling", p.Ceiling}} {
		if m.values != nil {
			about := "correlation of predicted and measured responses on test rows: " + aboutDesc(m.desc)
			out = append(out, voxelMap{correlation, m.desc, "r", about, m.values})
		}
	}
	for _, m := range []struct {
		desc   string
		values []float32
	}{{"base", p.Base}, {"tuned", p.Tuned}} {
		if m.values != nil && p.Ceiling != nil {
			out = append(out, voxelMap{percent, m.desc, "percent",
				"r in per cent of the ceiling, none where that is 0: " + aboutDesc(m.desc),
				ofCeiling(m.values, p.Ceiling)})
		}
	}
	return out
}

// ofCeiling gives r in per cent of ceilings, NaN where one is not above 0.
func ofCeiling(r, ceiling []float32) []float32 {
	out := make([]float32, len(r))
	for v := range r {
		out[v] = nan
		if ceiling[v] > 0 {
			out[v] = 100 * r[v] / ceiling[v]
		}
	}
	return out
}

// significance lists maps of p and q that stand beside the scores: base_p.npy, tuned_q.npy, delta_p.npy and so on.
func significance(run *finished.Run, p *finished.Subject) (out []voxelMap, err error) {
	for _, of := range []struct{ file, desc string }{{"base", "base"}, {"tuned", "tuned"}, {"delta", "delta"}} {
		for _, stat := range []struct{ name, about string }{{"p", "p of a voxel's r: "},
			{"q", "false discovery rate of a voxel's r: "}} {
			path := filepath.Join(run.Dir, "eval", "test", p.Name, of.file+"_"+stat.name+".npy")
			if _, err := os.Stat(path); err != nil {
				continue
			}
			values, err := finished.ReadVector(path, p.Voxels)
			if err != nil {
				return nil, err
			}
			out = append(out, voxelMap{stat.name, of.desc, "probability", stat.about + aboutDesc(of.desc), values})
		}
	}
	return out, nil
}

// meanOf returns the mean over the subjects whose voxels are in the run's places, nil for fewer than two.
func meanOf(run *finished.Run) *finished.Subject {
	n := 0
	m := &finished.Subject{}
	for i := range run.Subjects {
		if p := &run.Subjects[i]; run.Places.Fits(p.Voxels) {
			n++
			m.Voxels = p.Voxels
		}
	}
	if n < 2 {
		return nil
	}
	m.Base = run.Mean(func(p *finished.Subject) []float32 { return p.Base })
	m.Best = run.Mean(func(p *finished.Subject) []float32 { return p.Best })
	m.Tuned = run.Mean(func(p *finished.Subject) []float32 { return p.Tuned })
	m.Delta = run.Mean(func(p *finished.Subject) []float32 { return p.Delta })
	m.Ceiling = run.Mean(func(p *finished.Subject) []float32 { return p.Ceiling })
	return m
}
