package wavlm

import (
	"context"
	"strings"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
)

// Save writes the model as a Hugging Face folder that transformers loads: config.json and
// preprocessor_config.json as they were read, and model.safetensors in f32 with the keys that were
// read, without the prefix and head of a task. Adapters are not included. The folder must not
// exist. It appears complete or not at all.
func (m *model) Save(ctx context.Context, dir string) error {
	return atomicfile.Dir(dir, func(dir string) error { return m.fill(ctx, dir) })
}

// fill writes the files of Save into an existing folder.
func (m *model) fill(ctx context.Context, dir string) error {
	texts := map[string][]byte{configFile: m.configForFloat32()}
	if m.preprocessor.raw != nil {
		texts[preprocessorFile] = m.preprocessor.raw
	}
	return hfmodel.Fill(ctx, dir, texts, &m.session, m.tensors)
}

func (m *model) configForFloat32() []byte { return hfmodel.ForFloat32(m.Config.json()) }

// tensors returns the parameters for writing.
func (m *model) tensors() (list []ckpt.Tensor, err error) {
	spell := strings.NewReplacer()
	if m.oldKeys {
		spell = strings.NewReplacer(sizeKey, oldSizeKey, directionKey, oldDirectionKey)
	}
	for name, p := range m.Store().Params() {
		list = append(list, hfmodel.Parameter(spell.Replace(name), p))
	}
	if m.Config.PosBatchNorm { // transformers requires the counter of batches, and does not use it
		list = append(list, ckpt.NewTensor("encoder.pos_conv_embed.batch_norm"+batchCount, []int{}, []int64{0}))
	}
	return list, nil
}
