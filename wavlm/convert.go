package wavlm

import (
	"context"
	"os"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
)

const convert = "convert"

// ConvertOptions name the input and the output of a conversion.
type ConvertOptions struct {
	In        string // Microsoft's .pt of a WavLM, or a Hugging Face folder
	Out       string // folder to make
	Force     bool   // replace Out if it is a folder that holds a converted model and nothing else
	AnyValues bool   // accept NaN, infinite or all-zero weights
}

// Converted describes the result of a conversion.
type Converted struct {
	Config     Config
	Tensors    int
	Parameters int
	Notes      []string // what is not in the folder, and what was assumed
}

// Convert writes a model as a Hugging Face folder (config.json, model.safetensors,
// preprocessor_config.json) that transformers and this package load. It reads Microsoft's own .pt
// of a WavLM, and any folder that [Load] reads, such as one with pytorch_model.bin. The head of a
// task is left out, and half precision is widened to float32. The folder appears complete or not at
// all. An existing Out is an error of kind Exists unless Force is set; it is then replaced once the
// new folder is complete.
func Convert(ctx context.Context, opt ConvertOptions) (*Converted, error) {
	target := atomicfile.Target{What: convert, Dir: opt.Out, Force: opt.Force, Files: savedFiles,
		Inputs: []string{opt.In}}
	if err := target.Check(); err != nil {
		return nil, err
	}
	m, err := opt.load(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if m.preprocessor.raw == nil {
		m.preprocessor.raw = m.preprocessor.json()
	}
	out := &Converted{Config: m.Config, Notes: m.notes}
	for _, p := range m.Store().Params() {
		out.Tensors++
		out.Parameters += p.Len()
	}
	return out, target.Write(func(dir string) error { return m.fill(ctx, dir) })
}

// savedFiles lists the files that Save writes.
var savedFiles = []string{configFile, hfmodel.WeightsFile, preprocessorFile}

// load reads the input.
func (o ConvertOptions) load(ctx context.Context) (*model, error) {
	info, err := os.Stat(o.In)
	if err != nil {
		return nil, fault.Wrap(fault.Missing, convert, o.In, err).WithHint("check the path")
	}
	opt := speech.Options{AnyValues: o.AnyValues}
	if info.IsDir() {
		return loadFolder(ctx, o.In, opt)
	}
	return loadMicrosoft(ctx, o.In, opt)
}
