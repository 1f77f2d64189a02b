package torchtest

import (
	"fmt"
	"os"

	"github.com/brainwavlm/bwlm/torch"
)

// Variable is the environment variable that chooses the device of tests: cpu, the default, or cuda.
const Variable = "BWLM_TEST_DEVICE"

// required makes a missing device a failure if it is 1.
const required = "BWLM_REQUIRE_CUDA"

// Name returns the name of the device in an experiment: cpu or cuda.
func Name() string {
	if os.Getenv(Variable) == "cuda" {
		return "cuda"
	}
	return "cpu"
}

// Device returns the device on which tests open their models, so that the same goldens are checked on
// the CPU and on CUDA:
//
//	BWLM_TEST_DEVICE=cuda go test ./wavlm ./peft ./brain/...
func Device() torch.Device {
	if Name() == "cuda" {
		return torch.CUDA(0)
	}
	return torch.CPU
}

// Rounding returns the tolerance of the elements of a gradient, relative to the largest: sums of
// thousands of f32 terms depend on their order, and the goldens were computed on a CPU.
func Rounding() float64 {
	if Name() == "cuda" {
		return 1e-5
	}
	return 1e-6
}

// Load loads CUDA if tests are to run on it. Call it in TestMain before [Start] or [Main]. Without a
// device it prints the reason and ends the process: as a failure if the environment requires a device,
// else as a skip of all tests, which the CPU has run already.
func Load() {
	switch name := os.Getenv(Variable); name {
	case "", "cpu":
		return
	case "cuda":
	default:
		fmt.Printf("FAIL: %s=%s is neither cpu nor cuda\n", Variable, name)
		os.Exit(1)
	}
	_, err := torch.OpenDevice("cuda")
	if err == nil {
		return
	}
	if os.Getenv(required) == "1" {
		fmt.Printf("FAIL: no CUDA device, and %s=1 does not allow that: %v\n", required, err)
		os.Exit(1)
	}
	fmt.Printf("SKIP: all tests of this package, for there is no CUDA device: %v\n", err)
	os.Exit(0)
}
