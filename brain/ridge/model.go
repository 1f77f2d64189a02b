package ridge

import (
	"context"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// Model predicts voxels from features. [Fit] and [FitColumns] make models.
type Model struct {
	Features, Voxels int
	Bands            []Band    // nil: one penalty for all features
	Weights          []float32 // (features, voxels), in the units of features and responses
	Intercept        []float64 // (voxels)
	Alphas           []float64 // (voxels) the chosen alphas, in a banded ridge before the weights of the bands
	Lambdas          []float64 // (voxels) or (bands, voxels): the penalties, alpha² divided by the band's weight
	Scores           []float64 // (voxels) cross-validated score of the chosen penalty; nil with one candidate
	Constant         []bool    // (voxels) the training responses are constant
	Candidates       []float64 // the alphas that were tried, ascending
	Centred          bool      // fitted with an intercept
	Cost             Cost      // of the fit

	featureMean, voxelMean []float64 // of the training rows; 0 without an intercept
}

// model returns a model of some voxels without penalties and weights.
func (f *fit) model(voxels int) *Model {
	m := &Model{Features: f.x.cols, Bands: f.opt.Bands, Candidates: f.opt.Alphas, Centred: f.x.centred,
		featureMean: f.x.mean}
	m.make(voxels)
	return m
}

// make makes room for a number of voxels.
func (m *Model) make(voxels int) {
	m.Voxels, m.Weights, m.Constant = voxels, make([]float32, m.Features*voxels), make([]bool, voxels)
	m.Alphas, m.Lambdas = make([]float64, voxels), make([]float64, max(1, len(m.Bands))*voxels)
	m.Intercept, m.voxelMean = make([]float64, voxels), make([]float64, voxels)
}

// like returns a model of the same fit with a number of voxels.
func (m *Model) like(voxels int) *Model {
	out := *m
	out.make(voxels)
	if m.Scores != nil {
		out.Scores = make([]float64, voxels)
	}
	return &out
}

// place copies a block of voxels to those from number from on.
func (m *Model) place(from int, block *Model) {
	n := block.Voxels
	for i := range m.Features {
		copy(m.Weights[i*m.Voxels+from:], block.Weights[i*n:(i+1)*n])
	}
	for b := range max(1, len(m.Bands)) {
		copy(m.Lambdas[b*m.Voxels+from:], block.Lambdas[b*n:(b+1)*n])
	}
	copy(m.Constant[from:], block.Constant)
	for _, x := range [][2][]float64{{m.Alphas, block.Alphas}, {m.Intercept, block.Intercept},
		{m.voxelMean, block.voxelMean}} {
		copy(x[0][from:], x[1])
	}
	if block.Scores != nil {
		copy(m.Scores[from:], block.Scores)
	}
}

// describe gives a model, which begins with a voxel, the penalties of the choice, and their scores if it was one.
func (f *fit) describe(m *Model, first int, chosen bool) {
	if chosen {
		m.Scores = make([]float64, m.Voxels)
	}
	for v, best := range f.best[first : first+m.Voxels] {
		m.Alphas[v] = f.opt.Alphas[best.lambda]
		for b := range max(1, len(f.opt.Bands)) {
			lambda := f.opt.Lambdas[best.lambda]
			if f.opt.Bands != nil {
				lambda /= f.sets[best.set][b]
			}
			m.Lambdas[b*m.Voxels+v] = lambda
		}
		if chosen {
			m.Scores[v] = best.score
		}
	}
}

// store takes the weights of some voxels, (features, V), and their predictions from the mean features, (V). The model
// begins with voxel first.
func (m *Model) store(voxels []int, first int, weights []float32, offset []float64) {
	for k, v := range voxels {
		m.Intercept[v-first] = m.voxelMean[v-first] - offset[k]
	}
	for i := range m.Features {
		for k, v := range voxels {
			m.Weights[i*m.Voxels+v-first] = weights[i*len(voxels)+k]
		}
	}
}

// Predict returns the responses, (rows, voxels), to features x, (rows, features). Values that are
// not finite are an error.
func (m *Model) Predict(ctx context.Context, x []float32, rows int) ([]float32, error) {
	if err := m.check(x, rows); err != nil {
		return nil, err
	}
	pred := make([]float32, rows*m.Voxels)
	err := onTensors(ctx, torch.CPU, func(s *torch.Scope) error {
		features := s.FromFloat32(x, rows, m.Features).ToType(torch.Float64)
		for from, to := range m.blocks(rows) {
			y := m.predict(features, []Band{{0, m.Features}}, m.Intercept[from:to], from, to)[0]
			for row := range rows {
				copy(pred[row*m.Voxels+from:row*m.Voxels+to], y[row*(to-from):])
			}
		}
		return nil
	})
	return pred, err
}

// check returns an error for features that do not match the model.
func (m *Model) check(x []float32, rows int) error {
	features, err := newMatrix(x, rows, false)
	if err == nil && features.cols != m.Features {
		return fault.New(fault.BadData, "ridge", "predict", "%d features, the model has %d", features.cols, m.Features)
	}
	return err
}

// blocks yields the ranges of voxels that are predicted at a time for a number of rows.
func (m *Model) blocks(rows int) func(yield func(from, to int) bool) {
	return blocks(0, m.Voxels, max(1, blockValues/2/max(rows, m.Features)))
}

// predict returns the part of each band in the prediction of the voxels from ≤ v < to, each plus
// bias, (rows, to-from). x is Float64.
func (m *Model) predict(x *torch.Tensor, bands []Band, bias []float64, from, to int) [][]float32 {
	n := to - from
	w := make([]float32, 0, m.Features*n)
	for i := range m.Features {
		w = append(w, m.Weights[i*m.Voxels+from:i*m.Voxels+to]...)
	}
	parts := make([][]float32, len(bands))
	for b, band := range bands {
		parts[b] = x.Scoped(func(x *torch.Tensor) *torch.Tensor {
			weights := x.Scope().FromFloat32(w[band.From*n:band.To*n], band.To-band.From, n).ToType(torch.Float64)
			y := x.Narrow(1, band.From, band.To-band.From).MatMul(weights)
			return y.Add(x.Scope().FromFloat64(bias, n)).ToType(torch.Float32)
		}).Float32s()
	}
	return parts
}
