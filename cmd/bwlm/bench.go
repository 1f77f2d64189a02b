package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

func benchCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "bench COMMAND",
		Short:   "Measure how fast this machine tunes",
		Long:    "Measures parts of bwlm on this machine, with random data.",
		Example: "  bwlm bench step --json",
		Args:    onlyCommands,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(benchStepCommand(a))
	return c
}

// stepAnswer is a measured step.
type stepAnswer struct {
	Schema    int     `json:"schema"`
	Median    float64 `json:"median_s"`
	Min       float64 `json:"min_s"`
	PeakRSSMB int64   `json:"peak_rss_mb"` // of the process, over all its life
	Threads   int     `json:"threads"`
	Fill      float64 `json:"fill_s"` // the frozen front end, once: training keeps its output
	Windows   int     `json:"windows"`
	Mode      string  `json:"mode"`
	Audio     float64 `json:"audio_s"` // from one step to the next: windows are read every .25 s
	Voxels    int     `json:"voxels"`
	DType     string  `json:"dtype"`
	Device    string  `json:"device"`
}

func benchStepCommand(a *app) *cobra.Command {
	opt := brain.StepOptions{}
	var dtype, device, mode string
	var block float64
	c := &cobra.Command{
		Use:   "step",
		Short: "Measure one step of tuning",
		Long: `Measures the step that training repeats: 4 s windows through WavLM Base up to hidden state 9 with LoRA of rank 4 on q, k
and v, a row for every 8 windows, a readout with a bottleneck of 100, the spatial loss, the way back, and Adam. Weights and
data are random. What no tuning changes is kept, as training keeps it; fill_s is what it took once. Windows follow each other every
.25 s, so that 16 of them stand for 4 s of audio (audio_s). In mode block they are read from clips of --block seconds that overlap by
a window: 112 windows fill one of 32 s.

--json prints {"schema", "median_s", "min_s", "peak_rss_mb", "threads", "fill_s", "windows", "mode", "audio_s", "voxels", "dtype",
"device"}.`,
		Example: "  bwlm bench step --windows 16 --voxels 20000 --steps 5 --json\n  bwlm bench step --mode block --windows 112",
		Args:    wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if opt.Compute, err = computeType(dtype); err != nil {
				return err
			}
			if opt.Device, err = openDevice(device); err != nil {
				return err
			}
			switch {
			case mode == "block":
				opt.Block = block
			case mode != "windows":
				return usage(c, "--mode: %q is neither windows nor block", mode)
			}
			times, err := brain.BenchStep(c.Context(), opt)
			if err != nil {
				return err
			}
			answer := stepAnswer{1, times.Median(), times.Min(), peakRSS() >> 20, torch.Threads(), times.Fill, opt.Windows, mode,
				float64(opt.Windows) / 4, opt.Voxels, dtype, opt.Device.String()}
			return a.answer(answer, answer.text)
		},
	}
	flags := c.Flags()
	flags.IntVar(&opt.Windows, "windows", 16, "4 s windows in one step; a multiple of 8")
	flags.StringVar(&mode, "mode", "windows", "windows: each goes through the model by itself; block: they are read from longer clips")
	flags.Float64Var(&block, "block", 32, "`seconds` of a clip in mode block")
	flags.IntVar(&opt.Voxels, "voxels", 20000, "voxels that the readout predicts")
	flags.IntVar(&opt.Steps, "steps", 5, "steps to measure, after one that is not")
	flags.StringVar(&dtype, "dtype", "f32", "in which linear layers multiply: f32 or bf16")
	flags.StringVar(&device, "device", "cpu", "auto, cpu, cuda or cuda:N")
	return c
}

func computeType(name string) (torch.DType, error) {
	switch name {
	case "f32":
		return torch.Float32, nil
	case "bf16":
		return torch.BFloat16, nil
	}
	return 0, fault.New(fault.Usage, "bench step", "--dtype", "%q is neither f32 nor bf16", name)
}

// peakRSS is the most memory that this process ever had, in bytes; 0 if the system does not tell.
func peakRSS() int64 {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return used.Maxrss << 10 // Linux counts in KiB
}

func (s stepAnswer) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "step       median %.2f s, fastest %.2f s: %d windows of 4 s (mode %s), %d voxels, %s on %s, %d threads\n",
		s.Median, s.Min, s.Windows, s.Mode, s.Voxels, s.DType, s.Device, s.Threads)
	fmt.Fprintf(&b, "frozen     %.2f s, once\n", s.Fill)
	fmt.Fprintf(&b, "memory     %d MB at most\n", s.PeakRSSMB)
	_, err := io.WriteString(w, b.String())
	return err
}
