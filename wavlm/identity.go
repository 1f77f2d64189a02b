package wavlm

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/speech"
)

// origin is the folder of a model, shared by its views.
type origin struct {
	dir      string
	once     sync.Once
	identity string
	err      error
}

// Identity returns the SHA-256, in hexadecimal, of what the outputs of a model from a folder follow from: the sizes and
// switches of config.json, whether the waveform is normalised, and the weights of the encoder as float32. The container
// of the weights, a task's head, rates of dropout and the device do not change it. It is "" for a model without a
// folder. The weights are read again, once.
func (m *model) Identity() (string, error) {
	if m.origin == nil {
		return "", nil
	}
	o := m.origin
	o.once.Do(func() { o.identity, o.err = m.hash(o.dir) })
	return o.identity, o.err
}

func (m *model) hash(dir string) (string, error) {
	file, err := ckpt.OpenModel(dir)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	fmt.Fprintln(h, "bwlm base model 1, normalised", m.preprocessor.normalise)
	for _, f := range m.Config.fields() {
		if strings.HasSuffix(f.key, "dropout") || strings.HasPrefix(f.key, "mask_") || f.key == "layerdrop" ||
			f.key == "initializer_range" {
			continue
		}
		value, err := json.Marshal(f.value)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %s\n", f.key, value)
	}
	keys := newWeights(file, m.Config, speech.Options{}).keys
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		info, _ := file.Info(keys[name])
		values, err := file.Float32(keys[name])
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, name, info.Shape)
		if _, err := elements.Write(h, values); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
