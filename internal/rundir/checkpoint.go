package rundir

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/torch"
)

// Progress is where a training stands. Together with the tensors of its checkpoint it determines all that follows.
type Progress struct {
	Format   int             `json:"format"` // of the checkpoint
	Epoch    int             `json:"epoch"`  // epochs completed
	Block    int             `json:"block"`  // blocks of the next epoch that are done
	Step     int             `json:"step"`   // optimizer steps done
	LossSum  float64         `json:"loss_sum"`
	Epochs   []results.Epoch `json:"epochs"`
	Best     int             `json:"best"`          // index into Epochs
	BestStep int             `json:"best_step"`     // step of the best epoch's checkpoint
	Metrics  int64           `json:"metrics_bytes"` // length of metrics.jsonl
	Threads  int             `json:"threads"`
	Torch    string          `json:"torch"`
	Device   string          `json:"device"`
	Config   string          `json:"config_sha256"`
}

const CheckpointFormat = 2

// Checkpoint is a folder ckpt/step-N: tensors.safetensors, state.json, voxels-SUBJECT-NNNNN.safetensors for each block
// of voxels whose readout is tuned, and MANIFEST.json with their sizes and hashes. No file depends on the number of
// processes.
type Checkpoint struct {
	Progress Progress
	Tensors  []ckpt.Tensor
	Voxels   func(dir string) ([]ManifestEntry, error) // writes the files of blocks of voxels; nil: there are none
}

const (
	tensorsFile  = "tensors.safetensors"
	stateFile    = "state.json"
	manifestFile = "MANIFEST.json"
	stepPrefix   = "step-"
)

