package wavlm

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

const goldens = "../testdata/golden"

// noLeak fails the test if it leaves tensors behind.
func noLeak(t *testing.T) {
	t.Helper()
	before := torch.Live()
	t.Cleanup(func() { assert.Equal(t, before, torch.Live(), "tensors left behind") })
}

// variant loads a golden model on the device of the tests and frees it after the test.
func variant(t *testing.T, name string) *model {
	t.Helper()
	noLeak(t)
	m, err := loadFolder(t.Context(), filepath.Join(goldens, name), speech.Options{Device: torchtest.Device()})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

// golden is an open file of reference values.
type golden struct {
	t    *testing.T
	file *ckpt.File
}

func openGolden(t *testing.T, path ...string) golden {
	t.Helper()
	file, err := ckpt.Open(filepath.Join(append([]string{goldens}, path...)...))
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	return golden{t, file}
}

func (g golden) has(name string) bool {
	_, ok := g.file.Info(name)
	return ok
}

func (g golden) shape(name string) []int {
	g.t.Helper()
	info, ok := g.file.Info(name)
	require.True(g.t, ok, name)
	return info.Shape
}

func (g golden) values(name string) []float32 {
	g.t.Helper()
	v, err := g.file.Float32(name)
	require.NoError(g.t, err)
	return v
}

func (g golden) tensor(s *torch.Scope, name string) *torch.Tensor {
	g.t.Helper()
	return s.FromFloat32(g.values(name), g.shape(name)...)
}

// meta reads the JSON that travels with the tensors.
func (g golden) meta(to any) {
	g.t.Helper()
	require.NoError(g.t, json.Unmarshal([]byte(g.file.Metadata()["meta"]), to))
}

// near compares a tensor with a reference value, in absolute and relative terms.
func (g golden) near(name string, got *torch.Tensor, atol, rtol float64) {
	g.t.Helper()
	if !assert.Equal(g.t, g.shape(name), got.Shape(), name) {
		return
	}
	near(g.t, name, g.values(name), got.Float32s(), atol, rtol)
}

func near(t *testing.T, name string, want, got []float32, atol, rtol float64) {
	t.Helper()
	require.Len(t, got, len(want), name)
	worst, at := 0.0, -1
	for i := range want {
		over := math.Abs(float64(got[i])-float64(want[i])) - atol - rtol*math.Abs(float64(want[i]))
		if !(over <= 0) && (at < 0 || over > worst) {
			worst, at = over, i
		}
	}
	if at >= 0 {
		assert.Failf(t, "differs", "%s element %d: %g, want %g", name, at, got[at], want[at])
	}
}

// bare gives an nn.Adapter without parameters what a speech.Adapter has.
type bare struct{ nn.Adapter }

func (bare) Stores() []*nn.Store { return nil }
func (bare) Seed() uint64        { return 0 }
func (bare) Check() error        { return nil }

// view is the model with an adapter.
func view(t *testing.T, m *model, a nn.Adapter) *model {
	t.Helper()
	v, err := m.WithAdapter(t.Context(), bare{a})
	require.NoError(t, err)
	return v.(*model)
}

func infer(t *testing.T, m *model, fn func(s *torch.Scope)) {
	t.Helper()
	require.NoError(t, m.Session().Infer(t.Context(), func(s *torch.Scope) error { fn(s); return nil }))
}

func train(t *testing.T, m *model, fn func(s *torch.Scope)) {
	t.Helper()
	require.NoError(t, m.Session().Train(t.Context(), 1, func(s *torch.Scope) error { fn(s); return nil }))
}
