package wavlm

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
)

const (
	preprocessorFile = hfmodel.PreprocessorFile
)

// preprocessor is the processing of a waveform before the front end.
type preprocessor struct {
	normalise bool   // to mean 0 and variance 1
	note      string // how Normalise was found where the model's folder does not say it

	raw []byte // preprocessor_config.json as read, or the text of one with the same values
}

// readPreprocessor reads how a model's folder says that waveforms are processed. If it does not say it, models whose
// convolutions have layer norm normalise, as all published ones do, and a note reports it.
func readPreprocessor(dir string, cfg Config) (preprocessor, error) {
	path, text, err := hfmodel.ReadExtractor(dir)
	switch {
	case err != nil:
		return preprocessor{}, err
	case text == nil:
		return defaultPreprocessor(cfg), nil
	}
	return parsePreprocessor(path, text)
}

func badPreprocessor(path, why string, args ...any) error {
	return fault.New(fault.BadData, "read preprocessor", path, why, args...).
		WithHint("get the model's %s again", filepath.Base(path))
}

// parsePreprocessor reads the text of a preprocessor_config.json, which is that of path.
func parsePreprocessor(path string, text []byte) (preprocessor, error) {
	bad := func(why string, args ...any) (preprocessor, error) {
		return preprocessor{}, badPreprocessor(path, why, args...)
	}
	values, err := hfmodel.ParseObject(text)
	if err != nil {
		return bad("%v", err)
	}
	p := preprocessor{normalise: true, raw: text} // the default of Wav2Vec2FeatureExtractor
	rate, size, pad := float64(speech.SampleRate), 1, 0.0
	for _, f := range []field{
		{"do_normalize", &p.normalise}, {"sampling_rate", &rate}, {"feature_size", &size}, {"padding_value", &pad},
	} {
		if err := hfmodel.Decode(json.RawMessage(values[f.key]), f.value); err != nil {
			return bad("%s %v", f.key, err)
		}
	}
	switch {
	case rate != speech.SampleRate:
		return bad("sampling_rate %g, want %d", rate, speech.SampleRate)
	case size != 1:
		return bad("feature_size %d, want 1", size)
	case pad != 0:
		return bad("padding_value %g, want 0", pad)
	}
	return p, nil
}

func defaultPreprocessor(cfg Config) preprocessor {
	p := preprocessor{normalise: cfg.ConvNorm == "layer"}
	use := "used as it is"
	if p.normalise {
		use = "normalised"
	}
	p.note = fmt.Sprintf("there is no %s: the waveform is %s, since feat_extract_norm is %s",
		preprocessorFile, use, cfg.ConvNorm)
	return p
}

// json returns the preprocessor_config.json of p. return_attention_mask is as published with Base+
// and Large.
func (p preprocessor) json() []byte {
	return hfmodel.Indented(map[string]any{
		"feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 1, "sampling_rate": speech.SampleRate,
		"do_normalize": p.normalise, "padding_side": "right", "padding_value": 0, "return_attention_mask": true,
	})
}

// Normalisation resolves auto to what the preprocessor does, and allows all others.
func (m *model) Normalisation(n speech.Normalisation) (speech.Normalisation, error) {
	switch n {
	case speech.NormaliseStory, speech.NormaliseWindow, speech.NormaliseNone:
		return n, nil
	case speech.NormaliseAuto:
		if m.preprocessor.normalise {
			return speech.NormaliseStory, nil
		}
		return speech.NormaliseNone, nil
	}
	return "", fault.New(fault.Usage, "open model", "normalise", "%q, want auto, story, window or none", n)
}
