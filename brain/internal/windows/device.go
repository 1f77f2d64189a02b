package windows

import (
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// DeviceOf reads the experiment's device: auto takes CUDA if it was loaded and a card is there.
func DeviceOf(name string) (torch.Device, error) {
	switch {
	case name == "cpu", name == "auto" && torch.CUDADevices() == 0:
		return torch.CPU, nil
	case name == "auto", name == "cuda":
		name = "cuda:0"
	}
	n, err := strconv.Atoi(strings.TrimPrefix(name, "cuda:"))
	if err != nil {
		return torch.CPU, fault.New(fault.Usage, "choose device", "device", "%q, want auto, cpu, cuda or cuda:N", name)
	}
	if have := torch.CUDADevices(); n >= have {
		return torch.CPU, fault.New(fault.Unavailable, "choose device", "device", "%s asked for, %d CUDA devices found", name, have).
			WithHint("run bwlm doctor, or set device: cpu")
	}
	return torch.CUDA(n), nil
}

// Settled is the experiment with a dtype of auto replaced by what the device is best at, and what to say of that.
func Settled(exp *experiment.Experiment) (*experiment.Experiment, string, error) {
	if exp.DType != "auto" {
		return exp, "", nil
	}
	device, err := DeviceOf(exp.Device)
	if err != nil {
		return nil, "", err
	}
	out := *exp
	if torch.FastBFloat16(device) {
		out.DType = "bf16"
		return &out, "dtype auto: bf16, which " + device.String() + " multiplies in; scores are a thousandth off those of f32", nil
	}
	out.DType = "f32"
	return &out, "dtype auto: f32, since " + device.String() + " has no products in bf16", nil
}

// ComputeOf reads the experiment's dtype.
func ComputeOf(name string) (torch.DType, error) {
	switch name {
	case "f32":
		return torch.Float32, nil
	case "bf16":
		return torch.BFloat16, nil
	}
	return 0, fault.New(fault.Usage, "choose dtype", "dtype", "%q, want f32 or bf16", name)
}
