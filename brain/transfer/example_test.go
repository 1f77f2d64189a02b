package transfer_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/transfer"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
)

// Two subjects hear tones, and the voxels of both follow their loudness. A model is tuned on each and scored on both.
func Example() {
	dir, err := os.MkdirTemp("", "transfer")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	exp := experiment.Default()
	exp.Model.Path, exp.Model.Layer = filepath.Join(dir, "nano"), 1
	exp.Model.WindowSeconds, exp.Model.StrideSeconds, exp.Model.Pooling = .4, .4, experiment.PoolMean
	exp.Data.Path, exp.Data.Subjects, exp.Data.Trim = dir, []string{"all"}, [2]int{}
	exp.Data.Train, exp.Data.Val, exp.Data.Test = []string{"train"}, []string{"val"}, []string{"test"}
	exp.Readout.DelaysSeconds, exp.Train.Epochs, exp.Train.Loss = []float64{.4}, 1, experiment.LossTemporal
	exp.Eval.ChunkRows, exp.Out = 5, filepath.Join(dir, "out")

	if err := sim.WriteNano(exp.Model.Path); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	model, err := pretrained.Open(ctx, exp.Model.Path, speech.Options{Frozen: true})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	data, err := dataset.New(twoListeners())
	if err != nil {
		log.Fatal(err)
	}
	study, err := brain.New(ctx, exp, data, model, brain.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer study.Close()
	result, err := transfer.Run(ctx, study, transfer.Options{Only: []transfer.Part{transfer.Matrix}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("tuned on and tested on", result.Subjects)
	fmt.Println(len(result.Matrix), "x", len(result.Matrix[0]), "correlations")
	// Output:
	// tuned on and tested on [ada bob]
	// 2 x 2 correlations
}

// twoListeners are 40 rows of each of three stories, and 8 voxels of each subject.
func twoListeners() dataset.Spec {
	const rows, voxels, tr = 40, 8, .4
	rng := rand.New(rand.NewPCG(1, 2))
	spec := dataset.Spec{Name: "tones", TR: tr, RowTime: .5, Subjects: []dataset.Subject{{Name: "ada"}, {Name: "bob"}}}
	for _, name := range []string{"train", "val", "test"} {
		var samples []float32
		var loud []float64
		for range rows {
			loud = append(loud, rng.Float64())
			for n := range int(tr * dataset.SampleRate) {
				samples = append(samples, float32(loud[len(loud)-1]*math.Sin(float64(n)/3)))
			}
		}
		spec.Stories = append(spec.Stories, dataset.Story{Name: name, Audio: dataset.Value(samples)})
		for i := range spec.Subjects {
			var y []float32
			for k := range rows {
				for v := range voxels {
					y = append(y, float32(float64(v-4)*loud[max(k-1, 0)]+.2*rng.NormFloat64()))
				}
			}
			m := dataset.NewMatrix(rows, voxels, y)
			spec.Subjects[i].Responses = append(spec.Subjects[i].Responses,
				dataset.Response{Story: name, Matrix: dataset.Value(m)})
		}
	}
	return spec
}
