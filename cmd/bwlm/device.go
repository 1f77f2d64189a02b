package main

import (
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// openDevice gives the device that a name means: auto, cpu, cuda or cuda:N. It must come before any tensor. CUDA is loaded
// for auto and cuda only; auto falls back to the CPU without a word, cuda never does: it is a fault of kind Unavailable.
func openDevice(name string) (torch.Device, error) {
	number, isCUDA := strings.CutPrefix(name, "cuda")
	switch {
	case name == "cpu":
		return torch.CPU, nil
	case name == "auto":
		if torch.LoadCUDA() == nil && torch.CUDADevices() > 0 {
			return torch.CUDA(0), nil
		}
		return torch.CPU, nil
	case !isCUDA:
		return torch.CPU, fault.New(fault.Usage, "device", name, "is not one of auto, cpu, cuda, cuda:N")
	}
	index := 0
	if number != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(number, ":"))
		if err != nil || n < 0 || number[0] != ':' {
			return torch.CPU, fault.New(fault.Usage, "device", name, "is not one of auto, cpu, cuda, cuda:N")
		}
		index = n
	}
	if err := torch.LoadCUDA(); err != nil {
		return torch.CPU, fault.Wrap(fault.Unavailable, "device", name, err).
			WithHint("`bwlm doctor` shows what is here; use device cpu, or install libtorch for CUDA")
	}
	if n := torch.CUDADevices(); index >= n {
		return torch.CPU, fault.New(fault.Unavailable, "device", name, "there are %d CUDA devices", n).
			WithHint("`bwlm doctor` shows what is here; check the driver and CUDA_VISIBLE_DEVICES, or use device cpu")
	}
	return torch.CUDA(index), nil
}
