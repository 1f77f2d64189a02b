package peft

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
)

// File names of PEFT.
const (
	ConfigFile  = "adapter_config.json"
	WeightsFile = "adapter_model.safetensors"
)

// prefix stands before every key of PEFT's files: where the model is inside PEFT's wrappers.
const prefix = "base_model.model."

const (
	loadAdapter = "load adapter"
	saveAdapter = "save adapter"
)

// Load reads a folder that PEFT or Save wrote. The pairs become part of a model when it is built with the adapter;
// call Check then.
func Load(dir string) (*Adapter, error) {
	cfg, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, WeightsFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, "adapter_model.bin")); err == nil {
			return nil, fault.New(fault.BadData, loadAdapter, dir, "holds adapter_model.bin, a pickle, and no %s", WeightsFile).
				Advise("save it again in Python with safe_serialization=True")
		}
	}
	file, err := ckpt.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	src, err := readPairs(file, path)
	if err != nil {
		return nil, err
	}
	return newAdapter(cfg, src)
}

// Save writes the adapter into a new folder, whole or not at all: adapter_config.json, adapter_model.safetensors and
// a README that says how to use it. No training step may run meanwhile. Equal adapters give equal bytes, and a loaded
// one is written with the paths that it came with.
func (a *Adapter) Save(dir string) error { return ckpt.AtomicDir(dir, a.SaveInto) }

// SaveInto writes the adapter's files into a folder that is there.
func (a *Adapter) SaveInto(dir string) error {
	if err := a.Check(); err != nil {
		return err
	}
	head := ""
	if a.file != nil {
		head = a.file.head()
	}
	cfg := a.Config
	if cfg.TargetModules.all() { // spelt out, as PEFT does, since a model with a head has more linear layers
		cfg.TargetModules = Modules{}
		for _, l := range a.layers {
			cfg.TargetModules.List = append(cfg.TargetModules.List, head+l.Path)
		}
	}
	config, err := cfg.JSON()
	if err != nil {
		return fault.Wrap(fault.Internal, saveAdapter, dir, err)
	}
	var tensors []ckpt.Tensor
	for name, t := range a.store.Params() {
		tensors = append(tensors, ckpt.NewTensor(prefix+head+name, t.Shape(), t.Float32s()))
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{ConfigFile, config}, {"README.md", []byte(a.readme())}} {
		path := filepath.Join(dir, file.name)
		if err := os.WriteFile(path, file.text, 0o666); err != nil {
			return fault.Wrap(fault.IO, saveAdapter, path, err)
		}
	}
	return ckpt.Write(filepath.Join(dir, WeightsFile), tensors, map[string]string{"format": "pt"})
}

func (a *Adapter) readme() string {
	base := ""
	if a.Config.BaseModel != "" {
		base = fmt.Sprintf("base_model: %q\n", a.Config.BaseModel)
	}
	return fmt.Sprintf(`---
library_name: peft
%s---
LoRA adapter of %d layers, %d parameters, written by bwlm.

In Python, merge it before use: where a model reads the weights of its layers instead of calling them, as WavLM's
attention in transformers does (huggingface/transformers#48773), an adapter that is not merged has no effect.

    from peft import PeftModel
    model = PeftModel.from_pretrained(base_model, "this folder").merge_and_unload()
`, base, len(a.layers), a.Params())
}
