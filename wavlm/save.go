package wavlm

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// Save writes the model as a Hugging Face folder that transformers loads: config.json and
// preprocessor_config.json as they were read, and model.safetensors in f32 with the keys that were
// read, without the prefix and head of a task. Adapters are not included. The folder must not
// exist. It appears complete or not at all.
func (m *model) Save(ctx context.Context, dir string) error {
	return atomicfile.Dir(dir, func(dir string) error { return m.fill(ctx, dir) })
}

const weightsFile = "model.safetensors"

// fill writes the files of Save into an existing folder.
func (m *model) fill(ctx context.Context, dir string) error {
	if err := writeFile(dir, configFile, m.configForFloat32()); err != nil {
		return err
	}
	if m.preprocessor.raw != nil {
		if err := writeFile(dir, preprocessorFile, m.preprocessor.raw); err != nil {
			return err
		}
	}
	err := m.session.Infer(ctx, func(*torch.Scope) error {
		return ckpt.Write(filepath.Join(dir, weightsFile), m.tensors(), map[string]string{"format": "pt"})
	})
	if err != nil {
		return speech.AsFault(fault.Internal, "save model", dir, err)
	}
	return nil
}

// tensors returns the parameters for writing.
func (m *model) tensors() (list []ckpt.Tensor) {
	spell := strings.NewReplacer()
	if m.oldKeys {
		spell = strings.NewReplacer(sizeKey, oldSizeKey, directionKey, oldDirectionKey)
	}
	for name, p := range m.Store().Params() {
		list = append(list, ckpt.Tensor{Name: spell.Replace(name), DType: ckpt.F32, Shape: p.Shape(),
			Data: parameter{p}})
	}
	if m.Config.PosBatchNorm { // transformers requires the counter of batches, and does not use it
		list = append(list, ckpt.NewTensor("encoder.pos_conv_embed.batch_norm"+batchCount, []int{}, []int64{0}))
	}
	return list
}

// configForFloat32 returns config.json with dtype float32. With a dtype of half precision,
// transformers would round the saved weights.
func (m *model) configForFloat32() []byte {
	text := m.Config.json()
	values, err := parseObject(text)
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
		return text
	}
	return indented(values)
}

// parameter is a parameter that is copied out of libtorch when it is written.
type parameter struct{ *torch.Tensor }

// Len is the number of bytes.
func (p parameter) Len() int64 { return int64(p.Tensor.Len() * p.DType().Size()) }

// WriteTo writes the elements.
func (p parameter) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(p.Bytes())
	return int64(n), err
}

func writeFile(dir, name string, text []byte) error {
	path := filepath.Join(dir, name)
	if err := disk.WriteNew(path, text); err != nil {
		return fault.Wrap(fault.IO, "save model", path, err)
	}
	return nil
}
