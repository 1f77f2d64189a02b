package hfmodel

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Fill writes texts, by the names of their files, and weights into an existing folder.
func Fill(ctx context.Context, dir string, texts map[string][]byte, session *nn.Session,
	tensors func() ([]ckpt.Tensor, error)) error {
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		path := filepath.Join(dir, name)
		if err := disk.WriteNew(path, texts[name]); err != nil {
			return fault.Wrap(fault.IO, "save model", path, err)
		}
	}
	err := session.Infer(ctx, func(*torch.Scope) error {
		list, err := tensors()
		if err != nil {
			return err
		}
		return ckpt.Write(filepath.Join(dir, WeightsFile), list, map[string]string{"format": "pt"})
	})
	if err != nil {
		return speech.AsFault(fault.Internal, "save model", dir, err)
	}
	return nil
}

// ForFloat32 returns a config.json with dtype float32. With a dtype of half precision, transformers would round the
// saved weights.
func ForFloat32(config []byte) []byte {
	values, err := ParseObject(config)
	if err != nil {
		panic(err) // it was read before
	}
	changed := false
	for _, key := range []string{"dtype", "torch_dtype"} {
		if old := string(values[key]); old != "" && old != "null" && old != `"float32"` {
			values[key], changed = json.RawMessage(`"float32"`), true
		}
	}
	if !changed {
		return config
	}
	return Indented(values)
}

// Parameter is a parameter for writing as float32. It is copied out of libtorch when it is written.
func Parameter(name string, p *torch.Tensor) ckpt.Tensor {
	return ckpt.Tensor{Name: name, DType: ckpt.F32, Shape: p.Shape(), Data: parameter{p}}
}

type parameter struct{ *torch.Tensor }

// Len is the number of bytes.
func (p parameter) Len() int64 { return int64(p.Tensor.Len() * p.DType().Size()) }

// WriteTo writes the elements.
func (p parameter) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(p.Bytes())
	return int64(n), err
}
