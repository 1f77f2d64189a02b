// Command strategies compares ways to tune on simulated subjects, and LoRA with full fine-tuning:
// docs/results/strategies.md.
//
//	go run ./tools/strategies --out DIR --seeds 11,12,13            # every strategy on each seed
//	go run ./tools/strategies --out DIR --seeds 11,… --stability    # LoRA and full tuning at three learning rates
//	go run ./tools/strategies --out DIR --table                     # what has been found so far, as Markdown
//
// Each result is a line of DIR/results.jsonl; what is there is not done again.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// size is that of each simulated study: a quarter of the demo's, so that all strategies take minutes.
var size = sim.Options{TuneStories: 10, ValStories: 3, TestStories: 6, Rows: 40, Voxels: 120, ValRepeats: 3}

// arm is one way to tune: the settings that differ from whole-cortex tuning with LoRA.
type arm struct {
	name string
	set  []string
}

var strategies = []arm{
	{"whole cortex", nil}, // LoRA at 2e-3
	{"auditory cortex only", []string{"data.roi=auditory", "train.loss=temporal"}},
	{"ROIs balanced", []string{"data.roi_balance=[auditory, semantic]"}},
	{"weighed by reliability", []string{"train.reliability=val"}},
	{"whole cortex, auditory guarded", []string{"train.retain_roi=auditory"}},
	{"auditory cortex only, semantic guarded", []string{"data.roi=auditory", "train.loss=temporal",
		"train.retain_roi=semantic"}},
	{"semantic cortex only", []string{"data.roi=semantic"}},
	{"semantic cortex only, auditory guarded", []string{"data.roi=semantic", "train.retain_roi=auditory"}},
	{"last layer only", []string{"adapter.layers=[2]"}},
	{"layer weights", []string{"readout.layer_weights=voxel", "train.layer_weights_lr=5e-2"}},
	{"full fine-tuning", []string{"train.mode=full", "train.lr=2e-4"}},
	{"temporal loss", []string{"train.loss=temporal"}},
	{"MSE", []string{"train.loss=mse"}},
	{"cosine + L2", []string{"train.loss=cosine_l2"}},
	{"NT-Xent", []string{"train.loss=nt_xent"}},
	{"direct readout", []string{"readout.bottleneck=0"}},
	{"ridge readout", []string{"readout.mode=ridge"}},
}

// stability is LoRA and full fine-tuning at three rates, a factor of four apart. The middle ones are strategies too.
var stability = []arm{
	{"LoRA lr 5e-4", []string{"train.lr=5e-4"}},
	strategies[0],
	{"LoRA lr 8e-3", []string{"train.lr=8e-3"}},
	{"full lr 5e-5", []string{"train.mode=full", "train.lr=5e-5"}},
	{"full fine-tuning", []string{"train.mode=full", "train.lr=2e-4"}},
	{"full lr 8e-4", []string{"train.mode=full", "train.lr=8e-4"}},
}

// result is one training.
type result struct {
	Seed    uint64             `json:"seed"`
	Arm     string             `json:"arm"`
	Base    map[string]float64 `json:"base"` // r by region
	Tuned   map[string]float64 `json:"tuned"`
	Val     []float64          `json:"val_r"` // by epoch
	Chosen  int                `json:"chosen_epoch"`
	Failed  string             `json:"failed,omitempty"`
	Seconds float64            `json:"seconds"`
}

func main() {
	out := flag.String("out", "", "directory")
	seeds := flag.String("seeds", "", "of the simulated studies and trainings")
	only := flag.String("only", "", "regular expression of strategies")
	stable := flag.Bool("stability", false, "LoRA and full tuning at three learning rates")
	table := flag.Bool("table", false, "print what is there")
	var extra experimentSets
	flag.Var(&extra, "set", "key=value for an arm named by --name (for trials)")
	name := flag.String("name", "", "of the arm that --set describes")
	flag.Parse()
	arms := strategies
	if *stable {
		arms = stability
	}
	if *name != "" {
		arms = []arm{{*name, extra}}
	}
	s := &study{out: *out, only: regexp.MustCompile(*only)}
	if err := s.run(context.Background(), *seeds, arms, *table); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type experimentSets []string

func (x *experimentSets) String() string     { return strings.Join(*x, " ") }
func (x *experimentSets) Set(v string) error { *x = append(*x, v); return nil }

type study struct {
	out  string
	only *regexp.Regexp
}

func (s *study) run(ctx context.Context, seeds string, arms []arm, table bool) error {
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	if table {
		results, err := s.results()
		if err == nil {
			printTables(os.Stdout, results)
		}
		return err
	}
	for text := range strings.SplitSeq(seeds, ",") {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return err
		}
		if err := s.seed(ctx, seed, arms); err != nil {
			return err
		}
	}
	return nil
}

