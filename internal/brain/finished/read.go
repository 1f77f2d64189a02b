package finished

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/demo"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/npy"
)

const reading = "read run"

// Found are the runs of some directories.
type Found struct {
	Runs []*Run
	Demo *demo.Report // of the directory of a demo

	Folds *results.Folds // of the out of eval.folds: stories, whose runs are those of the folds
}

// Read reads run directories. The directory of a demo, or of eval.folds, stands for all its runs. A directory without
// scores is refused. A damaged file is an error; a missing one is an entry of [Run.Absent].
func Read(ctx context.Context, dirs ...string) (*Found, error) {
	out := &Found{}
	for _, dir := range dirs {
		switch {
		case there(filepath.Join(dir, demoFile)):
			if err := out.readDemo(ctx, dir); err != nil {
				return nil, err
			}
		case there(filepath.Join(dir, foldsFile)):
			if err := out.readFolds(ctx, dir); err != nil {
				return nil, err
			}
		default:
			run, err := readRun(ctx, dir)
			if err != nil {
				return nil, err
			}
			out.Runs = append(out.Runs, run)
		}
	}
	if len(out.Runs) == 0 {
		return nil, fault.New(fault.Usage, reading, "",
			"no run is named").WithHint("name the directory of a run, an evaluation or a demo")
	}
	named(out.Runs)
	return out, nil
}

const (
	demoFile  = "demo.json"
	foldsFile = "folds.json"
)

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readDemo reads the runs of a demo, whose scores are those of its listener.
func (rep *Found) readDemo(ctx context.Context, dir string) error {
	d := &demo.Report{}
	if err := jsonfile.Read(reading, filepath.Join(dir, demoFile), d); err != nil {
		return err
	}
	if d.Schema != 1 {
		return fault.New(fault.BadData, reading, filepath.Join(dir, demoFile),
			"the demo did not come to its end").WithHint("make the demo again with Force")
	}
	rep.Demo = d
	for _, arm := range []struct {
		name string
		arm  demo.Arm
	}{{"whole_cortex", d.WholeCortex}, {"auditory_cortex", d.AuditoryCortex}, {"shuffled", d.Shuffled}} {
		run, err := readRun(ctx, filepath.Join(dir, arm.name))
		if err != nil {
			return err
		}
		run.Scores, run.Chosen, run.Epochs = arm.arm.Test, arm.arm.Chosen, arm.arm.Epochs
		run.Subjects = slices.DeleteFunc(run.Subjects,
			func(p Subject) bool { return !slices.Contains(run.Scores.Subjects, p.Name) })
		places, err := demo.PlacesOf(dir)
		if err != nil {
			return err
		}
		if err := run.readPlaces(func(string) (dataset.Places, error) { return places, nil }); err != nil {
			return err
		}
		rep.Runs = append(rep.Runs, run)
	}
	return nil
}

// readRun reads a run's directory.
func readRun(ctx context.Context, dir string) (*Run, error) {
	if err := rundir.CheckFiles(reading, dir); err != nil {
		return nil, err
	}
	r := &Run{Dir: dir, Summary: &results.Summary{}}
	in := func(name ...string) string { return filepath.Join(append([]string{dir}, name...)...) }
	err := jsonfile.Read(reading, in("eval", "summary.json"), r.Summary)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Missing, reading, dir,
			"there are no scores").WithHint("evaluate %s", dir)
	}
	if err != nil {
		return nil, err
	}
	if err := results.CheckSchema(in("eval", "summary.json"), r.Summary.Schema); err != nil {
		return nil, err
	}
	r.Scores, r.Epochs, r.Chosen = r.Summary.Test, r.Summary.Epochs, r.Summary.Chosen
	for _, step := range []func() error{
		func() error { return r.readExperiment(in("config.yaml")) },
		func() error { return r.readMetrics(in("metrics.jsonl")) },
		func() error {
			return optional(r, in("manifest.json"), &r.Manifest, "hashes and versions: the run has no manifest.json")
		},
		func() error {
			return optional(r, in("probe.json"), &r.Probes, "")
		},
		func() error {
			return optional[results.VariancePartition](r, in("variance_partition.json"), &r.Partition, "")
		},
		func() error { return r.readScored(in("controls"), "eval", &r.Controls) },
		func() error { return r.readScored(in("transfer"), "", &r.Transfers) },
		func() error { return optional[results.Transfer](r, in("transfer", "transfer.json"), &r.Unseen, "") },
		r.readSubjects,
		func() error { return r.readData(ctx) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// optional reads a file that need not be there.
func optional[T any](r *Run, path string, to **T, absent string) error {
	x := new(T)
	err := jsonfile.Read(reading, path, x)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if absent != "" {
			r.Absent = append(r.Absent, absent)
		}
		return nil
	case err == nil:
		*to = x
	}
	return err
}

func (r *Run) readExperiment(path string) (err error) {
	if !there(path) {
		r.Absent = append(r.Absent, "settings: the directory has no config.yaml, only scores")
		return nil
	}
	r.Experiment, err = experiment.LoadRun(path)
	return err
}

// readMetrics takes the epochs of a training whose summary has none.
func (r *Run) readMetrics(path string) error {
	if len(r.Epochs) > 0 {
		return nil
	}
	type line struct {
		results.Epoch
		Story string `json:"story"`
	}
	lines, err := jsonfile.ReadLines[line](reading, path)
	if errors.Is(err, fs.ErrNotExist) {
		if r.Scores.Tuned != nil {
			r.Absent = append(r.Absent, "learning curve: there is no metrics.jsonl")
		}
		return nil
	}
	for _, l := range lines {
		if l.Story == "" {
			r.Epochs = append(r.Epochs, l.Epoch)
		}
	}
	return err
}

// readScored reads the summaries of what is below a folder, by name.
func (r *Run) readScored(dir, below string, to *[]Scored) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.IO, reading, dir, err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		s := Scored{e.Name(), &results.Summary{}}
		err := jsonfile.Read(reading, filepath.Join(dir, e.Name(), below, "summary.json"), s.Summary)
		if errors.Is(err, fs.ErrNotExist) || err == nil && s.Summary.Test.Delta == nil {
			continue // one that is not finished
		}
		if err != nil {
			return err
		}
		*to = append(*to, s)
	}
	return nil
}

