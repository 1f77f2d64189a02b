package torch

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// Device is the place of a tensor: CPU, or CUDA(n).
type Device int

// CPU is the zero Device.
const CPU Device = 0

// CUDA returns the n-th CUDA device, counted from 0. To use it needs LoadCUDA.
func CUDA(n int) Device { return Device(n + 1) }

func (d Device) String() string {
	if d == CPU {
		return "cpu"
	}
	return fmt.Sprintf("cuda:%d", int(d)-1)
}

// index is the number of the device in C++, -1 for the CPU.
func (d Device) index() int64 { return int64(d) - 1 }

// Wait blocks until the device has finished all operations, since those of CUDA return before they
// are finished, and returns their error. On the CPU it returns at once.
func (d Device) Wait() error {
	if d == CPU {
		return nil
	}
	if err := synchronize.call(args{i: []int64{d.index()}}, nil); err != nil {
		return err
	}
	return nil
}

// PeakMemory returns the peak size of this process's tensors on a CUDA device, in bytes; 0 if it
// has had none. For the CPU it is 0: read the peak of the process instead.
func (d Device) PeakMemory() int64 {
	var bytes [1]int64
	if d == CPU || peakMemory.call(args{i: []int64{d.index()}, buf: bytesOf(bytes[:])}, nil) != nil {
		return 0
	}
	return bytes[0]
}

// OpenDevice returns the device of a name: "cpu", "cuda", "cuda:N", or "auto" (also ""), which is
// CUDA(0) if there is a CUDA device and the CPU otherwise. It loads CUDA where the name needs it,
// and then must come before the first closure: after that, auto is the CPU unless CUDA is loaded
// already. An unknown name is a fault of kind Usage, a missing device one of kind Unavailable.
func OpenDevice(name string) (Device, error) {
	const op = "open device"
	number, isCUDA := strings.CutPrefix(name, "cuda")
	switch {
	case name == "cpu":
		return CPU, nil
	case name == "auto", name == "":
		if LoadCUDA() == nil && CUDADevices() > 0 {
			return CUDA(0), nil
		}
		return CPU, nil
	}
	index, ok := 0, isCUDA
	if digits, some := strings.CutPrefix(number, ":"); some {
		n, err := strconv.ParseUint(digits, 10, 16)
		index, ok = int(n), ok && err == nil
	} else if number != "" {
		ok = false
	}
	if !ok {
		return CPU, fault.New(fault.Usage, op, name, "is not one of auto, cpu, cuda, cuda:N")
	}
	if err := LoadCUDA(); err != nil {
		return CPU, fault.Wrap(fault.Unavailable, op, name, err)
	}
	if n := CUDADevices(); index >= n {
		return CPU, fault.New(fault.Unavailable, op, name, "there are %d CUDA devices", n).
			WithHint("check the driver and CUDA_VISIBLE_DEVICES, or use the device cpu")
	}
	return CUDA(index), nil
}

var synchronize, peakMemory = kernel("synchronize"), kernel("peak_memory")