// seed runs what is not there yet of one simulated study.
func (s *study) seed(ctx context.Context, seed uint64, arms []arm) error {
	done, err := s.results()
	if err != nil {
		return err
	}
	var todo []arm
	for _, a := range arms {
		there := false
		for _, r := range done {
			there = there || r.Seed == seed && r.Arm == a.name
		}
		if !there && s.only.MatchString(a.name) {
			todo = append(todo, a)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	opt := size
	opt.Seed = seed
	world, err := sim.New(opt)
	if err != nil {
		return err
	}
	path := filepath.Join(s.out, "model")
	if _, err := os.Stat(path); err != nil {
		if err := sim.WriteNano(path); err != nil {
			return err
		}
	}
	model, err := wavlm.Load(ctx, path, speech.Options{})
	if err != nil {
		return err
	}
	defer model.Close()
	first, err := s.experiment(world, seed, nil, "base")
	if err != nil {
		return err
	}
	st, err := brain.New(ctx, first, world.Dataset, model, brain.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	base, err := st.Baseline(ctx)
	if err != nil {
		return err
	}
	for _, a := range todo {
		r, err := s.train(ctx, st, base, world, seed, a)
		if err != nil {
			r.Failed = err.Error()
		}
		if err := s.add(r); err != nil {
			return err
		}
	}
	return nil
}

// experiment is that of the demo, a little shorter, with some settings changed.
func (s *study) experiment(world *sim.Study, seed uint64, set []string, name string) (*experiment.Experiment, error) {
	e := experiment.Default()
	e.Model = experiment.Model{Path: filepath.Join(s.out, "model"), Layer: 3, WindowSeconds: sim.TR,
		StrideSeconds: sim.TR, Extraction: experiment.ExtractWindows, ChunkSeconds: 32, Pooling: experiment.PoolMean,
		Normalise: experiment.NormaliseStory, Downsample: experiment.DownsampleAverage}
	e.Adapter.R, e.Adapter.Alpha = 8, 16
	e.Data.Path, e.Data.Subjects, e.Data.Trim = "simulated", []string{sim.Listener}, [2]int{}
	e.Data.Train, e.Data.Val, e.Data.Test = world.TuneStories, world.ValStories, world.TestStories
	e.Readout.Bottleneck = 64
	e.Train.Loss, e.Train.Epochs, e.Train.BlockRows = "spatial", 6, world.Options.Rows/2
	e.Readout.DelaysSeconds = []float64{4, 6}
	e.Train.LR, e.Train.ReadoutLR, e.Train.Seed = 2e-3, 2e-3, seed
	e.Eval.Alphas, e.Eval.ChunkRows, e.Eval.Boots = []float64{10, 30, 100, 300}, world.Options.Rows, 2
	e.Device = "cpu"
	e.Out = filepath.Join(s.out, fmt.Sprintf("%d-%s", seed, name))
	for _, v := range set {
		if err := e.Set(v); err != nil {
			return nil, err
		}
	}
	return e, e.Validate()
}

// train tunes in one way and scores it.
func (s *study) train(ctx context.Context, st *brain.Study, base *brain.Baseline, world *sim.Study, seed uint64,
	a arm) (result, error) {
	r, start := result{Seed: seed, Arm: a.name}, time.Now()
	e, err := s.experiment(world, seed, a.set, strings.ReplaceAll(a.name, " ", "-"))
	if err != nil {
		return r, err
	}
	v, err := st.Vary(ctx, e)
	if err != nil {
		return r, err
	}
	run, err := v.Begin(ctx)
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(run.Dir)
	defer run.Close()
	p, err := v.Fit(ctx, run)
	if err != nil {
		return r, err
	}
	tuned, err := v.LoadTuned(ctx, run)
	if err != nil {
		return r, err
	}
	defer tuned.Close()
	scored, err := base.Compare(ctx, tuned)
	if err != nil {
		return r, err
	}
	test := scored.Summary.Test
	r.Chosen, r.Base, r.Tuned = p.Epochs[p.Best].Epoch, test.Base.ROIs, test.Tuned.ROIs
	r.Base["all"], r.Tuned["all"] = test.Base.MeanR, test.Tuned.MeanR
	for _, epoch := range p.Epochs {
		r.Val = append(r.Val, epoch.ValR)
	}
	r.Seconds = time.Since(start).Seconds()
	return r, nil
}

func (s *study) file() string { return filepath.Join(s.out, "results.jsonl") }

func (s *study) results() (out []result, err error) {
	f, err := os.Open(s.file())
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (s *study) add(r result) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, string(line))
	f, err := os.OpenFile(s.file(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(append(line, '\n'))
	return err
}
