package pretrained_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
)

// The pretrained model and the adapted one side by side, over one set of weights.
func Example() {
	ctx := context.Background()
	const dir = "../../testdata/golden/base"
	model, err := pretrained.Open(ctx, dir, speech.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer model.Close()
	adapter, err := peft.Load(dir + "/peft/lora_qkv")
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
	arch := model.Architecture()
	fmt.Println(arch.Family, "with hidden states 0 to", arch.Layers)
	samples := make([]float32, 2*speech.SampleRate) // two seconds of silence
	for _, m := range []speech.Encoder{model, tuned} {
		hidden, err := m.HiddenStates(ctx, samples, arch.Layers)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(hidden[0].Rows, "frames of", hidden[0].Cols, "numbers;", len(m.Adapted()), "layers are adapted")
	}
	fmt.Println("unchanged by the adapter: depths 0 to", tuned.FrozenDepth(tuned.Adapted()...))
	// Output:
	// wavlm with hidden states 0 to 3
	// 99 frames of 48 numbers; 0 layers are adapted
	// 99 frames of 48 numbers; 9 layers are adapted
	// unchanged by the adapter: depths 0 to 1
}
