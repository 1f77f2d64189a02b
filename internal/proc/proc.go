// Package proc reads what Linux reports of this process and its machine under /proc and /sys.
package proc

import (
	"bufio"
	"iter"
	"math"
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

// Memory is what the machine has and what is free, in bytes, both at most the limit of the
// container. What cannot be read is 0.
func Memory() (total, available int64) {
	for key, value := range fields("/proc/meminfo") {
		size, err := kibibytes(value)
		switch {
		case err != nil:
		case key == "MemTotal":
			total = size
		case key == "MemAvailable":
			available = size
		}
	}
	limit, errLimit := readNumber("/sys/fs/cgroup/memory.max")
	used, errUsed := readNumber("/sys/fs/cgroup/memory.current")
	if errLimit == nil && errUsed == nil && limit < total {
		total, available = limit, min(available, limit-used)
	}
	return total, available
}

func readNumber(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// Threads returns the number of threads that the CPU quota of this process's cgroup can keep busy.
// It returns 0 if there is no quota below the number of processors.
func Threads() int { return threads(cpuQuota("/sys/fs/cgroup/cpu.max"), runtime.NumCPU()) }

func threads(quota float64, processors int) int {
	if n := int(math.Ceil(quota)); n < processors {
		return n
	}
	return 0
}

// cpuQuota reads a quota in processors, such as 1.5, from a file of two numbers: microseconds of
// CPU time in a period, and the period. It returns 0 if there is none ("max").
func cpuQuota(path string) float64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	quota, period, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	q, errQuota := strconv.ParseFloat(quota, 64)
	p, errPeriod := strconv.ParseFloat(period, 64)
	if errQuota != nil || errPeriod != nil || q <= 0 || p <= 0 {
		return 0
	}
	return q / p
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
