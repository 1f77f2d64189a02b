package tune

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
)

// voxelFile is the last layer for a block of voxels as it is saved: weights, and the optimizer's state.
type voxelFile struct {
	name    string
	tensors []ckpt.Tensor
}

const optimizerPrefix = "optimizer."

// voxelFiles copies what this rank has of the readouts' last layers.
func (t *Trainer) voxelFiles() (out []voxelFile) {
	for b := range t.blocks() {
		tensors := rundir.TensorsOf("", b.Store.Params())
		if b.Adam != nil {
			tensors = append(tensors, rundir.TensorsOf(optimizerPrefix, b.Adam.State())...)
		}
		out = append(out, voxelFile{rundir.VoxelFile(t.Study.Subjects[b.Subject].Name, b.Number), tensors})
	}
	return out
}

// restoreVoxels reads the blocks of this rank from the checkpoint of a step.
func (t *Trainer) restoreVoxels(ctx context.Context, run *rundir.Run, step int, optimizer bool) error {
	return t.Session.Train(ctx, 0, func(s *torch.Scope) error {
		for b := range t.blocks() {
			f, err := run.OpenVoxels(step, t.Study.Subjects[b.Subject].Name, b.Number)
			if err != nil {
				return err
			}
			err = restoreStore(s, f, "", b.Store)
			if err == nil && optimizer && b.Adam != nil {
				err = b.Adam.SetState(func(name string) (*torch.Tensor, error) {
					return rundir.ReadTensor(s, f, optimizerPrefix+name)
				})
			}
			f.Close()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// saveTogether saves a checkpoint, to which each rank writes the blocks of voxels that it has. All ranks return an
// error if one of them failed.
func (t *Trainer) saveTogether(run *rundir.Run, c checkpoint) error {
	asked := false
	c.Voxels = func(dir string) ([]rundir.ManifestEntry, error) {
		asked = true
		return t.writeVoxels(run, dir, c.voxels)
	}
	err := run.Save(c.Checkpoint)
	if !asked { // by a rank that follows, or where there is nothing to write
		if _, other := c.Voxels(""); err == nil {
			err = other
		}
	}
	return t.agreed("save checkpoint", err)
}

// writeVoxels has each rank write files into the folder that rank 0 gives, and describes those of all ranks. Nothing is
// written where rank 0 gives none.
func (t *Trainer) writeVoxels(run *rundir.Run, dir string, files []voxelFile) ([]rundir.ManifestEntry, error) {
	g := t.Study.Options.Ranks
	if g != nil {
		if dir != "" {
			rel, err := filepath.Rel(run.Dir, dir)
			if err != nil {
				return nil, fault.Wrap(fault.Internal, "save voxels", dir, err)
			}
			dir = rel
		}
		given, err := g.Texts("folder of voxels", dir)
		if err != nil {
			return nil, err
		}
		if dir = given[0]; dir != "" {
			dir = filepath.Join(run.Dir, dir)
		}
	}
	if dir == "" {
		return nil, nil
	}
	var mine, all []rundir.ManifestEntry
	var err error
	for _, file := range files {
		if err = ckpt.Write(filepath.Join(dir, file.name), file.tensors, nil); err != nil {
			break
		}
		var e rundir.ManifestEntry
		if e, err = rundir.FileEntry(dir, file.name); err != nil {
			break
		}
		mine = append(mine, e)
	}
	if err = t.agreed("save voxels", err); err != nil {
		return nil, err
	}
	text, err := json.Marshal(mine)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "save voxels", dir, err)
	}
	texts, err := g.Texts("files of voxels", string(text))
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		var some []rundir.ManifestEntry
		if err := json.Unmarshal([]byte(text), &some); err != nil {
			return nil, fault.Wrap(fault.Internal, "save voxels", dir, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// readoutTensors returns the whole readout of subject i, whose blocks of voxels are in a folder.
func (t *Trainer) readoutTensors(dir string, i int) ([]ckpt.Tensor, error) {
	r, p := t.Readouts[i], t.Study.Subjects[i]
	if r.Whole != nil {
		return r.Whole.Tensors(), nil
	}
	var weight, bias []float32
	inputs := 0
	for number := range (len(p.Tuned) + columns.Width - 1) / columns.Width {
		f, err := ckpt.Open(filepath.Join(dir, rundir.VoxelFile(p.Name, number)))
		if err != nil {
			return nil, err
		}
		w, err := f.Float32("linear.weight")
		var b []float32
		if err == nil {
			b, err = f.Float32("linear.bias")
		}
		f.Close()
		if err != nil {
			return nil, err
		}
		weight, bias, inputs = append(weight, w...), append(bias, b...), len(w)/len(b)
	}
	return append(rundir.TensorsOf("", r.Store.Params()),
		ckpt.NewTensor("linear.weight", []int{len(p.Tuned), inputs}, weight),
		ckpt.NewTensor("linear.bias", []int{len(p.Tuned)}, bias)), nil
}

// removeFiles removes files of a folder.
func removeFiles(dir string, entries []rundir.ManifestEntry) error {
	return disk.Fault("write run", dir, disk.In(dir, func(f *disk.Folder) error {
		for _, e := range entries {
			if err := f.Remove(e.Name); err != nil {
				return err
			}
		}
		return nil
	}))
}

// agreed returns an error on all ranks if any has one: its own, else that of the first that has one.
func (t *Trainer) agreed(what string, err error) error {
	g := t.Study.Options.Ranks
	if g == nil {
		return err
	}
	text := ""
	if err != nil {
		text = strings.ReplaceAll(err.Error(), "\n", " ")
	}
	texts, lost := g.Texts(what, text)
	if err != nil {
		return err
	}
	if lost != nil {
		return lost
	}
	for rank, text := range texts {
		if text != "" {
			return &fault.Error{Kind: fault.Temporary, Op: what, Path: fmt.Sprintf("rank %d", rank), Reason: text,
				Err: errOfAnother}
		}
	}
	return nil
}
