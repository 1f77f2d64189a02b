// Command ecog prints the scores of the folds of examples/natsound/ecog.sh: for each group of electrodes the mean over
// folds of r of the untuned model, of the floors, and of the model at each lag alone:
//
//	go run ./examples/natsound/ecog runs/natsound-ecog/{0,1,2,3,4}
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
)

// table has the sum of r over folds, by line and group.
type table struct {
	names []string
	sums  map[string]map[string]float64
}

func (t *table) add(name string, rois map[string]float64) {
	if t.sums[name] == nil {
		t.names = append(t.names, name)
		t.sums[name] = map[string]float64{}
	}
	for roi, r := range rois {
		t.sums[name][roi] += r
	}
}

func run(folds []string, stdout io.Writer) error {
	if len(folds) == 0 {
		return fault.New(fault.Usage, "ecog", "", "want the folders of evaluations, one for each fold")
	}
	t := table{sums: map[string]map[string]float64{}}
	for _, dir := range folds {
		path := filepath.Join(dir, "eval", "summary.json")
		text, err := os.ReadFile(path)
		if err != nil {
			return fault.Wrap(fault.Missing, "ecog", path, err)
		}
		var s results.Summary
		if err := json.Unmarshal(text, &s); err != nil {
			return fault.Wrap(fault.BadData, "ecog", path, err)
		}
		t.add("model", s.Test.Base.ROIs)
		for _, f := range s.Test.Features {
			t.add(f.Name, f.ROIs)
		}
		for _, l := range s.Test.Lags {
			if l.Window == "" {
				t.add(fmt.Sprintf("%g ms", l.LagsMS[0]), l.ROIs)
			}
		}
	}
	groups := slices.Sorted(maps.Keys(t.sums[t.names[len(t.names)-1]])) // of lags, which have no group of tuned voxels
	fmt.Fprintf(stdout, "%-10s", "")
	for _, g := range groups {
		fmt.Fprintf(stdout, " %7s", g)
	}
	for _, name := range t.names {
		fmt.Fprintf(stdout, "\n%-10s", name)
		for _, g := range groups {
			fmt.Fprintf(stdout, " %7.3f", t.sums[name][g]/float64(len(folds)))
		}
	}
	_, err := fmt.Fprintln(stdout)
	return err
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ecog:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
