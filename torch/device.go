package torch

import "fmt"

// Device is where a tensor lives: CPU, or CUDA(n).
type Device int

// CPU is the zero Device.
const CPU Device = 0

// CUDA is the n-th CUDA device, from 0. It needs LoadCUDA.
func CUDA(n int) Device { return Device(n + 1) }

func (d Device) String() string {
	if d == CPU {
		return "cpu"
	}
	return fmt.Sprintf("cuda:%d", int(d)-1)
}

// index is the device number of the C++ side, -1 for the CPU.
func (d Device) index() int64 { return int64(d) - 1 }

// Wait returns when the device has done all that it was given, since operations on it return before they are done. It
// says what went wrong meanwhile. On the CPU there is nothing to wait for.
func (d Device) Wait() error {
	if d == CPU {
		return nil
	}
	if err := synchronize.call(args{i: []int64{d.index()}}, nil); err != nil {
		return err
	}
	return nil
}

// PeakMemory is the most bytes that tensors on the device took at one time in this process; 0 for the CPU, of which the
// system knows more, and for a device that has had no tensor.
func (d Device) PeakMemory() int64 {
	var bytes [1]int64
	if d == CPU || peakMemory.call(args{i: []int64{d.index()}, buf: bytesOf(bytes[:])}, nil) != nil {
		return 0
	}
	return bytes[0]
}

var synchronize, peakMemory = kernel("synchronize"), kernel("peak_memory")
