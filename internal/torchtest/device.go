package torchtest

import (
	"fmt"
	"os"

	"github.com/brainwavlm/bwlm/torch"
)

// The variables of the environment.
const (
	Variable = "BWLM_TEST_DEVICE"  // cpu, which is the default, or cuda
	Required = "BWLM_REQUIRE_CUDA" // 1: to have no device is a failure
)

// Name is what an experiment calls the device: cpu or cuda.
func Name() string {
	if os.Getenv(Variable) == "cuda" {
		return "cuda"
	}
	return "cpu"
}

// Device is where tests open their models, so that the same goldens hold on the CPU and on CUDA:
//
//	BWLM_TEST_DEVICE=cuda go test ./wavlm ./peft ./brain/...
func Device() torch.Device {
	if Name() == "cuda" {
		return torch.CUDA(0)
	}
	return torch.CPU
}

// Rounding is by how much, as a part of the largest element of a gradient, an element may be off because f32 sums of
// thousands of terms are added up in another order than the reference's. The goldens come from a CPU.
func Rounding() float64 {
	if Name() == "cuda" {
		return 1e-5
	}
	return 1e-6
}

// Load loads CUDA where tests are to run on it. It belongs into TestMain, since it must come before the first closure.
// Where there is none it says why and ends the process: as a failure if the environment requires a device, else as a
// skip of all tests, which would only repeat what the CPU has shown.
func Load() {
	switch name := os.Getenv(Variable); name {
	case "", "cpu":
		return
	case "cuda":
	default:
		fmt.Printf("FAIL: %s=%s is neither cpu nor cuda\n", Variable, name)
		os.Exit(1)
	}
	why := "the library is there, but no device or no driver"
	if err := torch.LoadCUDA(); err != nil {
		why = err.Error()
	}
	if torch.CUDADevices() > 0 {
		return
	}
	if os.Getenv(Required) == "1" {
		fmt.Printf("FAIL: no CUDA device, and %s=1 does not allow that: %s\n", Required, why)
		os.Exit(1)
	}
	fmt.Printf("SKIP: all tests of this package, for there is no CUDA device: %s\n", why)
	os.Exit(0)
}
