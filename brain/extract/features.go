package extract

import (
	"cmp"
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// Options say how audio becomes one vector per window. The zero value is the default of an experiment file.
type Options struct {
	Layers        []int                 // hidden states, 0 to the number of layers; none: all
	WindowSeconds float64               // of audio behind one vector; 0: 4
	StrideSeconds float64               // from one window's end to the next; 0: .25
	Extraction    experiment.Extraction // "": windows
	ChunkSeconds  float64               // of a chunk; 0: 32
	Pooling       experiment.Pooling    // "": last
	Normalise     experiment.Normalise  // auto, story, window or none; "": auto, as the model's preprocessor says
	UnitWindows   int                   // windows computed together; 0: 16
	MaxBytes      int64                 // memory of the process at most; 0: no bound
	Progress      func(done, windows int)
	Batcher       *Batcher // computes the windows with those of other calls; nil: alone, in units
}

// WindowVectors are the vectors of all windows of a clip.
type WindowVectors struct {
	Layers  []int
	Times   []float64    // the windows' ends in seconds
	Vectors []npy.Matrix // by layer, (windows, channels)
}

// Features reads a clip (T, at 16 kHz) window by window, in the same way as training and evaluation do. Errors are
// *fault.Error: Usage for options that cannot be, BadData for audio that is too short or not finite.
func Features(ctx context.Context, model speech.Encoder, samples []float32, opt Options) (*WindowVectors, error) {
	spec, err := opt.Model(model)
	if err != nil {
		return nil, err
	}
	clip, err := windows.NewClip(spec, samples)
	if err != nil {
		return nil, err
	}
	width := model.Architecture().Width
	out := &WindowVectors{Layers: opt.layers(model), Times: design.FeatureTimes(clip.Windows)}
	vectors, err := opt.vectors(ctx, model, spec, clip, out.Layers)
	if err != nil {
		return nil, err
	}
	for _, x := range vectors {
		out.Vectors = append(out.Vectors, npy.Matrix{Rows: len(clip.Windows), Cols: width, Data: x})
	}
	return out, nil
}

// vectors reads all windows of a clip: of each layer (windows, E).
func (o Options) vectors(ctx context.Context, model speech.Encoder, spec experiment.Model, clip *windows.Stimulus,
	layers []int) ([][]float32, error) {
	if o.Batcher != nil {
		return o.Batcher.Reader(model, spec, o.UnitWindows)(ctx, clip, layers)
	}
	vectors := make([][]float32, len(layers))
	units := cmp.Or(o.UnitWindows, experiment.Default().Train.UnitWindows)
	if o.MaxBytes > 0 {
		later := 3 * 4 * int64(len(clip.Windows)*len(layers)*model.Architecture().Width) // of the vectors, as they grow
		unit := windows.ForwardBytes(model, spec, units)
		if _, err := windows.MemoryLeft(model, spec, o.MaxBytes, later, unit); err != nil {
			return nil, err
		}
	}
	r := windows.ClipReader(model, spec, units)
	for _, run := range r.Units(clip, 0, len(clip.Windows)) {
		err := model.Session().Infer(ctx, func(s *torch.Scope) error {
			windows.AppendVectors(vectors, r.Vectors(s, clip, run, layers))
			return nil
		})
		if err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(run.Windows.To, len(clip.Windows))
		}
	}
	return vectors, nil
}

func (o Options) layers(g speech.Geometry) []int {
	if len(o.Layers) > 0 {
		return o.Layers
	}
	all := make([]int, g.Architecture().Layers+1)
	for l := range all {
		all[l] = l
	}
	return all
}

// Model is the options in the experiment's terms, checked, and with auto resolved.
func (o Options) Model(e speech.Encoder) (experiment.Model, error) {
	m := experiment.Default().Model
	m.WindowSeconds, m.StrideSeconds = cmp.Or(o.WindowSeconds, m.WindowSeconds),
		cmp.Or(o.StrideSeconds, m.StrideSeconds)
	m.Pooling, m.Normalise = cmp.Or(o.Pooling, m.Pooling), cmp.Or(o.Normalise, m.Normalise)
	m.Extraction, m.ChunkSeconds = cmp.Or(o.Extraction, m.Extraction), cmp.Or(o.ChunkSeconds, m.ChunkSeconds)
	layers := o.layers(e)
	m.Layer = slices.Max(layers)
	bad := func(where, why string, args ...any) (experiment.Model, error) {
		return m, fault.New(fault.Usage, "read features", where, why, args...)
	}
	// seconds; beyond any use, but free of overflow and endless lists
	_, byIndex := m.Pooling.Index()
	const longest, shortest = 3600, 1. / speech.SampleRate
	switch {
	case !(m.WindowSeconds > 0 && m.WindowSeconds <= longest):
		return bad("window", "%g s, want more than 0 and at most %d", m.WindowSeconds, longest)
	case !(m.StrideSeconds >= shortest && m.StrideSeconds <= longest):
		return bad("stride", "%g s, want at least one sample (%g) and at most %d", m.StrideSeconds, shortest, longest)
	case !slices.Contains([]experiment.Extraction{experiment.ExtractWindows, experiment.ExtractChunks}, m.Extraction):
		return bad("extraction", "%q, want windows or chunks", m.Extraction)
	case m.Extraction == experiment.ExtractChunks && !(m.ChunkSeconds >= 2*m.WindowSeconds &&
		m.ChunkSeconds <= longest):
		return bad("chunk", "%g s, want at least two windows of %g s and at most %d s", m.ChunkSeconds,
			m.WindowSeconds, longest)
	case !byIndex && !slices.Contains([]experiment.Pooling{experiment.PoolLast, experiment.PoolFirst,
		experiment.PoolMean}, m.Pooling):
		return bad("pooling", "%q, want last, first, mean or index:N", m.Pooling)
	case !slices.Contains([]experiment.Normalise{experiment.NormaliseAuto, experiment.NormaliseStory,
		experiment.NormaliseWindow,
		experiment.NormaliseNone}, m.Normalise):
		return bad("normalise", "%q, want auto, story, window or none", m.Normalise)
	}
	for _, l := range layers {
		if n := e.Architecture().Layers; l < 0 || l > n {
			return bad("layers", "there is no hidden state %d, the model has 0 to %d", l, n)
		}
	}
	return windows.Resolved(m, e)
}
