package peft_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
)

const qProj = "encoder.layers.0.attention.q_proj"

// A pair starts at the part of the weight that PEFT takes, and the model starts as it was.
func TestPiSSAAndOLoRAStartWherePEFTDoes(t *testing.T) {
	g := openGolden(t, "base", "peft", "init.safetensors")
	for _, init := range []peft.Init{peft.InitPiSSA, peft.InitOLoRA} {
		m := load(t, "base")
		before, weight := last(t, m), m.Store().Param(qProj+".weight").Bytes()
		a, err := peft.New(peft.Config{Method: &peft.LoRA{R: 4, Alpha: 8, Init: init},
			TargetModules: peft.Targets("layers.0.attention.q_proj")})
		require.NoError(t, err)
		v := adapt(t, m, a)
		off := torchtest.Rounding()
		assert.InDeltaSlice(t, before, last(t, v), 20*off)
		assert.Equal(t, weight, m.Store().Param(qProj+".weight").Bytes(), "the base is everybody's")
		require.NoError(t, v.Session().Infer(t.Context(), func(s *torch.Scope) error {
			first, second := s.Attach(a.Store().Param(qProj+".lora_A.weight")),
				s.Attach(a.Store().Param(qProj+".lora_B.weight"))
			g.near(string(init)+"/BA", second.MatMul(first), 2*off, 0)
			turn := turned(s.Attach(m.Store().Param(qProj+".weight")), 4) * off / 1e-6
			g.near(string(init)+"/A_abs", first.Square().Sqrt(), turn, 0)
			g.near(string(init)+"/B_abs", second.Square().Sqrt(), turn, 0)
			g.near(string(init)+"/base_weight_after",
				s.Attach(m.Store().Param(qProj+".weight")).Sub(second.MatMul(first).MulScalar(2)), 5*off, 0)
			return nil
		}))
		inactive, err := a.Inactive(t.Context(), v.Session())
		require.NoError(t, err)
		assert.Equal(t, []string{qProj}, inactive, "it has learnt nothing yet")
	}
}

// turned is by how much a rounding of w in f32 may turn its first r singular vectors, of length 1:
// the more, the closer two of their values are (Wedin 1972). Which rounding it is depends on the
// processor.
func turned(w *torch.Tensor, r int) float64 {
	_, values, _ := w.ToType(torch.Float64).SVD()
	v := values.To(torch.CPU).Float64s()
	gap := v[0]
	for i := range r {
		gap = min(gap, v[i]-v[i+1])
	}
	return 0x1p-23 * v[0] / gap
}

// What was trained from there is saved as a plain LoRA of twice the rank, which gives the same; and
// a file of PEFT that was not converted is read for what it is.
func TestPiSSAAndOLoRASurviveSaving(t *testing.T) {
	for _, c := range []peft.LoRA{
		{R: 3, Alpha: 5, Init: peft.InitPiSSA, RankPattern: []peft.Entry{{Key: "k_proj", Value: 2}},
			AlphaPattern: []peft.Entry{{Key: "k_proj", Value: 7}}},
		{R: 3, Alpha: 5, Init: peft.InitOLoRA, RSLoRA: true},
	} {
		m := load(t, "base")
		a, err := peft.New(peft.Config{Method: &c, TargetModules: peft.Targets("q_proj", "k_proj")})
		require.NoError(t, err)
		v := adapt(t, m, a)
		plain := last(t, m)
		require.NoError(t, v.Session().Infer(t.Context(), func(s *torch.Scope) error {
			for _, p := range a.Store().Params() {
				p.CopyFrom(s.Attach(p).Add(s.Normal(0, .1, p.Shape()...)))
			}
			return nil
		}))
		tuned := last(t, v)
		assert.Greater(t, distance(plain, tuned), .05)

		dir := filepath.Join(t.TempDir(), "converted")
		require.NoError(t, a.Save(dir))
		b, err := peft.Load(dir)
		require.NoError(t, err)
		assert.Equal(t, 2*c.R, b.Config.Method.(*peft.LoRA).R)
		assert.Equal(t, peft.InitTrue, b.Config.Method.(*peft.LoRA).Init)
		assert.Less(t, distance(tuned, last(t, adapt(t, m, b))), 2e-5)

		// PEFT's own file has A and B of rank r, and starts again on the base model.
		raw := filepath.Join(t.TempDir(), "raw")
		twin, err := peft.New(peft.Config{Method: &peft.LoRA{R: c.R, Alpha: c.Alpha, RSLoRA: c.RSLoRA,
			RankPattern:  c.RankPattern,
			AlphaPattern: c.AlphaPattern}, TargetModules: peft.Targets("q_proj", "k_proj")})
		require.NoError(t, err)
		w := adapt(t, m, twin)
		require.NoError(t, w.Session().Infer(t.Context(), func(*torch.Scope) error {
			for name, p := range twin.Store().Params() {
				p.CopyFrom(a.Store().Param(name))
			}
			return nil
		}))
		require.NoError(t, twin.Save(raw))
		config := filepath.Join(raw, peft.ConfigFile)
		text, err := os.ReadFile(config)
		require.NoError(t, err)
		text = []byte(strings.Replace(string(text), `"init_lora_weights": true`,
			`"init_lora_weights": "`+string(c.Init)+`"`, 1))
		require.NoError(t, os.WriteFile(config, text, 0o600))
		d, err := peft.Load(raw)
		require.NoError(t, err)
		assert.Less(t, distance(tuned, last(t, adapt(t, m, d))), 2e-5)
	}
}

// distance is the largest |a - b|.
func distance(a, b []float32) (d float64) {
	for i := range a {
		d = max(d, max(float64(a[i])-float64(b[i]), float64(b[i])-float64(a[i])))
	}
	return d
}
