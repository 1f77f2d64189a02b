// Package proc reads what Linux reports of this process and its machine under /proc and /sys.
package proc

import (
	"bufio"
	"iter"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// PeakMemory is the largest resident size of this process so far, in bytes.
func PeakMemory() (int64, error) { return status("VmHWM") }

// ResidentMemory is the resident size of this process now, in bytes.
func ResidentMemory() (int64, error) { return status("VmRSS") }

func status(key string) (int64, error) {
	const path = "/proc/self/status"
	for k, value := range fields(path) {
		if k == key {
			return kibibytes(value)
		}
	}
	return 0, fault.New(fault.Unavailable, "measure memory", path, "cannot be read, or has no %s", key)
}

// kibibytes reads a size such as "512 kB", which the kernel means as 512 * 1024 bytes.
func kibibytes(value string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSuffix(value, " kB"), 10, 54)
	return n << 10, err
}

// CPU yields the names and values that /proc/cpuinfo gives for the first processor, such as "model
// name" and "flags".
func CPU() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		first := true
		for key, value := range fields("/proc/cpuinfo") {
			if key == "processor" && !first || !yield(key, value) {
				return
			}
			first = false
		}
	}
}

// CPUModel is the name of the processor, or its architecture where the kernel does not name it.
func CPUModel() string {
	for key, value := range CPU() {
		if key == "model name" {
			return value
		}
	}
	return runtime.GOARCH
}

// fields yields the lines "key : value" of a file, none if it cannot be read.
func fields(path string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			key, value, ok := strings.Cut(lines.Text(), ":")
			if ok && !yield(strings.TrimSpace(key), strings.TrimSpace(value)) {
				return
			}
		}
	}
}
