package sweep

import (
	"encoding/csv"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// All is the region of all voxels; tuned is that of the voxels that the loss looked at.
const All = "all"

// Result is the outcome of a sweep, as bwlm sweep --json prints it.
type Result struct {
	Schema   int       `json:"schema"`
	Axes     []Axis    `json:"axes"`
	Settings []Setting `json:"settings"`
	Runs     []Trial   `json:"runs"`
}

// Trial is one run.
type Trial struct {
	Name     string             `json:"run"`    // its folder
	Values   []string           `json:"values"` // of the axes
	BaseR    *float64           `json:"base_r"` // null if it failed
	Gain     map[string]float64 `json:"gain"`   // tuned less base on the test rows, by region
	ValGain  float64            `json:"val_gain"`
	Best     int                `json:"best_epoch"` // 0: no epoch was better than the untuned model on the validation rows
	Epochs   int                `json:"epochs"`
	Below    int                `json:"epochs_below_base"` // whose validation r was below that of the untuned model
	Diverged bool               `json:"diverged"`          // its loss was no number
	Error    string             `json:"error,omitempty"`
}

// Setting is a choice of all values but the seed, over its seeds.
type Setting struct {
	Values   map[string]string `json:"values"`
	Seeds    int               `json:"seeds"` // runs with scores
	Gain     map[string]Spread `json:"gain"`  // tuned less base on the test rows, by region
	ValGain  Spread            `json:"val_gain"`
	Best     []int             `json:"best_epochs"` // of each run
	Below    float64           `json:"share_of_epochs_below_base"`
	Diverged int               `json:"diverged"`
	Failed   int               `json:"failed"` // for other reasons
}

// Spread is a mean over seeds and their SD, with one less than the seeds below the root; null for one seed.
type Spread struct {
	Mean float64  `json:"mean"`
	SD   *float64 `json:"sd"`
}

func spread(x []float64) (s Spread) {
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

// tabulate gathers the runs by setting, in the order in which they were first met.
func (r *Result) tabulate() {
	var order []string
	runs := map[string][]Trial{}
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
		r.Settings = append(r.Settings, r.setting(runs[k]))
	}
}

func (r *Result) setting(runs []Trial) Setting {
	s := Setting{Values: map[string]string{}, Gain: map[string]Spread{}, Best: []int{}}
	for i, a := range r.Axes {
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
			val = append(val, t.ValGain)
			below, epochs = below+t.Below, epochs+t.Epochs
			for region, g := range t.Gain {
				gains[region] = append(gains[region], g)
			}
		}
	}
	for region, g := range gains {
		s.Gain[region] = spread(g)
	}
	s.ValGain = spread(val)
	if epochs > 0 {
		s.Below = float64(below) / float64(epochs)
	}
	return s
}

// Regions are the regions with a gain in any run: all voxels first, then by name.
func (r *Result) Regions() []string {
	found := map[string]bool{}
	for _, t := range r.Runs {
		for region := range t.Gain {
			found[region] = true
		}
	}
	out := slices.DeleteFunc(slices.Sorted(maps.Keys(found)), func(s string) bool { return s == All })
	if found[All] {
		out = append([]string{All}, out...)
	}
	return out
}

// write leaves sweep.json and sweep.csv, a line for each run.
func (r *Result) write(dir string) error {
	err := jsonfile.Write(filepath.Join(dir, "sweep.json"), r)
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "sweep.csv"), r.csv)
}

func (r *Result) csv(to io.Writer) error {
	w := csv.NewWriter(to)
	var head []string
	for _, a := range r.Axes {
		head = append(head, a.Key)
	}
	regions := r.Regions()
	head = append(head, "base_r")
	for _, region := range regions {
		head = append(head, "gain_"+region)
	}
	head = append(head, "val_gain", "best_epoch", "epochs", "epochs_below_base", "diverged", "error")
	_ = w.Write(head)
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
	for _, t := range r.Runs {
		line := slices.Clone(t.Values)
		if t.BaseR == nil {
			line = append(line, slices.Repeat([]string{""}, 1+len(regions)+4)...)
		} else {
			line = append(line, number(*t.BaseR))
			for _, region := range regions {
				gain := ""
				if g, ok := t.Gain[region]; ok {
					gain = number(g)
				}
				line = append(line, gain)
			}
			line = append(line, number(t.ValGain), strconv.Itoa(t.Best), strconv.Itoa(t.Epochs), strconv.Itoa(t.Below))
		}
		_ = w.Write(append(line, strconv.FormatBool(t.Diverged), t.Error))
	}
	w.Flush()
	return w.Error()
}
