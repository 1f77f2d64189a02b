package serve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/speech"
)

// model is an open model. Requests hold it while they use it, so that a reload closes it when the last has ended.
type model struct {
	meta     Metadata
	adapters []string // names, in order
	answerer
	shortest float64 // seconds of audio that it can answer

	ending  chan struct{} // closed when streams are to end
	endOnce sync.Once

	use    sync.WaitGroup
	stop   func()
	closed sync.Once
}

// answerer computes answers of a kind of model.
type answerer interface {
	// answer returns the tensors of a request for its audio at 16 kHz.
	answer(ctx context.Context, q *Request, samples []float32) ([]Tensor, error)
	// windows returns the number of windows of audio with a number of samples.
	windows(samples int) int
	// bytes returns the memory of an answer.
	bytes(q *Request, samples int) int64
}

// end asks streams to end.
func (m *model) end() { m.endOnce.Do(func() { close(m.ending) }) }

// close waits for requests and frees the model.
func (m *model) close() {
	m.closed.Do(func() {
		m.end()
		m.use.Wait()
		m.stop()
	})
}

// versionOf returns 12 hexadecimal digits that differ between models of different answers.
func versionOf(m Model, identity string) string {
	text, err := json.Marshal(struct {
		Model    Model
		Identity string
	}{m, identity})
	if err != nil {
		panic(err) // numbers and texts encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// features answers with vectors of a speech model.
type features struct {
	base  *extract.SpeechModel
	views map[string]*extract.SpeechModel
	opt   extract.Options
}

// openFeatures opens a speech model and its adapters.
func (s *Server) openFeatures(ctx context.Context, name string, m Model) (*model, error) {
	base, err := s.bases.open(ctx, m.Path, speech.Options{Device: s.device, Frozen: true})
	if err != nil {
		return nil, err
	}
	f := &features{views: map[string]*extract.SpeechModel{}}
	if f.base, err = extract.Adapt(ctx, base, extract.Adapters{}); err != nil {
		return nil, err
	}
	out := &model{answerer: f, stop: f.close, ending: make(chan struct{})}
	fail := func(err error) (*model, error) {
		f.close()
		return nil, err
	}
	identity, err := base.Identity()
	if err != nil {
		return fail(err)
	}
	if m.SHA256 != "" && m.SHA256 != identity {
		return fail(fault.New(fault.BadData, opening, m.Path, "sha256 is %s, and the configuration has %s", identity,
			m.SHA256))
	}
	for _, alias := range slices.Sorted(maps.Keys(m.Adapters)) {
		if f.views[alias], err = s.openView(ctx, m, m.Adapters[alias]); err != nil {
			return fail(err)
		}
		out.adapters = append(out.adapters, alias)
	}
	x := m.Features.complete()
	arch := base.Architecture()
	layers := x.Layers
	if len(layers) == 0 {
		layers = []int{arch.Layers}
	}
	f.opt = extract.Options{Layers: layers, WindowSeconds: x.WindowSeconds, StrideSeconds: x.StrideSeconds,
		Extraction: x.Extraction, ChunkSeconds: x.ChunkSeconds, Pooling: x.Pooling, Normalise: x.Normalise,
		Batcher: s.batcher}
	if _, err := f.opt.Model(base); err != nil {
		return fail(err)
	}
	out.shortest = max(x.StrideSeconds, float64(arch.MinSamples)/speech.SampleRate)
	out.meta = Metadata{Name: name, Versions: []string{versionOf(m, identity)}, Platform: platform, Inputs: inputs,
		Outputs: []TensorSpec{{Name: openinference.OutputTimes, Datatype: "FP64", Shape: []int64{-1}}}}
	for _, l := range layers {
		out.meta.Outputs = append(out.meta.Outputs,
			TensorSpec{Name: fmt.Sprint(openinference.OutputFeatures, l), Datatype: "FP32", Shape: []int64{-1,
				int64(arch.Width)}})
	}
	return out, nil
}

// openView opens a view of a speech model with an adapter.
func (s *Server) openView(ctx context.Context, m Model, a Adapter) (*extract.SpeechModel, error) {
	if err := sameDigest(a.Path, a.SHA256); err != nil {
		return nil, err
	}
	base, err := s.bases.open(ctx, m.Path, speech.Options{Device: s.device, Frozen: true})
	if err != nil {
		return nil, err
	}
	view, err := extract.Adapt(ctx, base, extract.Adapters{Dirs: []string{a.Path}})
	if err != nil {
		return nil, err
	}
	if err := sameDigest(a.Path, a.SHA256); err != nil { // what was read in between
		view.Close()
		return nil, err
	}
	return view, nil
}

func (f *features) close() {
	for _, v := range f.views {
		if v != nil {
			v.Close()
		}
	}
	f.base.Close()
}

func (f *features) answer(ctx context.Context, q *Request, samples []float32) ([]Tensor, error) {
	of := f.base
	if q.Adapter != "" {
		of = f.views[q.Adapter]
	}
	found, err := extract.Features(ctx, of.Model, samples, f.opt)
	if err != nil {
		return nil, err
	}
	out := []Tensor{{Name: openinference.OutputTimes, Shape: []int{len(found.Times)}, Values: found.Times}}
	for i, l := range found.Layers {
		x := found.Vectors[i]
		out = append(out, Tensor{Name: fmt.Sprint(openinference.OutputFeatures, l), Shape: []int{x.Rows, x.Cols},
			Values: x.Data})
	}
	return out, nil
}

func (f *features) windows(samples int) int {
	return int(float64(samples) / speech.SampleRate / f.opt.StrideSeconds)
}

func (f *features) bytes(_ *Request, samples int) int64 {
	return 4 * int64(f.windows(samples)) * int64(f.base.Model.Architecture().Width) * int64(len(f.opt.Layers))
}
