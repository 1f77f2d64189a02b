package predict

import (
	"context"
	"path/filepath"
	"slices"
	"sync"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/calibration"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/readout"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Predictor predicts one subject's responses to any audio, with the tuned model of a finished run and the readout that
// was trained with it. It may be used by many goroutines at once: they share its weights, and as many of their
// forward passes run at the same time as package torch has workers.
//
// Predictions have limits:
//   - Features are standardised over the rows of the clip, as those of the training were over each story. A row's
//     prediction so depends on the whole clip; give a minute or more, with speech as varied as in the stories of the
//     training, or standardise by the statistics of the training stories (Options.TrainingStatistics).
//   - The first rows (as many as the longest delay) lack their history, and Lanczos spoils up to 3 rows at both ends.
//     The response to the last seconds comes after the clip: append silence to see it.
//   - Values are in the units of the responses that were trained on, usually SDs of a voxel over a story, if the loss
//     has a unit. A correlation has none: see Interval, whose bounds have that unit.
//   - It is the readout that predicts, which saw few epochs. Published scores come from a ridge fitted anew (see
//     Study.Evaluate); they are no measure of these predictions.
type Predictor struct {
	Subject string
	Columns []int   // of the subject's responses, for which the voxels of a prediction stand
	TR      float64 // seconds from one row to the next
	Delays  []int   // in TRs
	Epoch   int     // from which model and readout are
	Notes   []string

	// ValidationR is r of each voxel over the validation rows, and Ceiling the noise ceiling of the test rows of the
	// evaluation (CCmax); NaN where there is none.
	ValidationR, Ceiling []float64

	calibration *calibration.Calibration // nil: of a run before there were any
	training    bool                     // features are standardised by the training stories' statistics

	exp     *experiment.Experiment
	clock   design.Clock
	model   *extract.SpeechModel
	reader  windowReader
	alone   windowReader // reads windows that no other call has a part in
	readout *readout.Readout
	session nn.Session // of the readout

	use  sync.RWMutex // read-locked during each prediction
	life context.Context
	end  context.CancelFunc
}

// windowReader reads the vectors (windows, E) of a clip, of each layer.
type windowReader func(ctx context.Context, clip *windows.Stimulus, layers []int) ([][]float32, error)

// Options say which predictor of a run to open. The zero value serves runs of one subject.
type Options struct {
	Subject string       // "": the only one
	Model   string       // folder of the speech model that was tuned, if it is not any more where it was then
	Device  torch.Device // where it computes

	// Open opens the speech model; nil: pretrained.Open. Predictors that share a model get one whose Close keeps it.
	Open func(ctx context.Context, dir string, opt speech.Options) (speech.Encoder, error)
	// Batcher computes windows with those of other calls; nil: alone, in the units of the training.
	Batcher *extract.Batcher

	// TrainingStatistics standardises features by mean and SD over the training stories in place of the clip's own, so
	// that a prediction depends on its stimulus window alone. Short clips are predicted better so. A Stream needs it.
	TrainingStatistics bool

	// AllowChangedBase lets the run meet a speech model other than the one that it was trained on.
	AllowChangedBase bool
}

// Prediction is what somebody's voxels are expected to answer to a clip.
type Prediction struct {
	Rows, Voxels int
	Times        []float64 // of each row: the second of the clip at which the volume is acquired
	Values       []float32 // (rows, voxels)
}

// errClosed is the error of Predict after Close. It has kind Temporary: a client can try another
// process of the service.
var errClosed = &fault.Error{Kind: fault.Temporary, Op: rundir.Predicting, Reason: "the predictor is closed",
	Err: fault.ErrClosed}

// Open opens a finished run. It takes no lock and writes nothing, so any number of processes may open one run.
// Close frees it.
func Open(ctx context.Context, run string, opt Options) (*Predictor, error) {
	if err := rundir.CheckFiles(rundir.OpenPredictor, run); err != nil {
		return nil, err
	}
	exp, err := experiment.LoadRun(filepath.Join(run, rundir.ConfigFile))
	if err != nil {
		return nil, err
	}
	p := &Predictor{exp: exp, training: opt.TrainingStatistics}
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	file, err := p.openReadout(run, opt.Subject)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := p.load(ctx, run, file, opt); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Voxels is how many voxels are predicted.
func (p *Predictor) Voxels() int { return len(p.Columns) }

// Windows returns about how many windows of a clip with a number of samples are computed, which its time follows from.
func (p *Predictor) Windows(samples int) int {
	return int(float64(samples) / speech.SampleRate / p.exp.Model.StrideSeconds)
}

// MinSeconds returns the duration of the shortest clip with a row.
func (p *Predictor) MinSeconds() float64 { return float64(slices.Max(p.Delays)+1) * p.TR }

// Predict predicts the responses to a clip (T, 16 kHz), one row for each whole TR of it. It returns
// the context's cause if that ends first, an error that matches fault.ErrClosed after Close, and
// else a *fault.Error of kind BadData for audio that is too short or not finite.
func (p *Predictor) Predict(ctx context.Context, samples []float32) (*Prediction, error) {
	ctx, done, err := p.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if p.streams() == nil {
		return p.next(ctx, p.newRowStream(p.reader), samples, true)
	}
	rows, err := p.rows(len(samples))
	if err != nil {
		return nil, err
	}
	if err := windows.Finite(samples, 0); err != nil {
		return nil, err
	}
	return p.whole(ctx, samples, rows)
}

// begin is the beginning of a use of the predictor: its context, and what ends it.
func (p *Predictor) begin(ctx context.Context) (_ context.Context, done func(), err error) {
	p.use.RLock()
	if p.life.Err() != nil {
		p.use.RUnlock()
		return nil, nil, errClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.life, func() { cancel(errClosed) })
	return ctx, func() { stop(); cancel(nil); p.use.RUnlock() }, nil
}

// rows returns the number of rows of a recording, or an error if it is too short for any.
func (p *Predictor) rows(samples int) (int, error) {
	const edge = 1e-6 // of a TR; what rounding may take from a clip of whole TRs
	seconds := float64(samples) / speech.SampleRate
	rows := int(seconds/p.TR + edge)
	if rows <= slices.Max(p.Delays) {
		return 0, fault.New(fault.BadData, rundir.Predicting, "", "%.3g s of audio, want at least %.3g s", seconds,
			p.MinSeconds()).
			WithHint("a minute or more is sensible")
	}
	return rows, nil
}

// whole predicts a recording whose rows depend on all of it.
func (p *Predictor) whole(ctx context.Context, samples []float32, rows int) (*Prediction, error) {
	clip, err := windows.Cut(p.exp, windows.BOLD(p.exp, p.Delays), p.clock, "clip",
		windows.InMemory(windows.Normalised(p.exp.Model, samples)), rows)
	if err != nil {
		return nil, err
	}
	x, err := p.rowFeatures(ctx, clip)
	if err != nil {
		return nil, err
	}
	out := &Prediction{Rows: rows, Voxels: p.Voxels(), Times: p.clock.Times(0, rows)}
	out.Values, err = p.respond(ctx, x, rows)
	return out, err
}

// respond returns the responses (rows, V) to features x (rows, F).
func (p *Predictor) respond(ctx context.Context, x []float32, rows int) (values []float32, err error) {
	err = p.session.Infer(ctx, func(s *torch.Scope) error {
		values = p.readout.Forward(s.FromFloat32(x, rows, len(x)/rows)).Float32s()
		return nil
	})
	return values, err
}

// rowFeatures is what the readout sees of a clip: (rows, F).
func (p *Predictor) rowFeatures(ctx context.Context, clip *windows.Stimulus) ([]float32, error) {
	layers := p.layers()
	vectors, err := p.reader(ctx, clip, layers)
	if err != nil {
		return nil, err
	}
	fs := make([]encoding.RowFeatures, len(layers))
	for i, x := range vectors {
		channels := p.model.Model.Architecture().Width
		rows := p.standardised(clip.Tuning, x, i)
		fs[i] = encoding.RowFeatures{Width: clip.Tuning.Width(channels), Delays: clip.Tuning.Delays,
			Rows: map[string][]float32{clip.Name: rows}}
	}
	return encoding.Joined(fs).Of(design.Rows{Story: clip.Name, To: clip.Rows}), nil
}

// layers are the hidden states that the readout sees.
func (p *Predictor) layers() []int {
	if m := p.readout.Weights; m != nil {
		return upTo(m.States)
	}
	return []int{p.exp.Model.Layer}
}

// upTo are the numbers 0 to n-1.
func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Close interrupts predictions, waits for their end, and frees the weights. A second Close does nothing.
func (p *Predictor) Close() {
	p.end()
	p.use.Lock()
	defer p.use.Unlock()
	if p.readout != nil {
		p.readout.Close()
	}
	if p.model != nil {
		p.model.Close()
	}
}