// readSubjects reads what eval/test has of each subject.
func (r *Run) readSubjects() error {
	file := filepath.Join(r.Dir, "eval", "test", results.LayoutFile)
	if !there(file) {
		r.Absent = append(r.Absent,
			"maps and charts of voxels: there is no eval/test/layout.json (an evaluation writes it)")
		return nil
	}
	layout, err := results.ReadLayout(r.Dir)
	if err != nil {
		return err
	}
	for _, l := range layout.Subjects {
		p := Subject{Name: l.Name, Voxels: l.Voxels, Rows: l.Rows}
		for _, roi := range l.ROIs {
			p.ROIs = append(p.ROIs, ROI(roi))
		}
		if !filepath.IsLocal(p.Name) {
			return fault.New(fault.BadData, reading, file, "%q is no name of a folder", p.Name)
		}
		for _, region := range p.ROIs {
			for _, c := range region.Columns {
				if c < 0 || c >= p.Voxels {
					return fault.New(fault.BadData, reading, file, "ROI %s has the column %d, %s has %d", region.Name,
						c, p.Name, p.Voxels)
				}
			}
		}
		for _, x := range []struct {
			name string
			to   *[]float32
		}{{"base_r", &p.Base}, {"base_best_layer_r", &p.Best}, {"tuned_r", &p.Tuned}, {"delta_r", &p.Delta},
			{"delta_q", &p.Q}, {"ceiling", &p.Ceiling}} {
			path := filepath.Join(r.Dir, "eval", "test", p.Name, x.name+".npy")
			if !there(path) {
				continue
			}
			if *x.to, err = ReadVector(path, p.Voxels); err != nil {
				return err
			}
		}
		if p.Base == nil {
			return fault.New(fault.Missing, reading, r.Dir, "the scores of %s are not there",
				p.Name).WithHint("evaluate %s", r.Dir)
		}
		r.Subjects = append(r.Subjects, p)
	}
	return nil
}

// ReadVector reads one number for each voxel.
func ReadVector(path string, voxels int) ([]float32, error) {
	a, err := npy.Read(path)
	if err != nil {
		return nil, err
	}
	if len(a.Shape) != 1 || a.Shape[0] != voxels {
		return nil, fault.New(fault.BadData, reading, path, "shape %v, the layout says [%d]", a.Shape, voxels)
	}
	x, err := a.Float32()
	for i := range x {
		if math.IsInf(float64(x[i]), 0) {
			x[i] = float32(math.NaN())
		}
	}
	return x, err
}

// readData reads citations and the places of voxels from the data set, if it still exists.
func (r *Run) readData(ctx context.Context) error {
	if r.Experiment == nil || !there(r.Experiment.Data.Path) {
		return nil
	}
	d, err := dataset.Open(r.Experiment.Data.Path)
	if err != nil {
		r.Absent = append(r.Absent, "what the data set says of itself: "+err.Error())
		return nil
	}
	r.Data = &Data{d.Name(), d.Licence(), d.Citation()}
	return r.readPlaces(func(subject string) (dataset.Places, error) {
		if !slices.Contains(d.SubjectNames(), subject) && !d.IsDerived(subject) {
			subject = "" // the data set has changed since
		}
		return d.Places(ctx, subject)
	})
}
