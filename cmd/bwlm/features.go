package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// featuresFlags are the flags of features.
type featuresFlags struct {
	model, out, layers, device string
	context                    string
	from                       adapterFlags
	adapters                   extract.Adapters
	window                     extract.Options // windows if its WindowSeconds are not 0
	sound                      audio.Options
	resample                   string
}

// featuresAnswer is the result of features.
type featuresAnswer struct {
	Schema   int     `json:"schema"`
	Out      string  `json:"out"`
	Layers   []int   `json:"layers"`
	Frames   int     `json:"frames,omitempty"`  // of 20 ms, without --windows
	Windows  int     `json:"windows,omitempty"` // with --windows
	Channels int     `json:"channels"`
	Seconds  float64 `json:"seconds"` // of audio
}

func featuresCommand(a *app) *cobra.Command {
	var f featuresFlags
	c := &cobra.Command{
		Use:   "features --model DIR --out FILE AUDIO",
		Short: "Extract hidden states of a recording with a speech model",
		Long: `Reads a recording with a speech model in Hugging Face's layout, with adapters in it or without, and
writes its hidden states to a safetensors file: tensors hidden_states.L (frames, channels), one frame for each 20 ms,
for the whole recording in one pass. Layer 0 is the input of the first layer of the encoder, layer L the output of layer
L; the last is taken before the final norm, as transformers 5 does.

With --windows it writes the features of training: features.L (windows, channels), one vector for the seconds of audio
before each point in time, and those times. The first windows of a recording are shorter. With --extraction chunks they
are read from chunks of --chunk seconds, many times cheaper and not the same numbers (docs/chunks.md).

A Whisper hears each window, or without --windows the whole recording, padded to 30 s; --context window has it heard
alone, several times cheaper and not the same numbers (docs/models.md). Other models hear it alone.

WAV, FLAC and MP3 are read, resampled to 16 kHz and mixed to one channel. The waveform is normalised if the model's
preprocessor_config.json says so. An existing file is replaced.

--json prints {"schema", "out", "layers", "frames" or "windows", "channels", "seconds"}, the seconds being those of the
audio.`,
		Example: `  bwlm features --model models/wavlm-base-plus --layers 0,9 --out f.safetensors speech.wav
  bwlm features --model models/wavlm-base-plus --adapter runs/alice/adapter --layers 9 \
      --windows 4 --stride 0.25 --out f.safetensors speech.flac`,
		Args: wantArgs("AUDIO"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			answer, err := a.features(c.Context(), &f, args[0])
			if err != nil {
				return err
			}
			return a.answer(answer, answer.text)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.model, "model", "", "`folder` of the speech model")
	f.from.register(c)
	flags.StringVar(&f.out, "out", "", "safetensors `file` to write")
	flags.StringVar(&f.layers, "layers", "all", "hidden states to write: all, or numbers such as 0,9")
	flags.Float64Var(&f.window.WindowSeconds, "windows", 0, "`seconds` of a window; one vector for each window")
	flags.Float64Var(&f.window.StrideSeconds, "stride", .25, "`seconds` between the ends of successive windows")
	flags.StringVar((*string)(&f.window.Extraction), "extraction", "windows", extractionHelp)
	flags.Float64Var(&f.window.ChunkSeconds, "chunk", 32, "`seconds` of a chunk, with --extraction chunks")
	flags.StringVar((*string)(&f.window.Pooling), "pooling", "last",
		"from the frames of a window to its vector: last, first, mean or index:N")
	flags.StringVar(&f.context, "context", "auto", contextHelp)
	flags.StringVar(&f.resample, "resample", "sinc", "how to change the sample rate: sinc or torchaudio (as in Python)")
	flags.BoolVar(&f.sound.NoResample, "no-resample", false, "refuse audio that is not at 16 kHz")
	flags.IntVar(&f.sound.Channel, "channel", 0, "take one channel, counted from 1; 0 takes the mean of all")
	flags.BoolVar(&f.sound.AllowTruncated, "allow-truncated", false, "read a file that ends early as far as it goes")
	a.limits.addMemory(c)
	flags.StringVar(&f.device, "device", "auto", "auto, cpu, cuda or cuda:N")
	return c
}

const extractionHelp = "windows: each goes through the model by itself; chunks: they are read from longer chunks of " +
	"audio"

const contextHelp = "what a window is heard in, by a Whisper: 30s (auto) or window"

// check finds what is wrong with the flags alone.
func (f *featuresFlags) check(c *cobra.Command) (err error) {
	if err := required(c, "model", "out"); err != nil {
		return err
	}
	if f.adapters, err = f.from.adapters(c); err != nil {
		return err
	}
	f.sound.Resample = audio.Method(f.resample)
	if f.window.Layers, err = parseLayers(f.layers); err != nil {
		return usage(c, "--layers: %v", err)
	}
	windows := c.Flags().Changed("windows")
	contexts := []experiment.Context{experiment.ContextAuto, experiment.Context30s, experiment.ContextWindow}
	switch {
	case !slices.Contains(contexts, experiment.Context(f.context)):
		return usage(c, "--context: %q, want auto, 30s or window", f.context)
	case windows && !(f.window.WindowSeconds > 0):
		return usage(c, "--windows: %g s, want more than 0", f.window.WindowSeconds)
	case windows && !(f.window.StrideSeconds > 0):
		return usage(c, "--stride: %g s, want more than 0", f.window.StrideSeconds)
	case !windows && (c.Flags().Changed("stride") || c.Flags().Changed("pooling") || c.Flags().Changed("extraction")):
		return usage(c, "--stride, --pooling and --extraction need --windows, which is not given")
	}
	dir := filepath.Dir(f.out)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) { // found now rather than after an hour's work
		return fault.New(fault.IO, "features", f.out, "there is no folder %s", dir).WithHint("make it first")
	}
	return nil
}

