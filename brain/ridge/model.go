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

// Predict returns the responses, (rows, voxels), to features x, (rows, features). Values that are
// not finite are an error. It runs on the device of the fit.
//
// A model with dual coefficients reads the training features that it was fitted to, which must not have been changed.
func (m *Model) Predict(ctx context.Context, x []float32, rows int) ([]float32, error) {
	if err := m.check(x, rows); err != nil {
		return nil, err
	}
	pred := make([]float32, rows*m.Voxels)
	if m.Dual == nil {
		return pred, m.predictRows(ctx, x, rows, pred)
	}
	for from := 0; from < rows; from += dualRows { // so that their kernel is not large
		n := min(dualRows, rows-from)
		err := m.predictRows(ctx, x[from*m.Features:(from+n)*m.Features], n, pred[from*m.Voxels:(from+n)*m.Voxels])
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
	return m.onInputs(ctx, x, rows, false, func(in *torch.Tensor) error {
		if m.Dual != nil {
			bias = m.voxelMean // the kernel is that of centred features
		}
		for from, to := range m.blocks(rows) {
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

// blocks yields the ranges of voxels that are predicted at a time for a number of rows.
func (m *Model) blocks(rows int) func(yield func(from, to int) bool) {
	y, width := responses{voxels: m.Voxels}, m.Features
	if m.Dual != nil {
		width = m.train.rows
	}
	return y.blocks(max(1, blockValues/2/max(rows, width)))
}

// predict returns the part of each band in the prediction of the voxels from ≤ v < to, each plus
// bias, (rows, to-from). x is what onInputs gives.
func (m *Model) predict(x *torch.Tensor, bands []Band, bias []float64, from, to int) [][]float32 {
	n := to - from
	if m.Dual != nil {
		return [][]float32{x.Scoped(func(x *torch.Tensor) *torch.Tensor {
			y := x.MatMul(m.dualBlock(x.Scope(), from, to))
			return y.Add(x.Scope().FromFloat64(bias, n)).ToType(torch.Float32)
		}).Float32s()}
	}
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
