package wavlm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Load reads a model from a Hugging Face folder: config.json, preprocessor_config.json if it
// exists, and the weights from the first of model.safetensors, its shards, pytorch_model.bin and
// its shards. Half precision is widened to float32. The checkpoint of a task (CTC, speaker
// verification) is accepted, and a note names the tensors of its head. Every parameter of the
// architecture is checked, used or not, and one error lists all problems. Close frees the model.
func Load(ctx context.Context, dir string, opt speech.Options) (speech.Encoder, error) {
	m, err := loadFolder(ctx, dir, opt)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func loadFolder(ctx context.Context, dir string, opt speech.Options) (*model, error) {
	if opt.Context == speech.Context30s {
		return nil, fault.New(fault.Usage, "open model", "context", "%q is for Whisper: this model hears a clip alone",
			opt.Context)
	}
	cfg, err := readConfig(dir)
	if err != nil {
		return nil, err
	}
	pre, err := readPreprocessor(dir, cfg)
	if err != nil {
		return nil, err
	}
	file, err := ckpt.OpenModel(dir)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m, err := newWeights(file, cfg, opt).build(ctx, dir, cfg, pre, opt)
	if err == nil {
		m.origin = &hfmodel.Origin{Dir: dir}
	}
	return m, err
}

// build makes the model of a checkpoint, which must fit completely; where is its path.
func (w *weights) build(
	ctx context.Context, where string, cfg Config, pre preprocessor, opt speech.Options,
) (*model, error) {
	store := nn.NewStore()
	var m *model
	err := torch.Do(ctx, opt.Mode(), func(s *torch.Scope) error {
		err := store.Build(s, w, nil, func(b *nn.Builder) { m = newModel(b, cfg) })
		if err != nil {
			return err
		}
		if err := w.verdict(where); err != nil {
			return err
		}
		return m.narrow(s, opt)
	})
	if err != nil {
		store.Close()
		return nil, speech.AsFault(fault.BadData, hfmodel.Loading, where, err)
	}
	m.preprocessor, m.closes = pre, true
	m.unused, m.oldKeys, m.notes = w.Unused, w.old, w.Notes
	if pre.note != "" {
		m.notes = append(m.notes, pre.note)
	}
	return m, nil
}

// The old keys of the weight norm, those of torch.nn.utils.weight_norm.
const (
	oldSizeKey      = "weight_g"
	oldDirectionKey = "weight_v"
)

// batchCount ends the key of a batch norm's counter of batches, which only its training uses.
const batchCount = ".num_batches_tracked"

// weights is a checkpoint as the source of a model's parameters.
type weights struct {
	hfmodel.Weights
	old     bool   // it has the old keys of the weight norm
	wrapped string // what stands before the keys of the encoder, which no task's model has there
}

func emptyWeights(file *ckpt.File, opt speech.Options) *weights {
	return &weights{Weights: hfmodel.Weights{File: file, Any: opt.AnyValues, Keys: map[string]string{},
		May: []string{maskKey}}}
}

// newWeights sorts the keys of a checkpoint. Where some begin with the family's name, as in a
// task's checkpoint, all others belong to the head.
func newWeights(file *ckpt.File, cfg Config, opt speech.Options) *weights {
	w := emptyWeights(file, opt)
	w.RandomLayers(layersPrefix, opt.RandomLayers, cfg.Layers)
	begins := func(prefix string) bool {
		return slices.ContainsFunc(file.Names(), func(key string) bool { return strings.HasPrefix(key, prefix) })
	}
	prefix := cfg.Family.prefix()
	if !begins(prefix) {
		prefix = ""
		for _, other := range slices.Sorted(maps.Keys(architectures)) {
			if begins(other.prefix()) {
				w.Problem("the keys begin with %s, so these are weights of the family %s, and %s says %s",
					other.prefix(), other, configFile, cfg.Family)
			}
		}
		if !w.Problems() {
			w.wrapped = wrappedBy(file.Names(), cfg.Family)
		}
	}
	today := false
	for _, key := range file.Names() {
		name, ours := strings.CutPrefix(key, prefix)
		if !ours || !isBackbone(name) {
			w.Unused = append(w.Unused, key)
			continue
		}
		if strings.HasSuffix(name, batchCount) {
			continue
		}
		if name == maskKey && !cfg.masked() {
			w.Notes = append(w.Notes, fmt.Sprintf(
				"%s is not used, since mask_time_prob and mask_feature_prob are 0 in %s", key, configFile))
			continue
		}
		if stem, ok := cutEither(name, oldSizeKey, oldDirectionKey); ok {
			w.old = true
			name = stem + map[string]string{oldSizeKey: sizeKey, oldDirectionKey: directionKey}[name[len(stem):]]
		} else if _, ok := cutEither(name, sizeKey, directionKey); ok {
			today = true
		}
		w.Keys[name] = key
	}
	if w.old && today {
		w.Problem("the weight norm is spelt in two ways, %s and %s", oldSizeKey, sizeKey)
	}
	w.NoteUnused("a task")
	return w
}

func cutEither(name, a, b string) (stem string, ok bool) {
	if stem, ok = strings.CutSuffix(name, a); !ok {
		stem, ok = strings.CutSuffix(name, b)
	}
	return stem, ok
}

// isBackbone reports whether a key belongs to the encoder.
func isBackbone(name string) bool {
	module, _, nested := strings.Cut(name, ".")
	switch module {
	case "feature_extractor", "feature_projection", "encoder":
		return nested
	}
	return name == maskKey
}

// verdict returns the error that lists all problems, once all parameters have been read.
func (w *weights) verdict(where string) error {
	if w.wrapped != "" {
		return wrappedError(where, w.wrapped)
	}
	return w.Verdict(where)
}
