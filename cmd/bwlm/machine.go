package main

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"
)

// machine is what a run has to work with.
type machine struct {
	CPU         string   `json:"cpu"`
	Cores       int      `json:"cores"`
	CPUFlags    []string `json:"cpu_flags"` // of those that libtorch's speed depends on
	MemoryMB    int      `json:"memory_mb"` // of the machine, or the container's limit
	AvailableMB int      `json:"available_mb"`
	DiskFreeMB  int      `json:"disk_free_mb"` // where the command was started
}

// look reads the machine. What cannot be read stays zero: a doctor that fails on an odd machine helps nobody.
func look() machine {
	m := machine{CPU: cpuModel(), Cores: runtime.NumCPU(), CPUFlags: []string{}}
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"avx2", cpu.X86.HasAVX2},
		{"avx512", cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL},
		{"avx512_bf16", cpu.X86.HasAVX512BF16},
		{"amx_bf16", cpu.X86.HasAMXBF16},
		{"asimd", cpu.ARM64.HasASIMD},
	} {
		if f.has {
			m.CPUFlags = append(m.CPUFlags, f.name)
		}
	}
	m.MemoryMB, m.AvailableMB = memory()
	var disk unix.Statfs_t
	if unix.Statfs(".", &disk) == nil {
		m.DiskFreeMB = int(disk.Bavail * uint64(disk.Bsize) >> 20)
	}
	return m
}

func cpuModel() string {
	for key, value := range colonPairs("/proc/cpuinfo") {
		if key == "model name" {
			return value
		}
	}
	return runtime.GOARCH
}

// memory gives what there is and what is free, both at most the limit of the container.
func memory() (total, available int) {
	for key, value := range colonPairs("/proc/meminfo") {
		kB, err := strconv.Atoi(strings.TrimSuffix(value, " kB"))
		if err != nil {
			continue
		}
		switch key {
		case "MemTotal":
			total = kB >> 10
		case "MemAvailable":
			available = kB >> 10
		}
	}
	limit, errLimit := readNumber("/sys/fs/cgroup/memory.max")
	used, errUsed := readNumber("/sys/fs/cgroup/memory.current")
	if errLimit == nil && errUsed == nil && limit>>20 < total {
		total, available = limit>>20, min(available, (limit-used)>>20)
	}
	return total, available
}

func readNumber(path string) (int, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// colonPairs goes through the lines "key : value" of a file of /proc.
func colonPairs(path string) func(yield func(key, value string) bool) {
	return func(yield func(string, string) bool) {
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			key, value, ok := strings.Cut(lines.Text(), ":")
			if ok && !yield(strings.TrimSpace(key), strings.TrimSpace(value)) {
				return
			}
		}
	}
}
