package serve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
	"github.com/brainwavlm/bwlm/speech"
)

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
		Batcher: s.batcher, TrainingStatistics: m.Statistics == trainingStatistics})
	if err != nil {
		return nil, err
	}
	if err := sameDigest(m.Run, m.SHA256); err != nil { // what was read in between
		p.Close()
		return nil, err
	}
	out := &model{answerer: responses{p}, stop: p.Close, shortest: p.MinSeconds(), ending: make(chan struct{})}
	voxels := int64(p.Voxels())
	out.meta = Metadata{Name: name, Versions: []string{versionOf(m, identity)}, Platform: platform, Inputs: inputs,
		Outputs: []TensorSpec{
			{Name: openinference.OutputTimes, Datatype: "FP64", Shape: []int64{-1}},
			{Name: openinference.OutputColumns, Datatype: "INT64", Shape: []int64{voxels}},
			{Name: openinference.OutputResponse, Datatype: "FP32", Shape: []int64{-1, voxels}},
			{Name: openinference.OutputLower, Datatype: "FP32", Shape: []int64{-1, voxels}},
			{Name: openinference.OutputUpper, Datatype: "FP32", Shape: []int64{-1, voxels}},
			{Name: openinference.OutputCeiling, Datatype: "FP32", Shape: []int64{voxels}},
			{Name: openinference.OutputR, Datatype: "FP32", Shape: []int64{voxels}},
		},
		Properties: map[string]string{"statistics": cmp.Or(m.Statistics, clipStatistics), "levels": "none"}}
	if in, err := p.Stream(); err == nil {
		out.meta.Properties["stream_latency"] = strconv.FormatFloat(in.Latency(), 'g', 6, 64)
	}
	if p.Calibrated() {
		out.meta.Properties["levels"] = strings.Trim(fmt.Sprint(predict.Levels()), "[]")
	}
	return out, nil
}

// Values of Model.Statistics.
const (
	clipStatistics     = "clip"
	trainingStatistics = "training"
)

// defaultLevel is that of prediction intervals.
const defaultLevel = .9

func (r responses) answer(ctx context.Context, q *Request, samples []float32) ([]Tensor, error) {
	if err := checkLevel(q); err != nil {
		return nil, err
	}
	p, err := r.Predict(ctx, samples)
	if err != nil {
		return nil, err
	}
	return r.tensors(q, p)
}

// checkLevel refuses levels that prediction intervals do not have.
func checkLevel(q *Request) error {
	if !slices.Contains(predict.Levels(), cmp.Or(q.Level, defaultLevel)) {
		return fault.New(fault.Usage, inferring, openinference.ParamLevel, "there are no intervals of this level").
			WithHint("choose one of %v", predict.Levels())
	}
	return nil
}

// tensors returns a prediction, and what a request names beside it.
func (r responses) tensors(q *Request, p *predict.Prediction) ([]Tensor, error) {
	columns := make([]int64, len(r.Columns))
	for i, c := range r.Columns {
		columns[i] = int64(c)
	}
	rows, voxels := []int{p.Rows, p.Voxels}, []int{p.Voxels}
	out := []Tensor{
		{Name: openinference.OutputTimes, Shape: []int{p.Rows}, Values: p.Times},
		{Name: openinference.OutputColumns, Shape: voxels, Values: columns},
		{Name: openinference.OutputResponse, Shape: rows, Values: p.Values},
	}
	if asksBounds(q) {
		lower, upper, err := r.Interval(p, cmp.Or(q.Level, defaultLevel))
		if err != nil {
			return nil, err
		}
		out = append(out, Tensor{Name: openinference.OutputLower, Shape: rows, Values: lower},
			Tensor{Name: openinference.OutputUpper, Shape: rows, Values: upper})
	}
	if len(q.Outputs) > 0 {
		out = append(out, Tensor{Name: openinference.OutputCeiling, Shape: voxels, Values: float32s(r.Ceiling)},
			Tensor{Name: openinference.OutputR, Shape: voxels, Values: float32s(r.ValidationR)})
	}
	return out, nil
}

// asksBounds reports whether a request names bounds of intervals.
func asksBounds(q *Request) bool {
	return slices.Contains(q.Outputs, openinference.OutputLower) ||
		slices.Contains(q.Outputs, openinference.OutputUpper)
}

func float32s(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

func (r responses) windows(samples int) int { return r.Windows(samples) }

func (r responses) bytes(q *Request, samples int) int64 {
	rows, matrices := int64(float64(samples)/speech.SampleRate/r.TR), int64(1)
	if asksBounds(q) {
		matrices = 3
	}
	return 4 * (rows*matrices + 2) * int64(r.Voxels())
}
