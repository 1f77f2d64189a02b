package controls

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// PartitionVariance partitions the difference in R² between tuned and untuned model into the parts
// that a better layer, the spectrum, the features of eval.features, the word rate and word vectors explain, and the
// rest. The runs
// must be of one experiment; they may differ in their seeds. Each set of features has a penalty of
// its own for each voxel, chosen among random sets of weights (tries, 0: 20) of a banded ridge.
// glove is as for [probing.LoadVectors]; without it word vectors are left out.
func PartitionVariance(ctx context.Context, of *brain.Study, runs []*rundir.Run, glove string,
	tries int) (*results.VariancePartition, error) {
	st := of.Internal()
	if err := sameExperiment(runs); err != nil {
		return nil, err
	}
	b, err := evaluate.NewBaseline(ctx, st)
	if err != nil {
		return nil, err
	}
	own := st.Experiment.Model.Layer
	bands := []evaluate.Band{{Name: "base", Model: st.Model, Layer: own}}
	components, extra, err := componentsOf(ctx, st, b.BestLayerIndex(), glove)
	if err != nil {
		return nil, err
	}
	out := &results.VariancePartition{Schema: 1, Components: components}
	var x []int // indices of the components' bands
	for _, band := range extra {
		x, bands = append(x, len(bands)), append(bands, band)
	}
	var tuned []int
	for _, run := range runs {
		t, err := st.LoadTuned(ctx, run)
		if err != nil {
			return nil, err
		}
		if t == nil {
			return nil, fault.New(fault.Usage, "variance partition", run.Dir,
				"the run tuned readouts only: its features are the untuned ones")
		}
		defer t.Close()
		tuned = append(tuned, len(bands))
		bands = append(bands, evaluate.Band{Name: "tuned", Model: t.Model, Layer: own})
		out.Runs = append(out.Runs, run.Dir)
	}

	// Given no component, the first, the first two, …, and then each alone.
	given := [][]int{nil}
	for k := range x {
		given = append(given, x[:k+1])
	}
	for k := range x {
		given = append(given, x[k:k+1])
	}
	var sets [][]int
	for _, model := range append([]int{0}, tuned...) {
		for _, g := range given {
			sets = append(sets, append([]int{model}, g...))
		}
	}
	if len(x) > 0 {
		sets = append(sets, x)
	}
	found, err := evaluate.Variance(ctx, st, bands, sets, tries)
	if err != nil {
		return nil, err
	}
	r2 := func(model, g int) float64 { return found[model*len(given)+g].R2 } // model 0 is base
	gain := func(g int) (sum float64) {
		for k := range tuned {
			sum += (r2(k+1, g) - r2(0, g)) / float64(len(tuned))
		}
		return sum
	}
	out.Base, out.DeltaR2 = r2(0, 0), gain(0)
	out.Tuned = out.Base + out.DeltaR2
	k := 0
	for i := range out.Components {
		if c := &out.Components[i]; c.Skipped == "" {
			c.Sequential, c.Alone = gain(k)-gain(k+1), gain(0)-gain(1+len(x)+k)
			k++
		}
	}
	out.Unexplained = gain(len(x))
	rest := 0.
	if len(x) > 0 {
		rest = found[len(found)-1].R2
	}
	out.UniqueBase = r2(0, len(x)) - rest
	out.UniqueTuned = out.UniqueBase + out.Unexplained
	var cells []observation
	for s := range tuned {
		before, after := found[0].Cells, found[(s+1)*len(given)].Cells
		for i, c := range after {
			cells = append(cells, observation{Seed: fmt.Sprint(s), Subject: c.Subject, Story: c.Story,
				Gain: c.R2 - before[i].R2})
		}
	}
	out.Variance = varianceComponents(cells)
	return out, nil
}

// componentsOf returns the components and the bands of those that are not left out.
func componentsOf(ctx context.Context, st *study.Study, best int, glove string) (list []results.PartitionComponent,
	bands []evaluate.Band, err error) {
	type byRows func(ctx context.Context, story string, rows int) ([]float32, int, error)
	regressor := func(of byRows) encoding.Regressor {
		_, rows := st.StoryRows()
		return func(ctx context.Context, _, story string) ([]float32, int, error) { return of(ctx, story, rows[story]) }
	}
	add := func(name, skipped string, band evaluate.Band) {
		list = append(list, results.PartitionComponent{Name: name, Skipped: skipped})
		if skipped == "" {
			bands = append(bands, band)
		}
	}
	layer := ""
	if best == st.Experiment.Model.Layer {
		layer = "no other layer has a better validation score"
	}
	add("layer_choice", layer, evaluate.Band{Name: "best layer", Model: st.Model, Layer: best})
	spectrum := func(ctx context.Context, story string, rows int) ([]float32, int, error) {
		return sound(ctx, st.Data, story, rows)
	}
	add("spectrum", "", evaluate.Band{Name: "spectrum", Of: regressor(spectrum)})
	for _, name := range st.Experiment.Eval.Features {
		add(name, "", evaluate.Band{Name: name, Of: encoding.Own(st, name)})
	}
	story, err := storyWithoutWords(st)
	if err != nil {
		return nil, nil, err
	}
	noWords := ""
	if story != "" {
		noWords = fmt.Sprintf("story %s has no words", story)
	}
	rate := func(ctx context.Context, story string, rows int) ([]float32, int, error) {
		return wordRatePosition(ctx, st.Data, story, rows)
	}
	add("word_rate", noWords, evaluate.Band{Name: "word rate", Of: regressor(rate)})
	if noWords == "" && glove == "" {
		noWords = "no word vectors were given"
	}
	if noWords != "" {
		add("lexical", noWords, evaluate.Band{})
		return list, bands, nil
	}
	vectors, err := loadVectors(ctx, st, glove)
	if err != nil {
		return nil, nil, err
	}
	lexical := func(ctx context.Context, story string, rows int) ([]float32, int, error) {
		return wordVectors(ctx, st.Data, story, rows, vectors)
	}
	add("lexical", "", evaluate.Band{Name: "word vectors", Of: regressor(lexical)})
	return list, bands, nil
}

// sameExperiment returns an error if there are no runs, or if they differ in more than seed and
// directory.
func sameExperiment(runs []*rundir.Run) error {
	if len(runs) == 0 {
		return fault.New(fault.Usage, "variance partition", "", "there are no runs")
	}
	var first []string
	for i, run := range runs {
		exp, err := run.Experiment()
		if err != nil {
			return err
		}
		values := settings(*exp)
		if i == 0 {
			first = values
		}
		if !slices.Equal(first, values) {
			return fault.New(fault.Usage, "variance partition", run.Dir, "differs from %s in more than its seed",
				runs[0].Dir).
				WithHint("name runs of one experiment with several seeds")
		}
	}
	return nil
}

// settings returns the values of an experiment, whatever their origin, without seed and directory.
func settings(exp experiment.Experiment) (out []string) {
	exp.Train.Seed, exp.Out = 0, "any"
	for s := range exp.Settings() {
		out = append(out, s.Key+": "+s.Value)
	}
	return out
}
