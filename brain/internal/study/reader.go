package study

import (
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/internal/windows"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Reader reads windows with a model, which may be a tuned view of the study's, or one of its shape and front end.
func (st *Study) Reader(model *wavlm.Model) *windows.Reader {
	exp := st.Experiment
	r := &windows.Reader{Model: model, Frozen: st.Frozen, Pooling: exp.Model.Pooling}
	r.Pass.Regularise = wavlm.Regularise{Hidden: exp.Train.Dropout, Attention: exp.Train.Dropout, Projection: exp.Train.Dropout,
		LayerDrop: exp.Train.LayerDrop, Time: wavlm.Spans{Prob: exp.Train.SpecAugment, Length: 10, Min: 2}}
	r.Unit = windows.UnitClips(exp.Model, exp.Train.UnitWindows)
	if model.Store() == st.Model.Store() {
		r.Shared = max(model.SharedStates(), 0)
		if model.SharedStates() < 0 { // an adapter in the front end
			r.Frozen = &windows.Frozen{Model: model, Normalise: st.Frozen.Normalise, Half: st.Frozen.Half}
		}
	}
	r.Keep = st.keptDepth(r)
	return r
}

// keptDepth is the depth of the frames that are kept, such that training, validation and evaluation share them. The
// untuned model, to which no depth is too much, so goes by the adapter that there will be; -1 if there will be none.
func (st *Study) keptDepth(r *windows.Reader) int {
	switch train := st.Experiment.Train; {
	case r.Disturbed():
		return 0
	case r.Shared <= r.Model.Config.Layers:
		return r.Shared
	case train.Mode == experiment.TrainReadout:
		return -1
	case train.Mode == experiment.TrainFull || slices.Contains(st.Experiment.Adapter.Targets, "all-linear"):
		return 0
	case len(st.Experiment.Adapter.Layers) > 0:
		return slices.Min(st.Experiment.Adapter.Layers) + 1
	}
	return 1
}
