package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/selftest"
	"github.com/brainwavlm/bwlm/internal/hub"
	"github.com/brainwavlm/bwlm/torch"
)

// diagnosis is the doctor's answer.
type diagnosis struct {
	Schema   int      `json:"schema"`
	Versions versions `json:"versions"`
	Machine  machine  `json:"machine"`
	Library  string   `json:"libtorch_path"`
	Threads  int      `json:"threads"` // of each closure
	CUDA     cudaInfo `json:"cuda"`
	SelfTest struct {
		Device  string  `json:"device"`
		Seconds float64 `json:"seconds"`
	} `json:"self_test"`
	GetModel string   `json:"get_model"` // command that fetches a pretrained model
	Advice   []string `json:"advice"`
}

type cudaInfo struct {
	Devices int    `json:"devices"`
	Why     string `json:"why"` // there are none; empty otherwise
}

func doctorCommand(a *app) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Show the hardware and libraries, and run a self-test",
		Long: `Shows libtorch and where it was loaded from, CUDA, the processor's features that matter for speed,
threads, memory and disk, and runs one training step whose loss and gradient are computed a second time without
libtorch.

With --device cuda it exits with 69 if there is no such device, without falling back to the CPU.`,
		Example: "  bwlm doctor\n  bwlm doctor --device cuda:0 --json",
		Args:    wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := torch.Available(); err != nil {
				return err
			}
			d := diagnosis{Schema: 1, Versions: currentVersions(), Machine: look(),
				Library: filepath.Clean(torch.Library())}
			d.CUDA = lookForCUDA(name)
			device, err := torch.OpenDevice(name)
			if err != nil {
				return err
			}
			took, err := selftest.Step(c.Context(), device)
			if err != nil {
				return err
			}
			d.Threads = torch.Threads()
			d.SelfTest.Device, d.SelfTest.Seconds = device.String(), took.Seconds()
			d.GetModel = hub.Download("microsoft/wavlm-base-plus", "models/wavlm-base-plus")
			d.Advice = d.Machine.advice()
			return a.answer(d, d.text)
		},
	}
	c.Flags().StringVar(&name, "device", "auto", "where the self-test runs: auto, cpu, cuda or cuda:N")
	return c
}

// lookForCUDA counts the devices. To look means to load the library, so the device cpu does not.
func lookForCUDA(device string) cudaInfo {
	if device == "cpu" {
		return cudaInfo{Why: "not looked for with --device cpu"}
	}
	if err := torch.LoadCUDA(); err != nil {
		return cudaInfo{Why: oneLine(err.Error())}
	}
	n := torch.CUDADevices()
	if n == 0 {
		return cudaInfo{Why: "the library is there, but no device or no driver"}
	}
	return cudaInfo{Devices: n}
}

// advice names what will hurt. The demo, the smallest study, needs 2 GB of memory and little disk.
func (m machine) advice() []string {
	advice := []string{}
	if m.AvailableMB > 0 && m.AvailableMB < 2048 {
		advice = append(advice, fmt.Sprintf("%d MB of memory are free; the demo needs 2048", m.AvailableMB))
	}
	if m.DiskFreeMB < 1024 {
		advice = append(advice, fmt.Sprintf("%d MB of disk are free here; checkpoints may not fit", m.DiskFreeMB))
	}
	if len(m.CPUFlags) == 0 {
		advice = append(advice, "the processor has no AVX2; expect a tenth of the usual speed")
	}
	return advice
}

func (d diagnosis) text(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("bwlm", "%s, %s %s/%s", d.Versions.Version, d.Versions.Go, d.Versions.OS, d.Versions.Arch)
	line("libtorch", "%s, %s", d.Versions.Libtorch, d.Library)
	if d.CUDA.Devices > 0 {
		line("CUDA", "devices: %d", d.CUDA.Devices)
	} else {
		line("CUDA", "none: %s", d.CUDA.Why)
	}
	line("CPU", "%s, %d cores, %s", d.Machine.CPU, d.Machine.Cores, strings.Join(d.Machine.CPUFlags, " "))
	line("threads", "%d", d.Threads)
	line("memory", "%d MB, %d free", d.Machine.MemoryMB, d.Machine.AvailableMB)
	line("disk", "%d MB free here", d.Machine.DiskFreeMB)
	line("self-test", "one training step on %s: right, %.0f ms", d.SelfTest.Device, d.SelfTest.Seconds*1e3)
	line("model", "none is included; to get one: %s", d.GetModel)
	for _, a := range d.Advice {
		line("beware", "%s", a)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
