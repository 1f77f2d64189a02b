package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/planning"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// Options are what a study needs in addition to its experiment. The zero value is useful.
type Options struct {
	MaxBytes   int64  // memory of the process at most; 0: as max_memory of the experiment
	CacheBytes int64  // budget in memory of the activation cache; 0: from MaxBytes, else 2 GiB
	CacheDir   string // folder of the activation cache on disk, shared by runs; "": none
	DiskBytes  int64  // size of that folder at most; 0: 10 GiB
	HalfFrames bool   // cache activations in bf16: half the size, slightly different results
	// activations of one optimizer step; units beyond are recomputed; 0: from MaxBytes, else 2.5 GiB
	StepBytes int64
	Purpose   string               // recorded with each read of test rows under a locked analysis plan
	Progress  func(progress.Event) // called from the goroutine that works; may be nil
	Details   bool                 // events at the end of an epoch carry EpochMetrics

	// AllowChangedBase lets finished runs meet a model other than the one that they were trained on.
	AllowChangedBase bool

	// AllowChangedData lets finished runs meet data that are not what they were when the run began; a note says so.
	AllowChangedData bool

	// CompareSeconds is the time of a plan for comparing ways to extract features; 0: a minute; negative: none.
	CompareSeconds float64

	// OnlyCachedPrints compares the audio of stories only if CacheDir has the fingerprints of all.
	OnlyCachedPrints bool

	// Ranks are the processes that tune together, each with a study of the same experiment; nil: this one alone.
	Ranks *dist.Group

	// FastSums has the ranks add gradients up in any order. A step sends and keeps less, and the last bits of the
	// results depend on the number of ranks.
	FastSums bool
}

// Study is an experiment with its data and model. After Close, methods that return an error return one that matches
// [fault.ErrClosed].
type Study struct {
	inner  *study.Study
	closed bool
}

// Tuned is a speech model as training left it. Close frees it.
type Tuned = study.Tuned

// Baseline is what the untuned model predicts of the test rows. Its method Compare scores a tuned model against it.
type Baseline = evaluate.Baseline

// Open opens the data set and the model that the experiment names.
// It refuses splits that share stimulus audio (see [design.Audit]).
func Open(ctx context.Context, exp *experiment.Experiment, opt Options) (*Study, error) {
	return wrap(study.Open(ctx, exp, study.Options(opt)))
}

// New makes a study of a data set and a model that are open already. Close leaves both open.
func New(ctx context.Context, exp *experiment.Experiment, data *dataset.Dataset, model speech.Encoder,
	opt Options) (*Study, error) {
	return wrap(study.New(ctx, exp, data, model, study.Options(opt)))
}

func wrap(inner *study.Study, err error) (*Study, error) {
	if err != nil {
		return nil, err
	}
	return &Study{inner: inner}, nil
}

// Close frees what the study holds. A second call does nothing.
func (s *Study) Close() {
	if !s.closed {
		s.closed = true
		s.inner.Close()
	}
}

// with calls do with the study, unless it is closed.
func with[T any](s *Study, op string, do func(*study.Study) (T, error)) (T, error) {
	if s.closed {
		var none T
		return none, &fault.Error{Kind: fault.Unavailable, Op: op, Reason: "the study is closed", Err: fault.ErrClosed}
	}
	return do(s.inner)
}

// Internal returns the study as the packages below brain see it. Other modules cannot name its type.
func (s *Study) Internal() *study.Study { return s.inner }

// Experiment returns the experiment with automatic settings resolved.
func (s *Study) Experiment() *experiment.Experiment { return s.inner.Experiment }

// Audit returns the stimulus windows of the splits and what they share.
func (s *Study) Audit() *design.Report { return s.inner.Audit }

// Notes returns what a user should know about data, model and method.
func (s *Study) Notes() []string { return s.inner.Notes }

// TestRepeats says how repeats of the test rows had a part in the tuning; "" if they had none. It belongs below every
// table of scores.
func (s *Study) TestRepeats() string { return s.inner.TestRepeats() }

// OnProgress sends the events of later calls elsewhere.
func (s *Study) OnProgress(to func(progress.Event)) { s.inner.OnProgress(to) }

// Vary makes a study of another experiment on the same data and model, with which it shares the activation cache.
// Windows and normalisation must be the same. It must not be used after s is closed.
func (s *Study) Vary(ctx context.Context, exp *experiment.Experiment) (*Study, error) {
	return wrap(with(s, "vary", func(st *study.Study) (*study.Study, error) { return st.Vary(ctx, exp) }))
}

