package sweep

import (
	"encoding/csv"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// spread returns the mean and the sample SD of x.
func spread(x []float64) (s results.Spread) {
	if len(x) == 0 {
		return s
	}
	for _, v := range x {
		s.Mean += v / float64(len(x))
	}
	if len(x) > 1 {
		sum := 0.
		for _, v := range x {
			sum += (v - s.Mean) * (v - s.Mean)
		}
		sd := math.Sqrt(sum / float64(len(x)-1))
		s.SD = &sd
	}
	return s
}

// tabulate groups the runs by setting, in the order of first occurrence.
func tabulate(r *results.Sweep) {
	var order []string
	runs := map[string][]results.SweepRun{}
	for _, t := range r.Runs {
		var key []string
		for i, a := range r.Axes {
			if a.Key != seedKey {
				key = append(key, t.Values[i])
			}
		}
		k := strings.Join(key, "\x00")
		if runs[k] == nil {
			order = append(order, k)
		}
		runs[k] = append(runs[k], t)
	}
	r.Settings = nil
	for _, k := range order {
		r.Settings = append(r.Settings, settingOf(r.Axes, runs[k]))
	}
}

// settingOf summarises the runs of one setting.
func settingOf(axes []results.SweepAxis, runs []results.SweepRun) results.SweepSetting {
	s := results.SweepSetting{Values: map[string]string{}, Delta: map[string]results.Spread{}, Best: []int{}}
	for i, a := range axes {
		if a.Key != seedKey {
			s.Values[a.Key] = runs[0].Values[i]
		}
	}
	gains := map[string][]float64{}
	var val []float64
	below, epochs := 0, 0
	for _, t := range runs {
		switch {
		case t.Diverged:
			s.Diverged++
		case t.Error != "":
			s.Failed++
		default:
			s.Seeds++
			s.Best = append(s.Best, t.Best)
			val = append(val, t.ValDelta)
			below, epochs = below+t.Below, epochs+t.Epochs
			for roi, g := range t.Delta {
				gains[roi] = append(gains[roi], g)
			}
		}
	}
	for roi, g := range gains {
		s.Delta[roi] = spread(g)
	}
	s.ValDelta = spread(val)
	if epochs > 0 {
		s.Below = float64(below) / float64(epochs)
	}
	return s
}

// write writes sweep.json and sweep.csv into a folder.
func write(r *results.Sweep, dir string) error {
	if err := jsonfile.Write(filepath.Join(dir, "sweep.json"), r); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "sweep.csv"), func(w io.Writer) error { return writeCSV(r, w) })
}

// writeCSV writes one line per run.
func writeCSV(r *results.Sweep, to io.Writer) error {
	w := csv.NewWriter(to)
	var head []string
	for _, a := range r.Axes {
		head = append(head, a.Key)
	}
	rois := r.ROIs()
	head = append(head, "base_r")
	for _, roi := range rois {
		head = append(head, "delta_"+roi)
	}
	head = append(head, "val_delta", "best_epoch", "epochs", "epochs_below_base", "diverged", "error")
	_ = w.Write(head)
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
	for _, t := range r.Runs {
		line := slices.Clone(t.Values)
		if t.BaseR == nil {
			line = append(line, slices.Repeat([]string{""}, 1+len(rois)+4)...)
		} else {
			line = append(line, number(*t.BaseR))
			for _, roi := range rois {
				gain := ""
				if g, ok := t.Delta[roi]; ok {
					gain = number(g)
				}
				line = append(line, gain)
			}
			line = append(line, number(t.ValDelta), strconv.Itoa(t.Best), strconv.Itoa(t.Epochs), strconv.Itoa(t.Below))
		}
		_ = w.Write(append(line, strconv.FormatBool(t.Diverged), t.Error))
	}
	w.Flush()
	return w.Error()
}
