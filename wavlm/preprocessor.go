package wavlm

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
)

const preprocessorFile = "preprocessor_config.json"

// Preprocessor is what is done to a waveform before the model sees it.
type Preprocessor struct {
	Normalise bool   // to mean 0 and variance 1
	Note      string // how Normalise was found where the model's folder does not say it

	raw []byte // preprocessor_config.json as read
}

// ReadPreprocessor reads preprocessor_config.json in a model's folder. Where that is absent, models whose
// convolutions have layer norm normalise, as all published ones do, and Note says so.
func ReadPreprocessor(dir string, cfg Config) (Preprocessor, error) {
	path := filepath.Join(dir, preprocessorFile)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return defaultPreprocessor(cfg), nil
	}
	text, err := readText(path)
	if err != nil {
		return Preprocessor{}, err
	}
	bad := func(why string, args ...any) (Preprocessor, error) {
		return Preprocessor{}, fault.New(fault.BadData, "read preprocessor", path, why, args...).
			WithHint("get the model's %s again", preprocessorFile)
	}
	values, err := parseObject(text)
	if err != nil {
		return bad("%v", err)
	}
	p := Preprocessor{Normalise: true, raw: text} // the default of Wav2Vec2FeatureExtractor
	rate, size, pad := float64(SampleRate), 1, 0.0
	for _, f := range []field{{"do_normalize", &p.Normalise}, {"sampling_rate", &rate}, {"feature_size", &size}, {"padding_value", &pad}} {
		if err := decode(json.RawMessage(values[f.key]), f.value); err != nil {
			return bad("%s %v", f.key, err)
		}
	}
	switch {
	case rate != SampleRate:
		return bad("sampling_rate %g, want %d", rate, SampleRate)
	case size != 1:
		return bad("feature_size %d, want 1", size)
	case pad != 0:
		return bad("padding_value %g, want 0", pad)
	}
	return p, nil
}

func defaultPreprocessor(cfg Config) Preprocessor {
	p := Preprocessor{Normalise: cfg.ConvNorm == "layer"}
	p.Note = "there is no " + preprocessorFile + ": the waveform is used as it is, since feat_extract_norm is " + cfg.ConvNorm
	if p.Normalise {
		p.Note = "there is no " + preprocessorFile + ": the waveform is normalised, since feat_extract_norm is " + cfg.ConvNorm
	}
	return p
}

// json is the preprocessor_config.json of p. The mask that it asks for is what Base+ and Large were published with.
func (p Preprocessor) json() []byte {
	return indented(map[string]any{
		"feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 1, "sampling_rate": SampleRate,
		"do_normalize": p.Normalise, "padding_side": "right", "padding_value": 0, "return_attention_mask": true,
	})
}

// Apply gives the waveform as the model wants it: a copy, or samples itself.
func (p Preprocessor) Apply(samples []float32) []float32 {
	if !p.Normalise {
		return samples
	}
	return Normalise(samples)
}

// Normalise shifts and scales samples to mean 0 and variance 1, as zero_mean_unit_var_norm of transformers does,
// with its epsilon under the root; digital silence becomes 0.
func Normalise(samples []float32) []float32 {
	var mean, variance float64
	for _, x := range samples {
		mean += float64(x) / float64(len(samples))
	}
	for _, x := range samples {
		d := float64(x) - mean
		variance += d * d / float64(len(samples))
	}
	scale := 1 / math.Sqrt(variance+1e-7)
	out := make([]float32, len(samples))
	for i, x := range samples {
		out[i] = float32((float64(x) - mean) * scale)
	}
	return out
}
