package study

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// StoriesOf returns the stories with rows of any subject in one of the splits, in the data set's order.
func (st *Study) StoriesOf(splits ...Split) []string { return st.StoriesIn(st.Subjects, splits...) }

// StoriesIn is StoriesOf for some of the subjects.
func (st *Study) StoriesIn(subjects []*Subject, splits ...Split) (out []string) {
	for _, story := range st.Stories {
		for _, p := range subjects {
			for _, split := range splits {
				for _, r := range p.Parts[split] {
					if r.Story == story && !slices.Contains(out, story) {
						out = append(out, story)
					}
				}
			}
		}
	}
	return out
}

// RidgeOptions returns the options of the ridge behind every score.
func (st *Study) RidgeOptions() ridge.Options {
	exp := st.Experiment
	return ridge.Options{Alphas: exp.Eval.Alphas, Boots: exp.Eval.Boots, ChunkRows: exp.Eval.ChunkRows,
		HeldOut: exp.Eval.HeldOut,
		Chunks:  st.heldOut, WholeChunks: exp.Eval.Chunks == "whole", Metric: metrics[exp.Eval.Metric],
		SmallerTies: exp.Eval.Ties == "smaller", NoIntercept: !exp.Eval.Intercept,
		Seed: exp.Train.Seed, Device: st.Model.Session().Device, Bytes: st.ridgeBytes}
}

var metrics = map[string]ridge.Metric{"r": ridge.R, "r2": ridge.R2,
	"signed_root": ridge.SignedRoot}

// readFolds reads the file of eval.held_out_chunks, if one is given.
func (st *Study) readFolds(context.Context) error {
	path := st.Experiment.Eval.HeldOutChunks
	if path == "" {
		return nil
	}
	if err := jsonfile.Read("read folds", path, &st.heldOut); err != nil {
		return err
	}
	if len(st.heldOut) == 0 {
		return fault.New(fault.BadData, "read folds", path, "holds out nothing").
			WithHint("give the chunks of each fold, such as [[2], [0, 3]]")
	}
	return nil
}

// ScoredLayer returns the hidden state behind the scores; nil where each voxel has its own or a stack.
func (st *Study) ScoredLayer() *int {
	if st.Experiment.Eval.Layer != experiment.EvalLayerModel {
		return nil
	}
	return &st.Experiment.Model.Layer
}

// ScoredLayers returns the hidden states behind the scores: model.layer, or all up to it where each voxel has its own
// or a stack of them.
func (st *Study) ScoredLayers() []int {
	layers := []int{st.Experiment.Model.Layer}
	for l := st.Experiment.Model.Layer - 1; l >= 0 && st.Experiment.Eval.Layer != experiment.EvalLayerModel; l-- {
		layers = append([]int{l}, layers...)
	}
	return layers
}

// SameRows groups subjects whose rows agree in every split, by their indices.
func SameRows(subjects []*Subject) (groups [][]int) {
	at := map[string]int{}
	for i, p := range subjects {
		key := fmt.Sprint(p.Parts)
		if k, ok := at[key]; ok {
			groups[k] = append(groups[k], i)
			continue
		}
		at[key] = len(groups)
		groups = append(groups, []int{i})
	}
	return groups
}
