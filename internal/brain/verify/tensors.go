package verify

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/internal/brain/calibration"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
)

// tensors verifies a file of safetensors or of torch.save.
func (r *Report) tensors(ctx context.Context, path string) error {
	open := ckpt.OpenTorch
	if filepath.Ext(path) == ".safetensors" {
		open = ckpt.Open
	}
	r.file(ctx, filepath.Base(path), path, open)
	return nil
}

// file adds a part for a file of tensors, or a folder of shards: its structure, and that all numbers are finite.
func (r *Report) file(ctx context.Context, name, path string, open func(string) (*ckpt.File, error)) {
	f, err := open(path)
	if err != nil {
		r.judge(name, err, "")
		return
	}
	defer f.Close()
	n, numbers := 0, 0
	for t := range f.Tensors() {
		if err := context.Cause(ctx); err != nil {
			return
		}
		if err := finite(f, t); err != nil {
			r.judge(name, err, "")
			return
		}
		n, numbers = n+1, numbers+t.Len()
	}
	about := "all finite"
	if mayBeUnknown(f) {
		about = "finite or not known"
	}
	r.add(name, OK, "%d tensors of %d numbers, %s", n, numbers, about)
}

// mayBeUnknown reports whether NaN stands for a number that is not known: in a calibration, of few rows.
func mayBeUnknown(f *ckpt.File) bool {
	_, is := f.Metadata()[calibration.Key]
	return is
}

// finite returns an error if a tensor of floats has a number that is none.
func finite(f *ckpt.File, t ckpt.TensorInfo) error {
	if !strings.HasPrefix(t.DType.String(), "F") && !strings.HasPrefix(t.DType.String(), "BF") {
		return nil
	}
	x, err := f.Float32(t.Name)
	if err != nil {
		return err
	}
	unknown := mayBeUnknown(f)
	for i, v := range x {
		if v-v != 0 && !(unknown && v != v) { // NaN and the infinities
			return fault.New(fault.BadData, op, f.Where(t.Name), "element %d is %g", i, v)
		}
	}
	return nil
}

// adapter verifies an adapter's folder.
func (r *Report) adapter(ctx context.Context, dir string) error { return r.adapterIn(ctx, dir, "", "") }

// adapterIn adds the parts of an adapter's folder, whose names begin with prefix. Base is the identity of the model
// that it was trained on, "" if that is not known.
func (r *Report) adapterIn(ctx context.Context, dir, prefix, base string) error {
	f, err := peft.Open(dir)
	if err != nil {
		r.judge(prefix+peft.ConfigFile, err, "")
		return context.Cause(ctx)
	}
	inactive := 0
	for _, m := range f.Modules() {
		if m.State == peft.Inactive {
			inactive++
		}
	}
	r.add(prefix+peft.ConfigFile, OK, "%s of %d layers, %d parameters", f.Method(), len(f.Modules()), f.Params())
	if inactive > 0 {
		r.add(prefix+peft.ConfigFile, Note, "%d of %d layers change nothing", inactive, len(f.Modules()))
	}
	name, open := "adapter_model.safetensors", ckpt.Open
	if found, _ := filepath.Glob(filepath.Join(escape(dir), name)); len(found) == 0 {
		name, open = "adapter_model.bin", ckpt.OpenTorch
	}
	r.file(ctx, prefix+name, filepath.Join(dir, name), open)
	recorded, err := basemodel.Read(op, dir)
	if err == nil && base != "" && recorded != "" && base != recorded {
		err = fault.New(fault.BadData, op, "", "the adapter is of another base model (SHA-256 %.12s…) than the run "+
			"(%.12s…)", recorded, base)
	}
	if err != nil || recorded != "" {
		r.judge(prefix+basemodel.File, err, "base model %.12s…", recorded)
	}
	return nil
}

// model verifies the folder of a speech model by opening it: its configuration, and names, shapes and values of its
// weights.
func (r *Report) model(ctx context.Context, dir string) error {
	r.file(ctx, "weights", dir, ckpt.OpenModel)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if r.Parts[len(r.Parts)-1].Verdict == Wrong {
		return nil
	}
	m, err := pretrained.Open(ctx, dir, speech.Options{})
	if fault.KindOf(err) == fault.Unavailable { // libtorch is not there
		return err
	}
	if err != nil {
		r.judge("config.json", err, "")
		return nil
	}
	defer m.Close()
	a := m.Architecture()
	r.add("config.json", OK, "%s with %d layers of width %d, which the weights fit", a.Family, a.Layers, a.Width)
	for _, note := range m.Notes() {
		r.add("config.json", Note, "%s", note)
	}
	return nil
}

// checkpoint verifies a folder ckpt/step-N by itself.
func (r *Report) checkpoint(ctx context.Context, dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fault.Wrap(fault.IO, op, dir, err)
	}
	step, ok := rundir.StepOf(filepath.Base(abs))
	if !ok || filepath.Base(filepath.Dir(abs)) != "ckpt" {
		r.add(filepath.Base(abs), Wrong, "a checkpoint is a folder ckpt/step-NNNNNN of a run: "+
			"its name is its step")
		return nil
	}
	run := &rundir.Run{Dir: filepath.Dir(filepath.Dir(abs))}
	r.step(run, step, filepath.Base(abs), unknownEpochs)
	files := []string{filepath.Join(abs, "tensors.safetensors")}
	voxels, _ := filepath.Glob(filepath.Join(escape(abs), "voxels-*.safetensors")) // the pattern is well formed
	for _, path := range append(files, voxels...) {
		r.file(ctx, filepath.Base(abs)+"/"+filepath.Base(path), path, ckpt.Open)
	}
	return nil
}
