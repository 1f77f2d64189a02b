package sweep

import (
	"cmp"
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

// settingKey identifies the setting of a run, whatever its seed.
func settingKey(axes []results.SweepAxis, values []string) string {
	return keyOf(axes, values, func(key string) bool { return key != seedKey })
}

// measureKey identifies what a run is validated on: the scores of runs with other keys of the data, other training
// rows apart, are of other rows or voxels and cannot be compared.
func measureKey(axes []results.SweepAxis, values []string) string {
	return keyOf(axes, values, func(key string) bool {
		return strings.HasPrefix(key, "data.") && key != "data.train" || key == "compat" || key == "train.epoch_by"
	})
}

func keyOf(axes []results.SweepAxis, values []string, counts func(key string) bool) string {
	var parts []string
	for i, a := range axes {
		if counts(a.Key) {
			parts = append(parts, values[i])
		}
	}
	return strings.Join(parts, "\x00")
}

// group is a setting with its runs.
type group struct {
	measure string
	setting results.SweepSetting
	runs    []int
}

// tabulate groups the runs by setting and ranks the settings by r on the validation rows, those with equal scores in
// the order of the axes. It returns which runs are of a best setting.
func tabulate(r *results.Sweep) (best []bool) {
	best = make([]bool, len(r.Runs))
	var groups []*group
	byKey := map[string]*group{}
	for i, t := range r.Runs {
		key := settingKey(r.Axes, t.Values)
		if byKey[key] == nil {
			byKey[key] = &group{measure: measureKey(r.Axes, t.Values)}
			groups = append(groups, byKey[key])
		}
		byKey[key].runs = append(byKey[key].runs, i)
	}
	r.Configurations, r.Settings = len(groups), nil
	var measures []string
	for _, g := range groups {
		var runs []results.SweepRun
		for _, i := range g.runs {
			runs = append(runs, r.Runs[i])
		}
		g.setting = settingOf(r.Axes, runs)
		if !slices.Contains(measures, g.measure) {
			measures = append(measures, g.measure)
		}
	}
	for _, m := range measures {
		same := slices.DeleteFunc(slices.Clone(groups), func(g *group) bool { return g.measure != m })
		slices.SortStableFunc(same, func(a, b *group) int { return better(&a.setting, &b.setting) })
		for k, g := range same {
			if whole(&g.setting) {
				g.setting.Rank = k + 1
			}
			for _, i := range g.runs {
				best[i] = g.setting.Rank == 1
			}
			r.Settings = append(r.Settings, g.setting)
		}
	}
	return best
}

// whole reports whether all seeds of a setting were trained to the end.
func whole(s *results.SweepSetting) bool { return s.Seeds > 0 && s.Diverged == 0 && s.Failed == 0 }

// better compares two settings: whole ones first, then by r on the validation rows.
func better(a, b *results.SweepSetting) int {
	if whole(a) != whole(b) {
		if whole(a) {
			return -1
		}
		return 1
	}
	if !whole(a) {
		return 0
	}
	return cmp.Compare(b.ValR.Mean, a.ValR.Mean)
}

// settingOf summarises the runs of one setting.
func settingOf(axes []results.SweepAxis, runs []results.SweepRun) results.SweepSetting {
	s := results.SweepSetting{Values: map[string]string{}, Best: []int{}}
	for i, a := range axes {
		if a.Key != seedKey {
			s.Values[a.Key] = runs[0].Values[i]
		}
	}
	var val, delta []float64
	below, epochs := 0, 0
	for _, t := range runs {
		switch {
		case t.Diverged:
			s.Diverged++
		case t.ValR == nil:
			s.Failed++
		default:
			s.Seeds++
			s.Best = append(s.Best, t.Best)
			val, delta = append(val, *t.ValR), append(delta, *t.ValDelta)
			below, epochs = below+t.Below, epochs+t.Epochs
		}
	}
	if s.Seeds > 0 {
		r, d := spread(val), spread(delta)
		s.ValR, s.ValDelta = &r, &d
	}
	if epochs > 0 {
		s.Below = float64(below) / float64(epochs)
	}
	s.Delta = deltas(runs)
	return s
}

// deltas returns Δr on the test rows over the runs of a setting, nil unless all that were trained show theirs.
func deltas(runs []results.SweepRun) map[string]results.Spread {
	gains := map[string][]float64{}
	for _, t := range runs {
		if t.ValR != nil && t.Delta == nil {
			return nil
		}
		for roi, g := range t.Delta {
			gains[roi] = append(gains[roi], g)
		}
	}
	var out map[string]results.Spread
	for roi, g := range gains {
		if out == nil {
			out = map[string]results.Spread{}
		}
		out[roi] = spread(g)
	}
	return out
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
	head = append(head, "rank", "val_r", "val_delta", "best_epoch", "epochs", "epochs_below_base", "base_r")
	for _, roi := range rois {
		head = append(head, "delta_"+roi)
	}
	head = append(head, "diverged", "error")
	_ = w.Write(head)
	ranks := map[string]int{}
	for _, s := range r.Settings {
		ranks[valuesKey(r.Axes, s.Values)] = s.Rank
	}
	for _, t := range r.Runs {
		line := slices.Clone(t.Values)
		if rank := ranks[settingKey(r.Axes, t.Values)]; rank > 0 {
			line = append(line, strconv.Itoa(rank))
		} else {
			line = append(line, "")
		}
		if t.ValR == nil {
			line = append(line, "", "", "", "", "")
		} else {
			line = append(line, number(t.ValR), number(t.ValDelta), strconv.Itoa(t.Best), strconv.Itoa(t.Epochs),
				strconv.Itoa(t.Below))
		}
		line = append(line, number(t.BaseR))
		for _, roi := range rois {
			if g, ok := t.Delta[roi]; ok {
				line = append(line, number(&g))
			} else {
				line = append(line, "")
			}
		}
		_ = w.Write(append(line, strconv.FormatBool(t.Diverged), t.Error))
	}
	w.Flush()
	return w.Error()
}

// valuesKey is settingKey of the values of a setting.
func valuesKey(axes []results.SweepAxis, values map[string]string) string {
	all := make([]string, len(axes))
	for i, a := range axes {
		all[i] = values[a.Key]
	}
	return settingKey(axes, all)
}

// number is a number in the table, "" for none.
func number(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'g', 6, 64)
}
