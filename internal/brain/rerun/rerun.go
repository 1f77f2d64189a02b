package rerun

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/npy"
)

const op = "rerun"

// Difference is one thing in which two runs differ.
type Difference struct {
	What string `json:"what"`
	Was  string `json:"was"`
	Is   string `json:"is"`

	// Input is a file of data or model: results must be expected to differ. Other differences, as of threads or
	// processor, change last bits.
	Input bool `json:"input"`
}

// Manifest reads the manifest of a run.
func Manifest(run string) (*results.Manifest, error) {
	m := &results.Manifest{}
	path := filepath.Join(run, rundir.ManifestOfRun)
	if err := jsonfile.ReadOwn(op, run, rundir.ManifestOfRun, m); err != nil {
		return nil, err
	}
	return m, results.CheckSchema(path, m.Schema)
}

// Differences compares the manifest of a run with that of its repetition. Paths are compared by their hashes alone.
func Differences(was, is *results.Manifest) []Difference {
	var out []Difference
	differ := func(input bool, what, a, b string) {
		if a != b {
			out = append(out, Difference{what, a, b, input})
		}
	}
	for _, key := range slices.Sorted(keysOf(was.Versions, is.Versions)) {
		differ(false, "version of "+key, was.Versions[key], is.Versions[key])
	}
	differ(false, "platform", was.Platform, is.Platform)
	differ(false, "threads", fmt.Sprint(was.Threads), fmt.Sprint(is.Threads))
	differ(false, "device", was.Device, is.Device)
	if a, b := was.Provenance, is.Provenance; a != nil && b != nil {
		differ(false, "processor", a.CPU, b.CPU)
		differ(false, "commit", a.Commit, b.Commit)
		differ(false, "changes in the tree of the program", fmt.Sprint(a.Dirty), fmt.Sprint(b.Dirty))
	}
	differ(true, "base model", was.Base, is.Base)
	differ(true, "splits", strings.Join(was.Splits, "; "), strings.Join(is.Splits, "; "))
	for i := range max(len(was.Inputs), len(is.Inputs)) {
		var a, b results.ManifestInput
		if i < len(was.Inputs) {
			a = was.Inputs[i]
		}
		if i < len(is.Inputs) {
			b = is.Inputs[i]
		}
		name := a.Path
		if name == "" {
			name = b.Path
		}
		differ(true, name, a.SHA256, b.SHA256)
	}
	return out
}

func keysOf(maps ...map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, m := range maps {
			for k := range m {
				if !seen[k] && !yield(k) {
					return
				}
				seen[k] = true
			}
		}
	}
}

// Outcome compares the results of a run with those of its repetition.
type Outcome struct {
	Identical bool     `json:"identical"` // every file that was compared has the same bytes
	Files     int      `json:"files"`     // that were compared
	Differ    []string `json:"differ,omitempty"`

	// LargestR is the largest difference of r of a voxel, of the tuned model or, without one, of the untuned.
	LargestR float64 `json:"largest_difference_of_r"`
}

// Compare compares metrics, adapter, readouts and scores of two finished runs.
func Compare(was, is string) (*Outcome, error) {
	o := &Outcome{Identical: true}
	names, err := compared(was)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		a, err := os.ReadFile(filepath.Join(was, name))
		if err != nil {
			return nil, fault.Wrap(fault.IO, op, filepath.Join(was, name), err)
		}
		b, err := os.ReadFile(filepath.Join(is, name))
		if err != nil && !os.IsNotExist(err) {
			return nil, fault.Wrap(fault.IO, op, filepath.Join(is, name), err)
		}
		o.Files++
		if err != nil || !bytes.Equal(a, b) {
			o.Identical, o.Differ = false, append(o.Differ, filepath.ToSlash(name))
		}
		if base := filepath.Base(name); err == nil && (base == "tuned_r.npy" || base == "base_r.npy") {
			d, err := largest(filepath.Join(was, name), filepath.Join(is, name))
			if err != nil {
				return nil, err
			}
			o.LargestR = max(o.LargestR, d)
		}
	}
	return o, nil
}

// compared returns the files of a run that a repetition makes again, in order. summary.json is not among them, since
// it says what the run was made with; its scores are in the others.
func compared(run string) ([]string, error) {
	var names []string
	for _, part := range []string{"metrics.jsonl", "adapter", "readout", "calibration",
		filepath.Join("eval", "test")} {
		err := filepath.WalkDir(filepath.Join(run, part), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == "README.md" || d.Name() == "adapter_config.json" {
				return err
			}
			rel, err := filepath.Rel(run, path)
			names = append(names, rel)
			return err
		})
		if err != nil && !(os.IsNotExist(err) && (part == "adapter" || part == "calibration")) {
			return nil, fault.Wrap(fault.Missing, op, filepath.Join(run, part), err).
				WithHint("name the directory of a finished run")
		}
	}
	return names, nil
}

// largest returns the largest absolute difference of two arrays of scores. Values that are both NaN are equal.
func largest(was, is string) (float64, error) {
	var values [2][]float32
	for i, path := range []string{was, is} {
		m, err := npy.Read(path)
		if err != nil {
			return 0, err
		}
		if values[i], err = m.Float32(); err != nil {
			return 0, err
		}
	}
	if len(values[0]) != len(values[1]) {
		return math.Inf(1), nil
	}
	d := 0.
	for i, a := range values[0] {
		b := values[1][i]
		if a != a && b != b {
			continue
		}
		d = max(d, math.Abs(float64(a)-float64(b)))
	}
	return d, nil
}
