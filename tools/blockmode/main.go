// Command blockmode measures how far extraction by chunks is from exact windows: features, ridge
// and tuned scores, and time, on simulated subjects and on Alice. It prints the tables of
// docs/chunks.md.
//
//	go run ./tools/blockmode --seeds 16,17 --alice ../shared/data/alice
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/internal/brain/planning"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

func main() {
	seeds := flag.String("seeds", "16,17", "simulated worlds")
	alice := flag.String("alice", "", "folder of Alice's data set; none: simulated subjects only")
	flag.Parse()
	if err := measure(context.Background(), *seeds, *alice); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// setting is one way of cutting windows.
type setting struct {
	name           string
	window, stride float64
	pooling        experiment.Pooling
	downsample     experiment.Downsample
	epochs         int // 0: the untuned model alone
}

// settings are the demo's, and that of the authors' release with a longer stride.
var settings = []setting{
	{"2 s, mean of frames", sim.TR, sim.TR, "mean", "average", 6},
	{"4 s every 1 s, last frame", 4, 1, "last", "lanczos", 0},
}

// blocks are the lengths of clips; 0 stands for exact windows.
var blocks = []float64{0, 8, 32}

// result is what one training gave.
type result struct {
	fidelity    *plan.Fidelity // nil for exact windows
	base, tuned float64        // of all voxels; tuned is NaN without a training
	semantic    float64        // gain of the region, where there is one
	seconds     float64        // of the training
}

func measure(ctx context.Context, seeds, alice string) error {
	dir, err := os.MkdirTemp("", "blockmode")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := sim.WriteNano(filepath.Join(dir, "model")); err != nil {
		return err
	}
	fmt.Println("| subjects | windows | chunk | r of features, by layer | base r | tuned r | Δr | Δr, semantic | " +
		"training |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for text := range strings.SplitSeq(seeds, ",") {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return err
		}
		for _, s := range settings {
			for _, block := range blocks {
				r, err := simulated(ctx, dir, seed, s, block)
				if err != nil {
					return err
				}
				r.print(fmt.Sprintf("simulated, seed %d", seed), s.name, block)
			}
		}
	}
	if alice == "" {
		return nil
	}
	for _, block := range blocks {
		r, err := onAlice(ctx, dir, alice, block)
		if err != nil {
			return err
		}
		r.print("Alice, mean of 27", "1 s, mean of frames", block)
	}
	return nil
}

func (r *result) print(subjects, windows string, block float64) {
	clip, layers := "exact", "1"
	if block > 0 {
		clip, layers = fmt.Sprintf("%g s", block), ""
		for _, v := range r.fidelity.R {
			layers += fmt.Sprintf("%.3f ", v)
		}
	}
	if math.IsNaN(r.tuned) {
		fmt.Printf("| %s | %s | %s | %s | %.3f | | | | |\n", subjects, windows, clip, strings.TrimSpace(layers), r.base)
		return
	}
	fmt.Printf("| %s | %s | %s | %s | %.3f | %.3f | %+.3f | %+.3f | %.0f s |\n", subjects, windows, clip,
		strings.TrimSpace(layers), r.base, r.tuned, r.tuned-r.base,
		r.semantic, r.seconds)
}