// required refuses a call without one of these flags.
func required(c *cobra.Command, names ...string) error {
	for _, name := range names {
		if f := c.Flags().Lookup(name); f.Value.String() == "" {
			return usage(c, "--%s is missing", name)
		}
	}
	return nil
}

// parseLayers reads numbers apart by commas; all is nil.
func parseLayers(text string) (layers []int, err error) {
	if text == "all" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		l, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || l < 0 {
			return nil, fmt.Errorf("%q is neither all nor a list of numbers such as 0,9", text)
		}
		layers = append(layers, l)
	}
	slices.Sort(layers)
	return slices.Compact(layers), nil
}

// features reads and writes. The model comes first, so that a folder that holds none is said before
// the audio is touched.
func (a *app) features(ctx context.Context, f *featuresFlags, path string) (*featuresAnswer, error) {
	model, err := a.openSpeechModel(ctx, f)
	if err != nil {
		return nil, err
	}
	defer model.Close()
	arch := model.Model.Architecture()
	if f.window.Layers == nil {
		for l := range arch.Layers + 1 {
			f.window.Layers = append(f.window.Layers, l)
		}
	}
	if l := slices.Max(f.window.Layers); l > arch.Layers {
		return nil, fault.New(fault.Usage, "features", "--layers", "there is no layer %d, the model has 0 to %d", l,
			arch.Layers)
	}
	clip, err := audio.Load(ctx, path, f.sound)
	if err != nil {
		return nil, err
	}
	for _, note := range clip.Info.Notes {
		a.ui.Note("note: %s: %s", path, note)
	}
	answer := &featuresAnswer{Schema: 1, Out: f.out, Layers: f.window.Layers, Channels: arch.Width,
		Seconds: clip.Seconds()}
	var tensors []ckpt.Tensor
	if f.window.WindowSeconds > 0 {
		tensors, err = a.windowed(ctx, f, model, clip, answer)
	} else {
		tensors, err = a.whole(ctx, f, model, clip, answer)
	}
	if err != nil {
		return nil, err
	}
	return answer, ckpt.Write(f.out, tensors, f.metadata(path))
}

