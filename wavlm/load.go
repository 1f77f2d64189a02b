package wavlm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
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
		m.origin = &origin{dir: dir}
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
		return nil, speech.AsFault(fault.BadData, loadWeights, where, err)
	}
	m.preprocessor, m.closes = pre, true
	m.unused, m.oldKeys, m.notes = w.unused, w.old, w.notes
	if pre.note != "" {
		m.notes = append(m.notes, pre.note)
	}
	return m, nil
}

const loadWeights = "load weights"

// The old keys of the weight norm, those of torch.nn.utils.weight_norm.
const (
	oldSizeKey      = "weight_g"
	oldDirectionKey = "weight_v"
)

// batchCount ends the key of a batch norm's counter of batches, which only its training uses.
const batchCount = ".num_batches_tracked"

// weights is a checkpoint as the source of a model's parameters. It collects problems, so that one
// error lists all.
type weights struct {
	file     *ckpt.File
	any      bool
	random   []string          // starts of the names of parameters that are not read
	old      bool              // it has the old keys of the weight norm
	keys     map[string]string // parameter to key in the file
	problems []string
	failed   error  // of reading the file
	wrapped  string // what stands before the keys of the encoder, which no task's model has there
	notes    []string
	unused   []string
}

// newWeights sorts the keys of a checkpoint. Where some begin with the family's name, as in a
// task's checkpoint, all others belong to the head.
func newWeights(file *ckpt.File, cfg Config, opt speech.Options) *weights {
	w := &weights{file: file, any: opt.AnyValues, keys: map[string]string{}}
	for _, l := range opt.RandomLayers {
		if l < 0 || l >= cfg.Layers {
			w.problem("there is no layer %d to start at random, the last is %d", l, cfg.Layers-1)
		}
		w.random = append(w.random, fmt.Sprint(layersPrefix, l, "."))
	}
	begins := func(prefix string) bool {
		return slices.ContainsFunc(file.Names(), func(key string) bool { return strings.HasPrefix(key, prefix) })
	}
	prefix := cfg.Family.prefix()
	if !begins(prefix) {
		prefix = ""
		for _, other := range slices.Sorted(maps.Keys(architectures)) {
			if begins(other.prefix()) {
				w.problem("the keys begin with %s, so these are weights of the family %s, and %s says %s",
					other.prefix(), other, configFile, cfg.Family)
			}
		}
		if len(w.problems) == 0 {
			w.wrapped = wrappedBy(file.Names(), cfg.Family)
		}
	}
	today := false
	for _, key := range file.Names() {
		name, ours := strings.CutPrefix(key, prefix)
		if !ours || !isBackbone(name) {
			w.unused = append(w.unused, key)
			continue
		}
		if strings.HasSuffix(name, batchCount) {
			continue
		}
		if name == maskKey && !cfg.masked() {
			w.notes = append(w.notes, fmt.Sprintf(
				"%s is not used, since mask_time_prob and mask_feature_prob are 0 in %s", key, configFile))
			continue
		}
		if stem, ok := cutEither(name, oldSizeKey, oldDirectionKey); ok {
			w.old = true
			name = stem + map[string]string{oldSizeKey: sizeKey, oldDirectionKey: directionKey}[name[len(stem):]]
		} else if _, ok := cutEither(name, sizeKey, directionKey); ok {
			today = true
		}
		w.keys[name] = key
	}
	if w.old && today {
		w.problems = append(w.problems, fmt.Sprintf("the weight norm is spelt in two ways, %s and %s",
			oldSizeKey, sizeKey))
	}
	w.noteUnused()
	return w
}

// noteUnused notes the tensors that are left out.
func (w *weights) noteUnused() {
	slices.Sort(w.unused)
	if len(w.unused) > 0 {
		w.notes = append(w.notes, "not used, since they belong to a task: "+list(w.unused))
	}
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

// Tensor reads a parameter.
func (w *weights) Tensor(s *torch.Scope, name string, shape []int, init nn.Init) (*torch.Tensor, error) {
	key, ok := w.keys[name]
	delete(w.keys, name)
	switch {
	case ok && slices.ContainsFunc(w.random, func(start string) bool { return strings.HasPrefix(name, start) }):
		return init(s, shape), nil
	case ok:
		if t := w.read(s, key, shape); t != nil {
			return t, nil
		}
	case name == maskKey:
		w.notes = append(w.notes, "the checkpoint has no "+maskKey+": it starts at random")
		return init(s, shape), nil
	default:
		w.problem("%s: missing", name)
	}
	return s.Zeros(1).Expand(shape...), nil // a placeholder until the verdict, which takes no memory
}

// read returns the tensor stored under key, nil if it has a problem.
func (w *weights) read(s *torch.Scope, key string, shape []int) *torch.Tensor {
	info, _ := w.file.Info(key)
	if !slices.Equal(info.Shape, shape) {
		w.problem("%s: shape %s, want %s", key, tuple(info.Shape), tuple(shape))
		return nil
	}
	switch info.DType {
	case ckpt.F32, ckpt.F16, ckpt.BF16, ckpt.F64:
	default:
		w.problem("%s: dtype %v, want F32, F16, BF16 or F64", key, info.DType)
		return nil
	}
	values, err := w.file.Float32(key)
	var bad *fault.Error
	switch {
	case err == nil:
	case errors.As(err, &bad) && bad.Kind == fault.BadData:
		w.problem("%s: %s", key, bad.Reason)
		return nil
	default:
		w.failed = cmp.Or(w.failed, err)
		return nil
	}
	if why := w.suspicious(values, len(shape)); why != "" {
		w.problem("%s: %s", key, why)
		return nil
	}
	return s.FromFloat32(values, shape...)
}

// suspicious describes values that no trained weights have: not finite, or a matrix of zeros.
func (w *weights) suspicious(values []float32, rank int) string {
	if w.any {
		return ""
	}
	zero := true
	for i, v := range values {
		if v-v != 0 { // NaN or infinite
			return fmt.Sprintf("element %d is %g", i, v)
		}
		zero = zero && v == 0
	}
	if zero && rank > 1 {
		return "all elements are 0"
	}
	return ""
}

// tuple returns a shape as Python writes it.
func tuple(shape []int) string {
	return "(" + strings.Join(strings.Fields(strings.Trim(fmt.Sprint(shape), "[]")), ", ") + ")"
}

func (w *weights) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// verdict returns the error that lists all problems, once all parameters have been read.
func (w *weights) verdict(where string) error {
	if w.failed != nil {
		return w.failed
	}
	if w.wrapped != "" {
		return wrappedError(where, w.wrapped)
	}
	var extra []string
	for _, key := range w.keys {
		extra = append(extra, key+": not part of the architecture")
	}
	slices.Sort(extra)
	problems := append(w.problems, extra...)
	if len(problems) == 0 {
		return nil
	}
	return fault.New(fault.BadData, loadWeights, where, "%s", list(problems)).
		WithHint("check that %s and the weights are of the same model", configFile)
}
