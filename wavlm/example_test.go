package wavlm_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// small is a WavLM for examples.
func small() wavlm.Config {
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 16, 3, 2, 32, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	return c
}

// Hidden states 0 and 2 of a second of audio.
func ExampleLoad() {
	ctx := context.Background()
	model, err := wavlm.Load(ctx, "../testdata/golden/base", speech.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	second := make([]float32, speech.SampleRate)
	hidden, err := model.HiddenStates(ctx, second, 0, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range hidden {
		fmt.Println(h.Rows, "frames of", h.Cols, "numbers")
	}
	fmt.Println(model.Notes()[0])
	// Output:
	// 49 frames of 48 numbers
	// 49 frames of 48 numbers
	// there is no preprocessor_config.json: the waveform is used as it is, since feat_extract_norm is group
}

// A training step on hidden state 2. The front end is frozen: it runs once, and each step continues
// from its output.
func Example_forward() {
	ctx := context.Background()
	model, err := wavlm.Fresh(ctx, small(), speech.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	cache := torch.NewArena()
	defer cache.Close()
	var features *torch.Tensor
	err = model.Session().Infer(ctx, func(s *torch.Scope) error {
		features = cache.Keep(model.FrontEnd(s.Zeros(2, 8000))) // (2, 24, 8)
		return nil
	})
	fmt.Println(features.Shape(), err)
	model.Store().Train(nil)
	err = model.Session().Train(ctx, 7, func(s *torch.Scope) error {
		pass := speech.Pass{Regularise: speech.Regularise{Hidden: .1}}
		hidden := model.Forward(s.Attach(features), 0, 2, pass)
		hidden[2].Square().Mean().Backward()
		return nil
	})
	fmt.Println(model.Store().Param("encoder.layers.1.attention.q_proj.weight").HasGrad(), err)
	fmt.Println(model.Store().Param("encoder.layers.2.attention.q_proj.weight").HasGrad(),
		"above the layer that is read")
	// Output:
	// [2 24 8] <nil>
	// true <nil>
	// false above the layer that is read
}

// An adapter is active in a view, and the model itself does not change.
func Example_withAdapter() {
	ctx := context.Background()
	model, err := wavlm.Load(ctx, "../testdata/golden/base", speech.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	adapter, err := peft.Load("../testdata/golden/base/peft/lora_qkv")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer adapter.Close()
	tuned, err := model.WithAdapter(ctx, adapter)
	if err != nil {
		fmt.Println(err)
		return
	}
	second := make([]float32, speech.SampleRate)
	second[8000] = 1
	before, err := model.HiddenStates(ctx, second, 0, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	after, err := tuned.HiddenStates(ctx, second, 0, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("hidden state 0 is the same:", slices.Equal(before[0].Data, after[0].Data))
	fmt.Println("hidden state 2 is the same:", slices.Equal(before[1].Data, after[1].Data))
	// Output:
	// hidden state 0 is the same: true
	// hidden state 2 is the same: false
}

func ExampleConfig_Frames() {
	c := wavlm.Default(wavlm.WavLM)
	fmt.Println(c.MinSamples(), c.Frames(4*speech.SampleRate))
	// Output: 400 199
}
