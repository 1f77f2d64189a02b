package wavlm_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

// small is a WavLM for examples.
func small() wavlm.Config {
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 16, 3, 2, 32, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	return c
}

func ExampleLoad() {
	ctx := context.Background()
	model, err := wavlm.Load(ctx, "../testdata/golden/base", wavlm.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	second := make([]float32, wavlm.SampleRate)
	hidden, err := model.HiddenStates(ctx, second, 0, 2)
	fmt.Println(len(hidden), "layers of", model.Config.Frames(len(second)), "frames,", err)
	fmt.Println(model.Notes[0])
	// Output:
	// 2 layers of 49 frames, <nil>
	// there is no preprocessor_config.json: the waveform is used as it is, since feat_extract_norm is group
}

// The front end runs once, the encoder as often as it is trained.
func ExampleEncoder_Forward() {
	ctx := context.Background()
	model, err := wavlm.Fresh(ctx, small(), wavlm.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	cache := torch.NewArena()
	defer cache.Close()
	var features *torch.Tensor
	err = model.Session().Infer(ctx, func(s *torch.Scope) error {
		features = cache.Keep(model.FrontEnd.Forward(s.Zeros(2, 8000))) // (2, 24, 8)
		return nil
	})
	fmt.Println(features.Shape(), err)
	model.Store().Train(nil)
	err = model.Session().Train(ctx, 7, func(s *torch.Scope) error {
		hidden := model.Encoder.Forward(s.Attach(features), 2, wavlm.Pass{Regularise: wavlm.Regularise{Hidden: .1}})
		hidden[2].Square().Mean().Backward()
		return nil
	})
	fmt.Println(model.Store().Param("encoder.layers.1.attention.q_proj.weight").HasGrad(), err)
	fmt.Println(model.Store().Param("encoder.layers.2.attention.q_proj.weight").HasGrad(), "above the layer that is read")
	// Output:
	// [2 24 8] <nil>
	// true <nil>
	// false above the layer that is read
}

// louder is an adapter that scales one layer's output.
type louder struct{ path string }

type scaled struct{ nn.Linear }

func (l scaled) Forward(x *torch.Tensor) *torch.Tensor { return l.Linear.Forward(x).MulScalar(3) }

func (l louder) Param(_ *nn.Builder, _ string, p *torch.Tensor) *torch.Tensor { return p }
func (l louder) Finish(*nn.Builder)                                           {}

func (l louder) Wrap(_ *nn.Builder, path string, base nn.Layer) nn.Layer {
	if path == l.path {
		return scaled{base}
	}
	return base
}

func ExampleModel_View() {
	ctx := context.Background()
	model, err := wavlm.Fresh(ctx, small(), wavlm.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	var tuned *wavlm.Model
	err = model.Session().Infer(ctx, func(s *torch.Scope) (err error) {
		tuned, err = model.View(s, louder{"encoder.layers.0.attention.v_proj"})
		return err
	})
	fmt.Println(tuned.Store() == model.Store(), err)
	// Output: true <nil>
}

func ExampleConfig_Frames() {
	c := wavlm.Large()
	fmt.Println(c.MinSamples(), c.Frames(4*wavlm.SampleRate))
	// Output: 400 199
}
