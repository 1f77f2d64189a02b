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
	Weights          []float32 // (features, voxels), in the units of features and responses; nil: see ReadWeights
	// (rows, voxels) of the training rows: weights = (features less their means)ᵀ·Dual; nil: Weights are kept
	Dual       []float64
	Intercept  []float64 // (voxels)
	Alphas     []float64 // (voxels) the chosen alphas, in a banded ridge before the weights of the bands
	Lambdas    []float64 // (voxels) or (bands, voxels): the penalties, alpha² divided by the band's weight
	Scores     []float64 // (voxels) cross-validated score of the chosen penalty; nil with one candidate
	Constant   []bool    // (voxels) the training responses are constant
	Candidates []float64 // the alphas that were tried, ascending
	Centred    bool      // fitted with an intercept
	Cost       Cost      // of the fit

	featureMean, voxelMean []float64 // of the training rows; 0 without an intercept
	train                  *matrix   // the training features, with dual coefficients
	device                 torch.Device
}

// model returns a model of some voxels without penalties and weights.
func (f *fit) model(voxels int) *Model {
	m := &Model{Features: f.x.cols, Bands: f.opt.Bands, Candidates: f.opt.Alphas, Centred: f.x.centred,
		featureMean: f.x.mean, device: f.opt.Device}
	if f.kernel != nil {
		m.train = f.x
	}
	m.make(voxels)
	return m
}

// make makes room for a number of voxels.
func (m *Model) make(voxels int) {
	m.Voxels, m.Constant = voxels, make([]bool, voxels)
	if m.train != nil {
		m.Dual = make([]float64, m.train.rows*voxels)
	} else {
		m.Weights = make([]float32, m.Features*voxels)
	}
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
	for i := range len(block.Weights) / n {
		copy(m.Weights[i*m.Voxels+from:], block.Weights[i*n:(i+1)*n])
	}
	for row := range len(block.Dual) / n {
		copy(m.Dual[row*m.Voxels+from:], block.Dual[row*n:(row+1)*n])
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
// not finite are an error. It runs on the device of the fit.
//
// A model with dual coefficients reads the training features that it was fitted to, which must not have been changed.
func (m *Model) Predict(ctx context.Context, x []float32, rows int) ([]float32, error) {
	if err := m.check(x, rows); err != nil {
		return nil, err
	}
	pred := make([]float32, rows*m.Voxels)
	step := rows
	if m.Dual != nil {
		step = dualRows
	}
	for from, to := range blocks(0, rows, step) {
		err := m.predictRows(ctx, x[from*m.Features:to*m.Features], to-from, pred[from*m.Voxels:to*m.Voxels])
		if err != nil {
			return nil, err
		}
	}
	return pred, nil
}

// dualRows are the rows whose kernel with the training rows is computed at once.
const dualRows = 4096

// predictRows writes the predictions of some rows.
func (m *Model) predictRows(ctx context.Context, x []float32, rows int, pred []float32) error {
	bias := m.Intercept
	if m.Dual != nil {
		bias = m.voxelMean // the kernel is that of centred features
	}
	return m.onInputs(ctx, x, rows, false, func(in *torch.Tensor) error {
		for from, to := range blocks(0, m.Voxels, m.predictedVoxels(rows)) {
			y := m.predict(in, []Band{{0, m.Features}}, bias[from:to], from, to)[0]
			for row := range rows {
				copy(pred[row*m.Voxels+from:row*m.Voxels+to], y[row*(to-from):])
			}
		}
		return nil
	})
}

// onInputs calls do with what predictions are computed from, Float64: features, centred or not, or with dual
// coefficients their kernel with the training rows, which is that of centred features.
func (m *Model) onInputs(ctx context.Context, x []float32, rows int, centred bool, do func(*torch.Tensor) error) error {
	if m.Dual != nil {
		k, err := m.train.kernel(ctx, m.device, x)
		if err != nil {
			return err
		}
		return onTensors(ctx, m.device, func(s *torch.Scope) error { return do(s.FromFloat64(k, rows, m.train.rows)) })
	}
	return onTensors(ctx, m.device, func(s *torch.Scope) error {
		features := s.FromFloat32(x, rows, m.Features).ToType(torch.Float64)
		if centred {
			features = features.Sub(s.FromFloat64(m.featureMean, m.Features))
		}
		return do(features)
	})
}

// check returns an error for features that do not match the model.
func (m *Model) check(x []float32, rows int) error {
	features, err := newMatrix(x, rows, false)
	if err == nil && features.cols != m.Features {
		return fault.New(fault.BadData, "ridge", "predict", "%d features, the model has %d", features.cols, m.Features)
	}
	return err
}

// predictedVoxels returns the number of voxels that are predicted at a time for a number of rows.
func (m *Model) predictedVoxels(rows int) int {
	width := m.Features
	if m.Dual != nil {
		width = m.train.rows
	}
	return max(1, blockValues/2/max(rows, width))
}

// predict returns the part of each band in the prediction of the voxels from ≤ v < to, each plus
// bias, (rows, to-from). x is what onInputs gives.
func (m *Model) predict(x *torch.Tensor, bands []Band, bias []float64, from, to int) [][]float32 {
	n := to - from
	if m.Dual != nil {
		return [][]float32{elementsOf(x, (*torch.Tensor).Float32s, func(x *torch.Tensor) *torch.Tensor {
			y := x.MatMul(m.dualBlock(x.Scope(), from, to))
			return y.Add(x.Scope().FromFloat64(bias, n)).ToType(torch.Float32)
		})}
	}
	w := make([]float32, 0, m.Features*n)
	for i := range m.Features {
		w = append(w, m.Weights[i*m.Voxels+from:i*m.Voxels+to]...)
	}
	parts := make([][]float32, len(bands))
	for b, band := range bands {
		parts[b] = elementsOf(x, (*torch.Tensor).Float32s, func(x *torch.Tensor) *torch.Tensor {
			weights := x.Scope().FromFloat32(w[band.From*n:band.To*n], band.To-band.From, n).ToType(torch.Float64)
			y := x.Narrow(1, band.From, band.To-band.From).MatMul(weights)
			return y.Add(x.Scope().FromFloat64(bias, n)).ToType(torch.Float32)
		})
	}
	return parts
}
