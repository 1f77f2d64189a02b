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
	"github.com/brainwavlm/bwlm/brain/predict"
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

	use    sync.WaitGroup
	stop   func()
	closed sync.Once
}

// answerer computes answers of a kind of model.
type answerer interface {
	// answer returns the tensors for audio at 16 kHz.
	answer(ctx context.Context, adapter string, samples []float32) ([]Tensor, error)
	// windows returns the number of windows of audio with a number of samples.
	windows(samples int) int
	// bytes returns the memory of an answer.
	bytes(samples int) int64
}

// close waits for requests and frees the model.
func (m *model) close() {
	m.closed.Do(func() {
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
	out := &model{answerer: f, stop: f.close}
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

func (f *features) answer(ctx context.Context, adapter string, samples []float32) ([]Tensor, error) {
	of := f.base
	if adapter != "" {
		of = f.views[adapter]
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

func (f *features) bytes(samples int) int64 {
	return 4 * int64(f.windows(samples)) * int64(f.base.Model.Architecture().Width) * int64(len(f.opt.Layers))
}

// responses answers with what a subject's voxels are expected to do.
type responses struct{ *predict.Predictor }

// openResponses opens the predictor of a run.
func (s *Server) openResponses(ctx context.Context, name string, m Model) (*model, error) {
	if err := sameDigest(m.Run, m.SHA256); err != nil {
		return nil, err
	}
	var identity string
	open := func(ctx context.Context, dir string, opt speech.Options) (speech.Encoder, error) {
		base, err := s.bases.open(ctx, dir, opt)
		if err == nil {
			if identity, err = base.Identity(); err != nil {
				base.Close()
			}
		}
		return base, err
	}
	p, err := predict.Open(ctx, m.Run, predict.Options{Subject: m.Subject, Model: m.Path, Device: s.device, Open: open,
		Batcher: s.batcher})
	if err != nil {
		return nil, err
	}
	if err := sameDigest(m.Run, m.SHA256); err != nil { // what was read in between
		p.Close()
		return nil, err
	}
	out := &model{answerer: responses{p}, stop: p.Close, shortest: p.MinSeconds()}
	out.meta = Metadata{Name: name, Versions: []string{versionOf(m, identity)}, Platform: platform, Inputs: inputs,
		Outputs: []TensorSpec{
			{Name: openinference.OutputTimes, Datatype: "FP64", Shape: []int64{-1}},
			{Name: openinference.OutputColumns, Datatype: "INT64", Shape: []int64{int64(p.Voxels())}},
			{Name: openinference.OutputResponse, Datatype: "FP32", Shape: []int64{-1, int64(p.Voxels())}},
		}}
	return out, nil
}

func (r responses) answer(ctx context.Context, _ string, samples []float32) ([]Tensor, error) {
	p, err := r.Predict(ctx, samples)
	if err != nil {
		return nil, err
	}
	columns := make([]int64, len(r.Columns))
	for i, c := range r.Columns {
		columns[i] = int64(c)
	}
	return []Tensor{
		{Name: openinference.OutputTimes, Shape: []int{p.Rows}, Values: p.Times},
		{Name: openinference.OutputColumns, Shape: []int{p.Voxels}, Values: columns},
		{Name: openinference.OutputResponse, Shape: []int{p.Rows, p.Voxels}, Values: p.Values},
	}, nil
}

func (r responses) windows(samples int) int { return r.Windows(samples) }

func (r responses) bytes(samples int) int64 {
	rows := int64(float64(samples) / speech.SampleRate / r.TR)
	return 4 * rows * int64(r.Voxels())
}
