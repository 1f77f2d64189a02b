package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
)

// predictions are those of all folds, in the order of the folds: each is of a sound that its fold tests.
type predictions struct {
	components []string
	category   []string             // of each sound
	measured   []float32            // (sounds, components), standardised by the training sounds of the fold
	of         map[string][]float32 // by system: base, tuned, features_category; mean over runs
}

// read joins the folds of runs with other seeds.
func read(runs []string, category map[string]string) (*predictions, error) {
	var out *predictions
	for i, run := range runs {
		p := &predictions{of: map[string][]float32{}}
		folds, err := filepath.Glob(filepath.Join(run, "folds", "*", "eval"))
		if err != nil || len(folds) == 0 {
			return nil, fault.New(fault.Missing, "table", run, "there are no folds that were scored")
		}
		var names []string
		for _, eval := range folds {
			clips, err := p.add(filepath.Dir(eval), category)
			if err != nil {
				return nil, err
			}
			names = append(names, clips...)
		}
		if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
			return nil, fault.New(fault.BadData, "table", run, "a sound is tested in two folds")
		}
		if i == 0 {
			out = p
			continue
		}
		if !slices.Equal(p.measured, out.measured) {
			return nil, fault.New(fault.BadData, "table", run, "its folds or responses differ from those of %s",
				runs[0])
		}
		for system, x := range out.of {
			other := p.of[system]
			if len(other) != len(x) {
				return nil, fault.New(fault.BadData, "table", run, "has no %s predictions, and %s has", system, runs[0])
			}
			for k := range x { // the mean of the runs so far
				x[k] += (other[k] - x[k]) / float32(i+1)
			}
		}
	}
	return out, nil
}

// add reads a fold and returns the names of its test sounds.
func (p *predictions) add(run string, category map[string]string) ([]string, error) {
	layout, err := results.ReadLayout(run)
	if err != nil {
		return nil, err
	}
	if len(layout.Subjects) != 1 || len(layout.Subjects[0].Clips) == 0 {
		return nil, fault.New(fault.BadData, "table", run, "want the scores of one subject and of clips")
	}
	s := layout.Subjects[0]
	for _, name := range s.Clips {
		if category[name] == "" {
			return nil, fault.New(fault.BadData, "table", run, "sound %s has no category", name)
		}
		p.category = append(p.category, category[name])
	}
	p.components = make([]string, s.Voxels)
	for _, roi := range s.ROIs {
		if len(roi.Columns) == 1 {
			p.components[roi.Columns[0]] = roi.Name
		}
	}
	for _, system := range []string{"responses", "base_pred", "tuned_pred", "features_category_pred"} {
		path := filepath.Join(run, "eval", "test", s.Name, system+".npy")
		m, err := npy.ReadMatrix(path)
		if errors.Is(err, fs.ErrNotExist) && system != "responses" {
			continue
		}
		if err == nil && (m.Rows != len(s.Clips) || m.Cols != s.Voxels) {
			err = fault.New(fault.BadData, "table", path, "%d × %d numbers, want %d × %d", m.Rows, m.Cols, len(s.Clips),
				s.Voxels)
		}
		if err != nil {
			return nil, fmt.Errorf("read fold: %w", err)
		}
		if system == "responses" {
			p.measured = append(p.measured, m.Data...)
			continue
		}
		system = system[:len(system)-len("_pred")]
		p.of[system] = append(p.of[system], m.Data...)
	}
	return s.Clips, nil
}

// r returns r of each component of a system over some sounds, which may be named several times (nil: all); nil where
// not all folds have the system.
func (p *predictions) r(system string, sounds []int) []float64 {
	if len(p.of[system]) != len(p.measured) {
		return nil
	}
	return correlate(p.of[system], p.measured, len(p.components), sounds)
}

func correlate(pred, measured []float32, width int, sounds []int) []float64 {
	if sounds != nil {
		pick := func(x []float32) (out []float32) {
			for _, k := range sounds {
				out = append(out, x[k*width:(k+1)*width]...)
			}
			return out
		}
		pred, measured = pick(pred), pick(measured)
	}
	r, _ := stats.Correlation(pred, measured, len(measured)/width, width)
	return r
}
