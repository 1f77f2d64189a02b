package ridge

import (
	"context"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// Model predicts voxels from features.
type Model struct {
	Features, Voxels int
	Weights          []float32 // (features, voxels), for features and responses in their own units
	Intercept        []float64 // (voxels)
	Alphas           []float64 // chosen, per voxel
	Scores           []float64 // cross-validated r of the chosen alpha, per voxel; nil if there was one candidate
	Constant         []bool    // voxels whose training responses are all equal
}

// Predict gives the responses (rows, voxels) to features x (rows, features). Values that are not finite are an error.
func (m *Model) Predict(ctx context.Context, x []float32, rows int) ([]float32, error) {
	features, err := newMatrix("features", "feature", x, rows, false)
	if err != nil {
		return nil, err
	}
	if features.cols != m.Features {
		return nil, fault.New(fault.BadData, "ridge", "predict", "%d features, the model has %d", features.cols, m.Features)
	}
	var pred []float32
	err = do(ctx, torch.CPU, func(s *torch.Scope) {
		w := s.FromFloat32(m.Weights, m.Features, m.Voxels)
		bias := s.FromFloat64(m.Intercept, m.Voxels)
		y := s.FromFloat32(x, rows, m.Features).To(torch.Float64).MatMul(w.To(torch.Float64)).Add(bias)
		pred = y.To(torch.Float32).Float32s()
	})
	return pred, err
}
