package wavlm

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
)

// Identity returns the SHA-256, in hexadecimal, of what the outputs of a model from a folder follow from: the sizes and
// switches of config.json, whether the waveform is normalised, and the weights of the encoder as float32. The container
// of the weights, a task's head, rates of dropout and the device do not change it. It is "" for a model without a
// folder. The weights are read again, once.
func (m *model) Identity() (string, error) {
	return m.origin.Identity(m.hash)
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
	if err := hfmodel.HashWeights(h, file, newWeights(file, m.Config, speech.Options{}).Keys); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
