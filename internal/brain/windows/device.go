package windows

import (
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/torch"
)

// Settled returns the experiment with dtype auto replaced by the fastest type of the device, and a note about it.
func Settled(exp *experiment.Experiment) (*experiment.Experiment, string, error) {
	if exp.DType != "auto" {
		return exp, "", nil
	}
	device, err := torch.OpenDevice(exp.Device)
	if err != nil {
		return nil, "", err
	}
	out := *exp
	if torch.FastBFloat16(device) {
		out.DType = "bf16"
		return &out, "dtype auto: bf16, which " + device.String() +
			" multiplies in; scores are a thousandth off those of f32", nil
	}
	out.DType = "f32"
	return &out, "dtype auto: f32, since " + device.String() + " has no products in bf16", nil
}