// simulated tunes on a subject of a small simulated study.
func simulated(ctx context.Context, dir string, seed uint64, s setting, block float64) (*result, error) {
	world, err := sim.New(sim.Options{Seed: seed, TuneStories: 10, ValStories: 3, TestStories: 6, Rows: 40, Voxels: 120,
		ValRepeats: 3})
	if err != nil {
		return nil, err
	}
	e := experiment.Default()
	e.Model = experiment.Model{Path: filepath.Join(dir, "model"), Layer: 3, WindowSeconds: s.window,
		StrideSeconds: s.stride, Extraction: experiment.ExtractWindows,
		ChunkSeconds: 32, Pooling: s.pooling, Normalise: experiment.NormaliseStory, Downsample: s.downsample}
	e.Adapter.R, e.Adapter.Alpha = 8, 16
	e.Data.Path, e.Data.Subjects, e.Data.Trim = "simulated", []string{sim.Listener}, [2]int{}
	e.Data.Train, e.Data.Val, e.Data.Test = world.TuneStories, world.ValStories, world.TestStories
	e.Readout.Bottleneck, e.Readout.DelaysSeconds = 64, []float64{4, 6}
	e.Train.Loss, e.Train.Epochs, e.Train.BlockRows = "temporal", max(s.epochs, 1), 20
	e.Train.LR, e.Train.ReadoutLR, e.Train.Seed = 2e-3, 2e-3, seed
	e.Eval.Alphas, e.Eval.ChunkRows, e.Eval.Boots = []float64{10, 30, 100, 300}, 40, 2
	return train(ctx, dir, e, world.Dataset, block, s.epochs > 0)
}

// onAlice tunes on the mean subject of Alice. The splits leave gaps as clips of 32 s need them.
func onAlice(ctx context.Context, dir, path string, block float64) (*result, error) {
	data, err := dataset.Open(path)
	if err != nil {
		return nil, err
	}
	e := experiment.Default()
	e.Model = experiment.Model{Path: filepath.Join(dir, "model"), Layer: 1, WindowSeconds: 1, StrideSeconds: 1,
		Extraction: experiment.ExtractWindows, ChunkSeconds: 32,
		Pooling: experiment.PoolMean, Normalise: experiment.NormaliseAuto, Downsample: experiment.DownsampleAverage}
	e.Data.Path, e.Data.Subjects = path, []string{"group"}
	e.Data.Train, e.Data.Val, e.Data.Test = []string{"alice[10:160]"}, []string{"alice[200:225]"},
		[]string{"alice[265:362]"}
	e.Train.Epochs, e.Train.LR, e.Train.ReadoutLR = 5, 3e-4, 1e-3
	e.Eval.Alphas, e.Eval.ChunkRows, e.Eval.Boots = []float64{1, 2.15, 4.64, 10, 21.5, 46.4, 100, 215, 464, 1000}, 20,
		20
	return train(ctx, dir, e, data, block, true)
}

// train trains, if it is to, and scores, in clips of block seconds or, if that is 0, in exact windows.
func train(ctx context.Context, dir string, e *experiment.Experiment, data *dataset.Dataset, block float64,
	tune bool) (*result, error) {
	e.Device = "cpu"
	if block > 0 {
		e.Model.Extraction, e.Model.ChunkSeconds = "chunks", block
	}
	var err error
	if e.Out, err = os.MkdirTemp(dir, "run"); err != nil {
		return nil, err
	}
	e.Out = filepath.Join(e.Out, "run")
	model, err := wavlm.Load(ctx, e.Model.Path, speech.Options{})
	if err != nil {
		return nil, err
	}
	defer model.Close()
	st, err := brain.New(ctx, e, data, model, brain.Options{})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	r := &result{tuned: math.NaN()}
	if block > 0 {
		layers := make([]int, model.Architecture().Layers+1)
		for l := range layers {
			layers[l] = l
		}
		stories, _ := st.Internal().StoryRows()
		if r.fidelity, err = planning.MeasureFidelity(ctx, st.Internal(), stories[0], 120, layers...); err != nil {
			return nil, err
		}
	}
	if !tune {
		s, err := st.Evaluate(ctx, nil, "")
		if err != nil {
			return nil, err
		}
		r.base = s.Test.Base.MeanR
		return r, nil
	}
	run, err := st.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	start := time.Now()
	if _, err = st.Fit(ctx, run); err != nil {
		return nil, err
	}
	r.seconds = time.Since(start).Seconds()
	s, err := st.EvaluateRun(ctx, run)
	if err != nil {
		return nil, err
	}
	r.base, r.tuned, r.semantic = s.Test.Base.MeanR, s.Test.Tuned.MeanR, s.Test.Delta.ROIs[sim.Semantic].MeanR
	return r, nil
}