// Begin creates the run directory of the experiment and writes config.yaml and manifest.json.
func (s *Study) Begin(ctx context.Context) (*rundir.Run, error) {
	return with(s, "begin run", func(st *study.Study) (*rundir.Run, error) { return st.Begin(ctx) })
}

// OpenRun opens a run directory and locks it until its Close; its Experiment is that of the run. A
// directory without config.yaml is an error that matches fs.ErrNotExist.
func OpenRun(dir string) (*rundir.Run, error) { return rundir.Open(dir) }

// StartOrResume opens the run directory of the same experiment, or creates it.
func (s *Study) StartOrResume(ctx context.Context) (*rundir.Run, error) {
	return with(s, "open run", func(st *study.Study) (*rundir.Run, error) { return st.StartOrResume(ctx) })
}

// Fit tunes the model on the training rows and saves the epoch that validation chose in the run directory.
// A run with checkpoints is resumed from the newest one. With an equal number of threads the outcome is
// bit-identical to that of a run that was never interrupted.
//
// When the context ends, Fit finishes the step, saves a checkpoint and returns the cause of the context.
func (s *Study) Fit(ctx context.Context, run *rundir.Run) (*rundir.Progress, error) {
	return with(s, "fit", func(st *study.Study) (*rundir.Progress, error) { return tune.Fit(ctx, st, run) })
}

// LoadTuned reads the tuned model of a finished run; nil where training changed readouts only.
func (s *Study) LoadTuned(ctx context.Context, run *rundir.Run) (*Tuned, error) {
	return with(s, "load tuned model", func(st *study.Study) (*Tuned, error) { return st.LoadTuned(ctx, run) })
}

// Baseline scores every layer of the untuned model, for several comparisons with tuned models.
func (s *Study) Baseline(ctx context.Context) (*Baseline, error) {
	return with(s, "score baseline", func(st *study.Study) (*Baseline, error) { return evaluate.NewBaseline(ctx, st) })
}

// Evaluate scores the untuned model on the test rows and, where tuned is not nil, the tuned model and the best
// layer of the untuned one. It writes summary.json and the scores of each voxel to dir; "" writes nothing.
func (s *Study) Evaluate(ctx context.Context, tuned *Tuned, dir string) (*results.Summary, error) {
	return with(s, "evaluate", func(st *study.Study) (*results.Summary, error) {
		return evaluate.Evaluate(ctx, st,
			tuned, dir)
	})
}

// EvaluateRun scores a finished run and writes eval/ of its directory.
func (s *Study) EvaluateRun(ctx context.Context, run *rundir.Run) (*results.Summary, error) {
	return with(s, "evaluate run", func(st *study.Study) (*results.Summary, error) {
		return evaluate.EvaluateRun(ctx,
			st, run)
	})
}

// ScoreAdapters scores a weighted sum of the adapters of finished runs, at several scales of the sum.
func (s *Study) ScoreAdapters(ctx context.Context, sum []results.WeightedAdapter,
	scales []float64) (*results.AdapterScores, error) {
	return with(s, "score adapters", func(st *study.Study) (*results.AdapterScores,
		error) {
		return evaluate.ScoreAdapters(ctx, st, sum, scales)
	})
}

// Plan measures this machine on pieces of the study and estimates time, memory and disk of training and evaluation,
// and the minimum detectable difference on the test rows.
func (s *Study) Plan(ctx context.Context) (*plan.Plan, error) {
	return with(s, "plan", func(st *study.Study) (*plan.Plan, error) { return planning.Estimate(ctx, st) })
}

// LockAnalysis writes the analysis plan of the study before training: endpoints, and hashes of splits and ROIs.
func (s *Study) LockAnalysis(ctx context.Context, e results.Endpoints) (*results.AnalysisPlan, error) {
	return with(s, "lock analysis", func(st *study.Study) (*results.AnalysisPlan,
		error) {
		return evaluate.LockAnalysis(ctx, st, e)
	})
}

// Compare compares finished runs by the predictions that their evaluations saved, without data set or model.
// Runs with other subjects, test rows, ROIs or responses are refused with the difference.
func Compare(ctx context.Context, dirs []string, opt results.CompareOptions) (*results.Comparison, error) {
	return evaluate.Compare(ctx, dirs, opt)
}
