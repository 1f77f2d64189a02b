package main

import (
	"runtime"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"

	"github.com/brainwavlm/bwlm/internal/proc"
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

// look reads the machine. What cannot be read stays zero, so that doctor runs on any machine.
func look() machine {
	m := machine{CPU: proc.CPUModel(), Cores: runtime.NumCPU(), CPUFlags: []string{}}
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
	total, available := proc.Memory()
	m.MemoryMB, m.AvailableMB = int(total>>20), int(available>>20)
	var disk unix.Statfs_t
	if unix.Statfs(".", &disk) == nil {
		m.DiskFreeMB = int(disk.Bavail * uint64(disk.Bsize) >> 20)
	}
	return m
}
