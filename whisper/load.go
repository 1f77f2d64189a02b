package whisper

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
)

// prefixes are what stands before the encoder's keys: in WhisperForConditionalGeneration, WhisperModel, and a saved
// encoder.
var prefixes = []string{standardPrefix, "encoder.", ""}

const standardPrefix = "model.encoder."

// Load reads the encoder of a Whisper from a Hugging Face folder: config.json, preprocessor_config.json if it exists,
// and the weights from model.safetensors, its shards, pytorch_model.bin and its shards. Half precision is widened to
// float32. A decoder is left out, with a note. One error lists all that is wrong. Close frees the model.
func Load(ctx context.Context, dir string, opt speech.Options) (speech.Encoder, error) {
	cfg, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	extractor, err := readExtractor(dir, cfg)
	if err != nil {
		return nil, err
	}
	file, err := ckpt.OpenModel(dir)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	w, prefix := newWeights(file, cfg, opt)
	m, err := build(ctx, w, cfg, opt, func() error { return w.Verdict(dir) })
	if err != nil {
		return nil, speech.AsFault(fault.BadData, hfmodel.Loading, dir, err)
	}
	m.extractor, m.prefix, m.notes, m.origin = extractor, prefix, w.Notes, &hfmodel.Origin{Dir: dir}
	return m, nil
}

// newWeights sorts the keys of a checkpoint, and returns what stands before those of the encoder.
func newWeights(file *ckpt.File, cfg config, opt speech.Options) (*hfmodel.Weights, string) {
	w := &hfmodel.Weights{File: file, Any: opt.AnyValues, Keys: map[string]string{}}
	w.RandomLayers(layersPrefix, opt.RandomLayers, cfg.layers)
	found := ""
	for _, prefix := range prefixes {
		if _, ok := file.Info(prefix + "conv1.weight"); ok {
			found = prefix
			break
		}
	}
	for _, key := range file.Names() {
		if name, ok := strings.CutPrefix(key, found); ok && ours(name) {
			w.Keys[name] = key
		} else {
			w.Unused = append(w.Unused, key)
		}
	}
	if len(w.Keys) == 0 {
		w.Problem("there are no keys of an encoder, such as %sconv1.weight", standardPrefix)
	} else {
		w.NoteUnused("the decoder")
	}
	return w, found
}

// ours reports whether a key belongs to the encoder.
func ours(name string) bool {
	module, _, nested := strings.Cut(name, ".")
	switch module {
	case "conv1", "conv2", "embed_positions", "layers", "layer_norm":
		return nested
	}
	return false
}

// readExtractor reads the settings of the feature extractor and checks that they are those of this package. It returns
// nil where there are none.
func readExtractor(dir string, cfg config) ([]byte, error) {
	path, text, err := hfmodel.ReadExtractor(dir)
	if err != nil || text == nil {
		return nil, err
	}
	bad := func(why string, args ...any) ([]byte, error) {
		return nil, fault.New(fault.BadData, "read preprocessor", path, why, args...).
			WithHint("get the model's %s again", filepath.Base(path))
	}
	values, err := hfmodel.ParseObject(text)
	if err != nil {
		return bad("%v", err)
	}
	rate, mels, length, size, dither := speech.SampleRate, 80, melHop, fftSize, 0.0
	for _, f := range []hfmodel.Field{{Key: "sampling_rate", Value: &rate}, {Key: "feature_size", Value: &mels},
		{Key: "hop_length", Value: &length}, {Key: "n_fft", Value: &size}, {Key: "dither", Value: &dither}} {
		if err := hfmodel.Decode(values[f.Key], f.Value); err != nil {
			return bad("%s %v", f.Key, err)
		}
	}
	switch {
	case mels != cfg.mels:
		return bad("feature_size %d, and num_mel_bins is %d in %s", mels, cfg.mels, hfmodel.ConfigFile)
	case rate != speech.SampleRate || length != melHop || size != fftSize || dither != 0:
		return bad("sampling_rate %d, hop_length %d, n_fft %d and dither %g, want %d, %d, %d and 0", rate, length, size,
			dither, speech.SampleRate, melHop, fftSize)
	}
	return text, nil
}

// Save writes the encoder as a Hugging Face folder that transformers loads: config.json and preprocessor_config.json as
// they were read, and model.safetensors in f32. Where the model is from a folder with a decoder, the decoder is copied.
func (m *model) Save(ctx context.Context, dir string) error {
	return atomicfile.Dir(dir, func(dir string) error { return m.fill(ctx, dir) })
}

func (m *model) fill(ctx context.Context, dir string) error {
	texts := map[string][]byte{hfmodel.ConfigFile: hfmodel.ForFloat32(m.raw)}
	if m.extractor != nil {
		texts[hfmodel.PreprocessorFile] = m.extractor
	}
	var file *ckpt.File
	if m.origin != nil {
		var err error
		if file, err = ckpt.OpenModel(m.origin.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		} else if err == nil {
			defer file.Close()
		}
	}
	return hfmodel.Fill(ctx, dir, texts, &m.session, func() ([]ckpt.Tensor, error) { return m.tensors(file) })
}

// tensors returns the parameters for writing, and what else a checkpoint has.
func (m *model) tensors(file *ckpt.File) (list []ckpt.Tensor, err error) {
	for name, p := range m.Store().Params() {
		list = append(list, hfmodel.Parameter(m.prefix+name, p))
	}
	if file == nil {
		return list, nil
	}
	w, _ := newWeights(file, m.config, speech.Options{})
	for _, key := range w.Unused {
		t, err := file.Tensor(key)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// Identity returns the SHA-256, in hexadecimal, of what the outputs of a model from a folder follow from: the sizes of
// config.json and the weights of the encoder as float32. It is "" for a model without a folder.
func (m *model) Identity() (string, error) { return m.origin.Identity(m.hash) }

func (m *model) hash(dir string) (string, error) {
	file, err := ckpt.OpenModel(dir)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	fmt.Fprintln(h, "bwlm base model 1,", Family)
	for _, f := range m.config.fields() {
		if strings.HasSuffix(f.Key, "dropout") || f.Key == "encoder_layerdrop" || f.Key == "init_std" {
			continue
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %s\n", f.Key, value)
	}
	w, _ := newWeights(file, m.config, speech.Options{})
	if err := hfmodel.HashWeights(h, file, w.Keys); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