type ManifestEntry struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Save writes the checkpoint atomically, then removes older ones that are no longer needed.
func (r *Run) Save(c Checkpoint) error {
	if r.reads {
		return nil
	}
	dir := r.stepDir(c.Progress.Step)
	if p, f, err := r.Open(c.Progress.Step); err == nil {
		f.Close()
		if reflect.DeepEqual(*p, c.Progress) {
			return nil
		}
	}
	// Another state of the same step, interrupted during validation or spoilt, is replaced when this one is complete.
	if _, err := r.Path("ckpt", stepPrefix); err != nil {
		return err
	}
	if err := r.syncMetrics(); err != nil { // which the checkpoint refers to
		return err
	}
	err := ReplaceDir(dir, func(tmp string) error {
		if err := ckpt.Write(filepath.Join(tmp, tensorsFile), c.Tensors, nil); err != nil {
			return err
		}
		if err := jsonfile.Write(filepath.Join(tmp, stateFile), c.Progress); err != nil {
			return err
		}
		var entries []ManifestEntry
		for _, name := range []string{tensorsFile, stateFile} {
			e, err := FileEntry(tmp, name)
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		if c.Voxels != nil {
			more, err := c.Voxels(tmp)
			if err != nil {
				return err
			}
			entries = append(entries, more...)
		}
		return jsonfile.Write(filepath.Join(tmp, manifestFile), entries)
	})
	if err != nil {
		return err
	}
	return r.prune(c.Progress)
}

// syncMetrics waits until metrics.jsonl is on the disk.
func (r *Run) syncMetrics() error {
	return disk.Fault("write metrics", r.File(metricsFile), disk.In(r.Dir, func(f *disk.Folder) error {
		if err := f.Sync(metricsFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return f.SyncDir(".")
	}))
}

func (r *Run) stepDir(step int) string {
	return filepath.Join(r.Dir, "ckpt", fmt.Sprintf("%s%06d", stepPrefix, step))
}

// prune keeps the newest two checkpoints and the best.
func (r *Run) prune(p Progress) error {
	steps, err := r.Steps()
	if err != nil {
		return err
	}
	for i, step := range steps {
		if i < len(steps)-2 && step != p.BestStep && step <= p.Step {
			if err := Discard(r.stepDir(step)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Steps lists the checkpoints, ascending.
func (r *Run) Steps() (steps []int, err error) {
	entries, err := r.checkpoints()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if n, ok := StepOf(e.Name()); ok && e.IsDir() {
			steps = append(steps, n)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// checkpoints lists what is in ckpt/.
func (r *Run) checkpoints() (entries []fs.DirEntry, err error) {
	err = disk.In(r.Dir, func(f *disk.Folder) (err error) {
		entries, err = f.ReadDir("ckpt")
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, disk.Fault("list checkpoints", r.File("ckpt"), err)
}

// Rewind goes back to where a training stands: it removes checkpoints and metrics of what will be done again, and
// what a killed save left. Before it removes anything it returns an error if a training of so many epochs and blocks
// per epoch cannot stand there, or if the metrics are not those of the checkpoint. The zero Progress is the beginning.
func (r *Run) Rewind(p Progress, epochs, blocks int) error {
	if r.reads {
		return nil
	}
	if len(p.Epochs) > 0 {
		if err := p.fits(r.Dir, epochs, blocks); err != nil {
			return err
		}
		if err := r.checkMetrics(&p); err != nil {
			return err
		}
	}
	entries, err := r.checkpoints()
	if err != nil {
		return err
	}
	for _, e := range entries {
		n, isStep := StepOf(e.Name())
		if isStep && n > p.Step || atomicfile.Unfinished(e.Name(), e.IsDir()) {
			if err := Discard(filepath.Join(r.Dir, "ckpt", e.Name())); err != nil {
				return err
			}
		}
	}
	return disk.Fault("cut metrics", r.File(metricsFile), disk.In(r.Dir, func(f *disk.Folder) error {
		info, err := f.Lstat(metricsFile)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() <= p.Metrics {
			return nil
		}
		if err != nil {
			return err
		}
		return f.Truncate(metricsFile, p.Metrics)
	}))
}

// StepOf reads the step from the name of a checkpoint.
func StepOf(name string) (int, bool) {
	number, ok := strings.CutPrefix(name, stepPrefix)
	n, err := strconv.Atoi(number)
	return n, ok && err == nil
}

// Newest opens the newest checkpoint whose manifest verifies. Those that do not are named by warn and passed over. One
// that verifies and holds impossible numbers is an error.
func (r *Run) Newest(warn func(error)) (*Progress, *ckpt.File, error) {
	steps, err := r.Steps()
	if err != nil {
		return nil, nil, err
	}
	for _, step := range slices.Backward(steps) {
		p, f, err := r.Open(step)
		if err == nil {
			return p, f, nil
		}
		if errors.Is(err, errImpossible) {
			return nil, nil, err
		}
		warn(err)
	}
	return nil, nil, fault.New(fault.BadData, "resume", r.Dir, "no checkpoint can be read").
		WithHint("train again from the start")
}

// Open verifies and opens the checkpoint of a step.
func (r *Run) Open(step int) (*Progress, *ckpt.File, error) {
	dir := r.stepDir(step)
	root, err := disk.Open(r.Dir)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Missing, "read checkpoint", dir, err)
	}
	defer root.Close()
	in := func(name string) string { return filepath.Join("ckpt", filepath.Base(dir), name) }
	var entries []ManifestEntry
	if err := jsonfile.ReadIn("read checkpoint", root, in(manifestFile), &entries); err != nil {
		return nil, nil, err
	}
	names := map[string]bool{}
	for _, want := range entries {
		names[want.Name] = true
		if want.Name != tensorsFile && want.Name != stateFile && !isVoxelFile(want.Name) {
			names[""] = true
			continue
		}
		got, err := entry(root, in(want.Name), want.Bytes)
		if err != nil {
			return nil, nil, disk.Fault("read checkpoint", filepath.Join(dir, want.Name), err)
		}
		if got != want {
			return nil, nil, fault.New(fault.BadData, "read checkpoint", filepath.Join(dir, want.Name),
				"%d bytes with SHA-256 %.12s…, the manifest says %d with %.12s…", got.Bytes, got.SHA256, want.Bytes,
				want.SHA256)
		}
	}
	if !names[tensorsFile] || !names[stateFile] || names[""] || len(entries) != len(names) {
		return nil, nil, fault.New(fault.BadData, "read checkpoint", filepath.Join(dir, manifestFile),
			"does not list the checkpoint's files")
	}
	p := &Progress{}
	if err := jsonfile.ReadIn("read checkpoint", root, in(stateFile), p); err != nil {
		return nil, nil, err
	}
	if p.Format != CheckpointFormat {
		return nil, nil, fault.New(fault.BadData, "read checkpoint", dir, "format %d, this version reads %d", p.Format,
			CheckpointFormat)
	}
	if err := p.check(filepath.Join(dir, stateFile), step); err != nil {
		return nil, nil, err
	}
	f, err := ckpt.Open(filepath.Join(dir, tensorsFile))
	return p, f, err
}

// FileEntry describes a file of a folder as a manifest does.
func FileEntry(dir, name string) (e ManifestEntry, err error) {
	err = disk.In(dir, func(f *disk.Folder) (err error) {
		e, err = entry(f, name, -1)
		return err
	})
	return e, disk.Fault("save checkpoint", filepath.Join(dir, name), err)
}

// entry hashes a file; one that has not the size that is wanted (-1: any) is not read.
func entry(f *disk.Folder, name string, want int64) (ManifestEntry, error) {
	file, size, err := f.Open(name)
	if err != nil {
		return ManifestEntry{}, err
	}
	defer file.Close()
	if want >= 0 && size != want {
		return ManifestEntry{}, fmt.Errorf("%d bytes, the manifest says %d", size, want)
	}
	h := sha256.New()
	n, err := io.Copy(h, file)
	return ManifestEntry{filepath.Base(name), n, hex.EncodeToString(h.Sum(nil))}, err
}

// TensorsOf copies tensors out under a prefix.
func TensorsOf(prefix string, seq func(yield func(string, *torch.Tensor) bool)) (out []ckpt.Tensor) {
	for name, t := range seq {
		out = append(out, ckpt.NewTensor(prefix+name, t.Shape(), t.Float32s()))
	}
	return out
}

// ZscoreTensors are the statistics of features by story.
func ZscoreTensors(z map[string]design.ZScore) (out []ckpt.Tensor) {
	for story, s := range z {
		out = append(out, ckpt.NewTensor("zscore."+story+".mean", []int{len(s.Mean)}, s.Mean),
			ckpt.NewTensor("zscore."+story+".sd", []int{len(s.SD)}, s.SD))
	}
	return out
}

// ReadTensor reads a Float32 tensor of a checkpoint into s.
func ReadTensor(s *torch.Scope, f *ckpt.File, name string) (*torch.Tensor, error) {
	info, ok := f.Info(name)
	if !ok {
		return nil, fault.New(fault.BadData, "read checkpoint", f.Where(name), "is missing")
	}
	x, err := f.Float32(name)
	if err != nil {
		return nil, err
	}
	return s.FromFloat32(x, info.Shape...), nil
}
