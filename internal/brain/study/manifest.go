package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/version"
	"github.com/brainwavlm/bwlm/torch"
)

// Manifest hashes the inputs.
func (st *Study) Manifest(ctx context.Context) (*results.Manifest, error) {
	m := &results.Manifest{Schema: results.RunSchema, Versions: map[string]string{"bwlm": version.String(),
		"libtorch": torch.Version(), "go": runtime.Version()},
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Threads: torch.Threads(),
		Device: st.Model.Session().Device.String(),
		Seed:   st.Experiment.Train.Seed, Loss: string(st.LossName), Delays: st.Delays, Notes: slices.Clone(st.Notes)}
	var err error
	if m.Base, err = st.Model.Identity(); err != nil {
		return nil, err
	}
	if st.Experiment.Model.Downsample == experiment.DownsampleLanczos {
		m.Notes = append(m.Notes, "Lanczos interpolation uses up to 3 TRs of audio after a volume")
	}
	if g := st.Options.Ranks; g != nil && st.Options.FastSums {
		m.Notes = append(m.Notes, fmt.Sprintf("%d ranks added gradients up in any order: another number of them gives "+
			"other last bits", g.World()))
	}
	for _, s := range st.Audit.Rows {
		m.Splits = append(m.Splits, s.String())
	}
	for _, l := range st.Audit.Leaks {
		m.Leaks = append(m.Leaks, l.String())
	}
	for _, c := range st.Audit.Copies {
		m.SharedAudio = append(m.SharedAudio, c.String())
	}
	m.AudioCompared = st.Audit.Compared
	var names []string
	for _, p := range st.Subjects {
		names = append(names, p.Name)
		m.Subjects = append(m.Subjects, results.ManifestSubject{Name: p.Name, Voxels: p.Voxels, Tuned: len(p.Tuned)})
	}
	for d, err := range st.Data.Inputs(names, st.Stories) {
		if err != nil {
			return nil, err
		}
		m.Inputs = append(m.Inputs, results.ManifestInput(d))
	}
	data := len(m.Inputs)
	for _, path := range st.settingFiles(names) {
		e, err := hashed("hash inputs", path)
		if err != nil {
			return nil, err
		}
		m.Inputs = append(m.Inputs, e)
	}
	files, err := filepath.Glob(filepath.Join(st.Experiment.Model.Path, "*"))
	if err != nil {
		return nil, fault.Wrap(fault.IO, "hash model", st.Experiment.Model.Path, err)
	}
	slices.Sort(files)
	for _, path := range files {
		if ext := filepath.Ext(path); ext != ".json" && ext != ".safetensors" && ext != ".bin" {
			continue
		}
		e, err := hashed("hash model", path)
		if err != nil {
			return nil, err
		}
		m.Inputs = append(m.Inputs, e)
	}
	m.Provenance = st.provenance(m, data)
	return m, ctx.Err()
}

// hashed hashes a file that the experiment names, which may be a link, as in Hugging Face's cache.
func hashed(op, path string) (results.ManifestInput, error) {
	file, _, err := inputfile.Open(op, path)
	if err != nil {
		return results.ManifestInput{}, err
	}
	defer file.Close()
	h := sha256.New()
	n, err := io.Copy(h, file)
	if err != nil {
		return results.ManifestInput{}, fault.Wrap(fault.IO, op, path, err)
	}
	return results.ManifestInput{Path: path, Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// Unchanged compares the inputs with those that a run began with.
func (st *Study) Unchanged(ctx context.Context, run *rundir.Run) error {
	now, err := st.Manifest(ctx)
	if err != nil {
		return err
	}
	var then results.Manifest
	if err := jsonfile.Read("resume", run.File(rundir.ManifestOfRun), &then); err != nil {
		return err
	}
	model := filepath.Clean(st.Experiment.Model.Path)
	for _, was := range then.Inputs {
		if st.Options.AllowChangedBase && filepath.Dir(was.Path) == model {
			continue
		}
		if !slices.Contains(now.Inputs, was) {
			return fault.New(fault.BadData, "resume", was.Path, "is not what the run began with (SHA-256 %.12s…)",
				was.SHA256).
				WithHint("put it back, or start another run")
		}
	}
	run.KnowInputs()
	return nil
}

// Begin makes a new run directory with the resolved experiment and the manifest, ready for Fit.
func (st *Study) Begin(ctx context.Context) (*rundir.Run, error) {
	m, err := st.beginning(ctx)
	if err != nil {
		return nil, err
	}
	run, err := rundir.Create(st.Experiment.Out)
	if err != nil {
		return nil, err
	}
	if err := st.writeBeginning(run, m); err != nil {
		run.Close()
		return nil, err
	}
	return run, nil
}

// BeginIn is Begin in a directory that rundir.Create has made and locked already.
func (st *Study) BeginIn(ctx context.Context, run *rundir.Run) error {
	m, err := st.beginning(ctx)
	if err != nil {
		return err
	}
	return st.writeBeginning(run, m)
}

// beginning returns the manifest of a new run.
func (st *Study) beginning(ctx context.Context) (*results.Manifest, error) {
	if err := st.refuseTuning(); err != nil {
		return nil, err
	}
	if st.Experiment.Eval.HasFolds() {
		return nil, fault.New(fault.Usage, "begin run", "eval.folds",
			"each fold is a run of its own, and this is about one run").WithHint("set eval.folds: none")
	}
	if err := st.Measure(ctx); err != nil {
		return nil, err
	}
	return st.Manifest(ctx)
}

// writeBeginning writes manifest.json, then config.yaml, which makes the directory a run. A death between the two
// leaves a directory that rundir.Create takes again.
func (st *Study) writeBeginning(run *rundir.Run, m *results.Manifest) error {
	if err := jsonfile.Write(run.File(rundir.ManifestOfRun), m); err != nil {
		return err
	}
	return atomicfile.Write(run.File(rundir.ConfigFile), st.Experiment.Write)
}

// settingFiles are the files that keys of the experiment name, beside model and data.
func (st *Study) settingFiles(subjects []string) (paths []string) {
	exp := st.Experiment
	for _, pattern := range []string{exp.Train.Weights, exp.Readout.Init, exp.Eval.HeldOutChunks} {
		for i, name := range subjects {
			if path := FileOf(pattern, name); path != "" && (i == 0 || path != pattern) {
				paths = append(paths, path)
			}
		}
	}
	if exp.Adapter.Init != "" {
		for _, pattern := range []string{"adapter_config.json", "adapter_model.*"} {
			files, _ := filepath.Glob(filepath.Join(exp.Adapter.Init, pattern)) // the pattern is well formed
			paths = append(paths, files...)
		}
	}
	return paths
}