// openSpeechModel opens the model with its adapters, if there are any, and prints its notes.
func (a *app) openSpeechModel(ctx context.Context, f *featuresFlags) (*extract.SpeechModel, error) {
	d, err := torch.OpenDevice(f.device)
	if err != nil {
		return nil, err
	}
	m, err := extract.OpenAdapted(ctx, f.model, f.adapters, speech.Options{Device: d,
		Context: speech.Context(f.context)})
	if err != nil {
		return nil, err
	}
	for _, note := range m.Notes {
		a.ui.Note("note: %s", note)
	}
	return m, nil
}

// longClip is when to warn of memory that grows with the square of a clip's length.
const longClip = 120 // seconds

// whole gives the hidden states of all frames.
func (a *app) whole(ctx context.Context, f *featuresFlags, model *extract.SpeechModel, clip *audio.Clip,
	answer *featuresAnswer) (tensors []ckpt.Tensor, err error) {
	answer.Frames = model.Model.Frames(len(clip.Samples))
	if bytes := model.Model.PairBytes(len(clip.Samples)); answer.Seconds > longClip && bytes > 0 {
		a.ui.Warn("%s", longClipWarning(bytes, answer))
	}
	hidden, err := model.Model.HiddenStates(ctx, clip.Samples, f.window.Layers...)
	for i, h := range hidden {
		tensors = append(tensors, ckpt.NewTensor(fmt.Sprintf("hidden_states.%d", f.window.Layers[i]),
			[]int{h.Rows, h.Cols}, h.Data))
	}
	return tensors, err
}

func longClipWarning(bytes int64, x *featuresAnswer) string {
	return fmt.Sprintf("%.0f s of audio in one pass take about %.1f GB of memory; --windows takes little, however "+
		"long the audio is",
		x.Seconds, float64(bytes)/1e9)
}

// windowed gives one vector per window.
func (a *app) windowed(ctx context.Context, f *featuresFlags, model *extract.SpeechModel, clip *audio.Clip,
	answer *featuresAnswer) (tensors []ckpt.Tensor, err error) {
	var bar *ui.Progress
	f.window.Progress = func(done, windows int) {
		if bar == nil {
			bar = a.ui.Progress("read windows", 0, windows)
		}
		bar.Set(done, "")
	}
	f.window.MaxBytes = a.limits.bound(0)
	found, err := extract.Features(ctx, model.Model, clip.Samples, f.window)
	if bar != nil {
		bar.End()
	}
	if err != nil {
		return nil, err
	}
	answer.Windows = len(found.Times)
	for i, x := range found.Vectors {
		tensors = append(tensors, ckpt.NewTensor(fmt.Sprintf("features.%d", found.Layers[i]), []int{x.Rows, x.Cols},
			x.Data))
	}
	return append(tensors, ckpt.NewTensor("times", []int{answer.Windows}, found.Times)), nil
}

// metadata returns the settings behind the file.
func (f *featuresFlags) metadata(path string) map[string]string {
	m := map[string]string{"model": f.model, "audio": path}
	if f.context != string(experiment.ContextAuto) {
		m["context"] = f.context
	}
	if len(f.from.dirs) > 0 {
		m["adapter"] = strings.Join(f.from.dirs, ", ")
	}
	if f.from.weights != "" || f.from.combine != "" {
		m["combine"], m["weights"] = f.from.combine, f.from.weights
	}
	if f.window.WindowSeconds > 0 {
		if f.window.Extraction == experiment.ExtractChunks {
			m["extraction"], m["chunk_seconds"] = string(f.window.Extraction), fmt.Sprint(f.window.ChunkSeconds)
		}
		m["window_seconds"], m["stride_seconds"] = fmt.Sprint(f.window.WindowSeconds),
			fmt.Sprint(f.window.StrideSeconds)
		m["pooling"] = string(f.window.Pooling)
	}
	return m
}

func (x *featuresAnswer) text(w io.Writer) error {
	what := fmt.Sprintf("hidden states of %d frames", x.Frames)
	if x.Windows > 0 {
		what = fmt.Sprintf("features of %d windows", x.Windows)
	}
	layers := strings.Trim(strings.ReplaceAll(fmt.Sprint(x.Layers), " ", ", "), "[]")
	_, err := fmt.Fprintf(w, "%s: %s, %d channels, of %.2f s of audio; layers %s\n", x.Out, what, x.Channels, x.Seconds,
		layers)
	return err
}
