package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch"
)

// predictFlags are the flags of predict.
type predictFlags struct {
	out, device, statistics string
	level                   float64
	opt                     predict.Options
}

// predictAnswer is the result of predict.
type predictAnswer struct {
	Schema     int     `json:"schema"`
	Out        string  `json:"out"`
	Rows       int     `json:"rows"`
	Voxels     int     `json:"voxels"`
	TR         float64 `json:"tr_seconds"`
	Level      float64 `json:"level"`
	Calibrated bool    `json:"calibrated"` // the run keeps residuals of its validation rows
	Bounded    int     `json:"bounded"`    // voxels with an interval of the level
	Ceilings   int     `json:"ceilings"`   // voxels with a noise ceiling
}

func predictCommand(a *app) *cobra.Command {
	var f predictFlags
	c := &cobra.Command{
		Use:   "predict RUN AUDIO --out FILE",
		Short: "Predict the responses to a recording with a finished run",
		Long: `Predicts the responses of a subject's voxels to a recording with the tuned model and the trained
readout of a run, and writes a safetensors file: times (rows) in seconds, columns (voxels), predictions, lower and upper
(rows, voxels), ceiling and validation_r (voxels). NaN stands for what is not known.

lower and upper bound the responses with the probability --level: split conformal prediction from the residuals of the
run's validation rows (docs/outputs.md). Of runs without a folder calibration, and where validation rows are too few,
they are NaN. validation_r is r of these predictions on the validation rows, ceiling the noise ceiling of the test rows.

With --statistics training features are standardised by mean and SD over the training stories in place of those of the
recording, which is better for recordings of less than a minute (docs/serve.md).

--json prints {"schema", "out", "rows", "voxels", "tr_seconds", "level", "calibrated", "bounded", "ceilings"}; the last
two are numbers of voxels.`,
		Example: "  bwlm predict runs/study speech.flac --out predicted.safetensors --level 0.95",
		Args:    wantArgs("RUN", "AUDIO"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := required(c, "out"); err != nil {
				return err
			}
			switch {
			case !slices.Contains(predict.Levels(), f.level):
				return usage(c, "--level: %g, want one of %v", f.level, predict.Levels())
			case f.statistics != "clip" && f.statistics != "training":
				return usage(c, "--statistics: %q, want clip or training", f.statistics)
			}
			f.opt.TrainingStatistics = f.statistics == "training"
			answer, err := f.predict(c.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			return a.answer(answer, answer.text)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.out, "out", "", "safetensors `file` to write")
	flags.StringVar(&f.opt.Subject, "subject", "", "whose responses, if the run has several subjects")
	flags.StringVar(&f.opt.Model, "model", "", "`folder` of the speech model, if it is not where it was")
	flags.StringVar(&f.statistics, "statistics", "clip", "clip or training: what features are standardised by")
	flags.Float64Var(&f.level, "level", .9, "probability of prediction intervals")
	flags.StringVar(&f.device, "device", "auto", "auto, cpu, cuda or cuda:N")
	return c
}

func (f *predictFlags) predict(ctx context.Context, run, recording string) (_ *predictAnswer, err error) {
	if f.opt.Device, err = torch.OpenDevice(f.device); err != nil {
		return nil, err
	}
	p, err := predict.Open(ctx, run, f.opt)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	clip, err := audio.Load(ctx, recording, audio.Options{})
	if err != nil {
		return nil, err
	}
	got, err := p.Predict(ctx, clip.Samples)
	if err != nil {
		return nil, err
	}
	lower, upper, err := p.Interval(got, f.level)
	if err != nil {
		return nil, err
	}
	columns := make([]int64, got.Voxels)
	for i, v := range p.Columns {
		columns[i] = int64(v)
	}
	matrix, vector := []int{got.Rows, got.Voxels}, []int{got.Voxels}
	answer := &predictAnswer{Schema: 1, Out: f.out, Rows: got.Rows, Voxels: got.Voxels, TR: p.TR, Level: f.level,
		Calibrated: p.Calibrated()}
	for v := range columns {
		if lower[v] == lower[v] {
			answer.Bounded++
		}
		if p.Ceiling[v] == p.Ceiling[v] {
			answer.Ceilings++
		}
	}
	return answer, ckpt.Write(f.out, []ckpt.Tensor{
		ckpt.NewTensor("times", []int{got.Rows}, got.Times), ckpt.NewTensor("columns", vector, columns),
		ckpt.NewTensor("predictions", matrix, got.Values), ckpt.NewTensor("lower", matrix, lower),
		ckpt.NewTensor("upper", matrix, upper), ckpt.NewTensor("ceiling", vector, p.Ceiling),
		ckpt.NewTensor("validation_r", vector, p.ValidationR),
	}, map[string]string{"statistics": f.statistics, "level": fmt.Sprint(f.level)})
}

func (x *predictAnswer) text(w io.Writer) error {
	about := fmt.Sprintf("%g %% intervals of %d voxels", 100*x.Level, x.Bounded)
	if !x.Calibrated {
		about = "no intervals, since the run keeps no residuals of its validation rows"
	}
	_, err := fmt.Fprintf(w, "%s: %d rows, one every %g s, of %d voxels; %s; noise ceilings of %d\n", x.Out, x.Rows,
		x.TR, x.Voxels, about, x.Ceilings)
	return err
}
