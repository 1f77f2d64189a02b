package brain

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/version"
	"github.com/brainwavlm/bwlm/torch"
)

// Manifest says what a run was made from: enough to repeat it and to see whether an input has changed.
type Manifest struct {
	Schema   int               `json:"schema"`
	Versions map[string]string `json:"versions"`
	Platform string            `json:"platform"`
	Threads  int               `json:"threads"`
	Device   string            `json:"device"`
	Seed     uint64            `json:"seed"`
	Loss     string            `json:"loss"`
	Delays   []int             `json:"delays_trs"`
	Splits   []string          `json:"splits"`          // the rows of each split with the stimulus they hear
	Leaks    []string          `json:"leaks,omitempty"` // that data.allow_leak let pass
	Subjects []ManifestPerson  `json:"subjects"`
	Inputs   []ManifestInput   `json:"inputs"`
	Notes    []string          `json:"notes"`
}

// ManifestPerson is one subject of a run.
type ManifestPerson struct {
	Name   string `json:"name"`
	Voxels int    `json:"voxels"`
	Tuned  int    `json:"tuned_voxels"`
}

// ManifestInput is one file that a run read.
type ManifestInput struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// manifest hashes the inputs.
func (st *Study) manifest(ctx context.Context) (*Manifest, error) {
	m := &Manifest{Schema: 1, Versions: map[string]string{"bwlm": version.String(), "libtorch": torch.Version(), "go": runtime.Version()},
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Threads: torch.Threads(), Device: st.Model.Session().Device.String(),
		Seed: st.Experiment.Train.Seed, Loss: string(st.lossName), Delays: st.delays, Notes: slices.Clone(st.Notes)}
	if st.Experiment.Model.Downsample == experiment.DownsampleLanczos {
		m.Notes = append(m.Notes, "Lanczos interpolation hears up to 3 TRs of audio after a volume")
	}
	for _, s := range st.Audit.Rows {
		m.Splits = append(m.Splits, s.String())
	}
	for _, l := range st.Audit.Leaks {
		m.Leaks = append(m.Leaks, l.String())
	}
	var names []string
	for _, p := range st.people {
		names = append(names, p.name)
		m.Subjects = append(m.Subjects, ManifestPerson{p.name, p.voxels, len(p.tuned)})
	}
	for d, err := range st.Data.Inputs(names, st.stories) {
		if err != nil {
			return nil, err
		}
		m.Inputs = append(m.Inputs, ManifestInput(d))
	}
	if pattern := st.Experiment.Train.Weights; pattern != "" {
		var paths []string
		for _, name := range names {
			paths = append(paths, weightsFile(pattern, name))
		}
		for _, path := range slices.Compact(paths) {
			e, err := fileEntry(filepath.Dir(path), filepath.Base(path))
			if err != nil {
				return nil, fault.Wrap(fault.IO, "hash weights", path, err)
			}
			m.Inputs = append(m.Inputs, ManifestInput{path, e.Bytes, e.SHA256})
		}
	}
	files, err := filepath.Glob(filepath.Join(st.Experiment.Model.Path, "*"))
	if err != nil {
		return nil, fault.Wrap(fault.IO, "hash model", st.Experiment.Model.Path, err)
	}
	slices.Sort(files)
	for _, path := range files {
		if ext := filepath.Ext(path); ext != ".json" && ext != ".safetensors" {
			continue
		}
		e, err := fileEntry(filepath.Dir(path), filepath.Base(path))
		if err != nil {
			return nil, fault.Wrap(fault.IO, "hash model", path, err)
		}
		m.Inputs = append(m.Inputs, ManifestInput{path, e.Bytes, e.SHA256})
	}
	return m, ctx.Err()
}

// unchanged compares the inputs with those that a run began with.
func (st *Study) unchanged(ctx context.Context, run *Run) error {
	now, err := st.manifest(ctx)
	if err != nil {
		return err
	}
	var then Manifest
	if err := jsonfile.Read("resume", run.file(manifestOfRun), &then); err != nil {
		return err
	}
	for _, was := range then.Inputs {
		if !slices.Contains(now.Inputs, was) {
			return fault.New(fault.BadData, "resume", was.Path, "is not what the run began with (SHA-256 %.12s…)", was.SHA256).
				Advise("put it back, or start another run")
		}
	}
	return nil
}

// Begin makes a new run directory with the resolved experiment and the manifest, ready for Fit.
func (st *Study) Begin(ctx context.Context) (*Run, error) {
	m, err := st.manifest(ctx)
	if err != nil {
		return nil, err
	}
	run, err := CreateRun(st.Experiment.Out)
	if err != nil {
		return nil, err
	}
	if err = jsonfile.Write(run.file(manifestOfRun), m); err == nil {
		err = atomicfile.Write(run.file(configFile), st.Experiment.Write) // last: it makes the directory a run
	}
	if err != nil {
		run.Close()
		return nil, err
	}
	return run, nil
}

// file is a place in the run directory.
func (r *Run) file(name string) string { return filepath.Join(r.Dir, name) }
