package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/stepbench"
	"github.com/brainwavlm/bwlm/torch"
)

func benchCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "bench COMMAND",
		Short:   "Benchmark tuning on this machine",
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
	Schema     int                   `json:"schema"`
	Median     float64               `json:"median_s"`
	Min        float64               `json:"min_s"`
	PeakRSSMB  int64                 `json:"peak_rss_mb"`    // of the process, over all its life
	DeviceMB   *int64                `json:"peak_device_mb"` // of tensors on the device; null on the CPU
	GFLOP      float64               `json:"gflop"`          // of the products of a step
	Again      float64               `json:"gflop_recomputed"`
	Peak       float64               `json:"peak_gflops"` // of a large product of the same type, measured
	PeakShare  float64               `json:"peak_share"`
	Threads    int                   `json:"threads"`
	Fill       float64               `json:"fill_s"` // the frozen front end, once: training keeps its output
	Windows    int                   `json:"windows"`
	Seconds    float64               `json:"seconds"` // of a window
	Extraction experiment.Extraction `json:"extraction"`
	Audio      float64               `json:"audio_s"` // from one step to the next: windows are read every .25 s
	Voxels     int                   `json:"voxels"`
	Subjects   int                   `json:"subjects"`
	DType      string                `json:"dtype"`
	Device     string                `json:"device"`
}

func benchStepCommand(a *app) *cobra.Command {
	opt := stepbench.Options{}
	var dtype, device, out string
	var extraction experiment.Extraction
	var chunk float64
	var profile profiling
	c := &cobra.Command{
		Use:   "step",
		Short: "Measure one step of tuning",
		Long: `Measures the step that training repeats: windows through WavLM Base up to hidden state 9 with LoRA of
rank 4 on q, k and v, a row for every 8 windows, a readout with a bottleneck of 100, the spatial loss, the backward
pass, and Adam. Weights and data are random. Activations of frozen layers are cached, as in training; fill_s is the time
to compute them once. Windows follow each other every .25 s, so that 16 of them stand for 4 s of audio (audio_s). With
--extraction chunks they are read from chunks of --chunk seconds that overlap by a window: 112 windows fill one of 32 s.

gflop counts the floating-point operations of the matrix products of a step, from the architecture: forward,
and backward for tuned weights and the layers that gradients pass through. gflop_recomputed are those that the attention
repeats to save memory. peak_share is gflop over median_s as a share of peak_gflops, the rate of one large product of
the same type in this process.

--profile adds a table of where the time went (all steps, the first one included), and leaves profile.json and
trace.json in the folder of --out.

peak_rss_mb is the memory of the process, peak_device_mb the peak memory of tensors on a device, null on the CPU.

--json prints {"schema", "median_s", "min_s", "peak_rss_mb", "peak_device_mb", "gflop", "gflop_recomputed",
"peak_gflops", "peak_share", "threads", "fill_s", "windows", "seconds", "extraction", "audio_s", "voxels", "subjects",
"dtype", "device"}.`,
		Example: "  bwlm bench step --windows 16 --voxels 20000 --steps 5 --json\n  bwlm bench step --profile --out " +
			"profile\n" +
			"  bwlm bench step --extraction chunks --windows 112",
		Args: wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if opt.Device, err = torch.OpenDevice(device); err != nil {
				return err
			}
			if opt.Compute, err = torch.ComputeType(dtype, opt.Device); err != nil {
				return usage(c, "--dtype: %q is not one of auto, f32, bf16", dtype)
			}
			if out != "" && !profile.on {
				return usage(c, "--out is for --profile, which is not given")
			}
			switch {
			case extraction == experiment.ExtractChunks:
				opt.ChunkSeconds = chunk
			case extraction != experiment.ExtractWindows:
				return usage(c, "--extraction: %q is neither windows nor chunks", extraction)
			}
			times, err := stepbench.Run(profile.start(c.Context()), opt)
			if err := profile.end(a, out, err); err != nil {
				return err
			}
			answer := stepAnswer{Schema: 1, Median: times.Median(), Min: times.Min(), PeakRSSMB: peakRSS() >> 20,
				GFLOP: times.Work.Total() / 1e9, Again: times.Work.Recomputed / 1e9, Peak: times.Peak / 1e9,
				PeakShare: times.PeakShare(),
				Threads:   torch.Threads(), Fill: times.Fill, Windows: opt.Windows, Seconds: opt.Seconds,
				Extraction: extraction,
				Audio:      float64(opt.Windows) / 4, Voxels: opt.Voxels,
				Subjects: opt.Subjects, DType: opt.Compute.String(), Device: opt.Device.String()}
			if opt.Device != torch.CPU {
				mb := times.Bytes >> 20
				answer.DeviceMB = &mb
			}
			return a.answer(answer, answer.text)
		},
	}
	flags := c.Flags()
	flags.IntVar(&opt.Windows, "windows", 16, "windows in one step; a multiple of 8")
	flags.Float64Var(&opt.Seconds, "seconds", 4, "`seconds` of a window")
	flags.StringVar((*string)(&extraction), "extraction", "windows", extractionHelp)
	flags.Float64Var(&chunk, "chunk", 32, "`seconds` of a chunk, with --extraction chunks")
	flags.IntVar(&opt.Voxels, "voxels", 20000, "voxels that each readout predicts")
	flags.IntVar(&opt.Subjects, "subjects", 1, "subjects that share a step, each with a readout")
	flags.IntVar(&opt.Steps, "steps", 5, "steps to measure, after a warm-up step")
	flags.StringVar(&dtype, "dtype", "f32", "type of the products of linear layers: auto, f32 or bf16")
	flags.StringVar(&device, "device", "cpu", "auto, cpu, cuda or cuda:N")
	profile.add(flags, "measure where the time goes")
	flags.StringVar(&out, "out", "", "`folder` for profile.json and trace.json")
	return c
}

// peakRSS returns the peak memory of this process in bytes; 0 if unknown.
func peakRSS() int64 {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return used.Maxrss << 10 // Linux counts in KiB
}

func (s stepAnswer) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "step       median %.2f s, fastest %.2f s: %d windows of %g s (%s), %d voxels, %s on %s, %d "+
		"threads\n",
		s.Median, s.Min, s.Windows, s.Seconds, s.Extraction, s.Voxels, s.DType, s.Device, s.Threads)
	fmt.Fprintf(&b, "work       %.0f GFLOP, and %.0f once more to save memory; %.0f %% of the %.0f GFLOP/s of a "+
		"large product\n",
		s.GFLOP, s.Again, 100*s.PeakShare, s.Peak)
	fmt.Fprintf(&b, "frozen     %.2f s, once\n", s.Fill)
	fmt.Fprintf(&b, "memory     %d MB at most\n", s.PeakRSSMB)
	if s.DeviceMB != nil {
		fmt.Fprintf(&b, "on device  %d MB at most\n", *s.DeviceMB)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
