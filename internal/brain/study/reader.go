package study

import (
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
)

// Reader returns a reader of windows for a model: the study's, a tuned view of it, or another of
// its shape and front end.
func (st *Study) Reader(model speech.Encoder) *windows.Reader {
	exp := st.Experiment
	r := &windows.Reader{Model: model, Frozen: st.Frozen, Pooling: exp.Model.Pooling}
	r.Pass.Regularise = speech.Regularise{Hidden: exp.Train.Dropout, Attention: exp.Train.Dropout,
		Projection: exp.Train.Dropout,
		LayerDrop:  exp.Train.LayerDrop, Time: speech.Spans{Prob: exp.Train.SpecAugment, Length: 10, Min: 2}}
	r.Unit = windows.UnitClips(exp.Model, exp.Train.UnitWindows)
	if model.Store() == st.Model.Store() {
		depth := model.FrozenDepth(model.Adapted()...)
		r.Shared = max(depth, 0)
		if depth < 0 { // an adapter in the front end
			r.Frozen = &windows.Frozen{Model: model, Normalise: st.Frozen.Normalise, Half: st.Frozen.Half}
		}
	}
	if model.Store() != st.Model.Store() && trainsFrontEnd(exp) {
		r.Frozen, r.TrainsFront = &windows.Frozen{Model: model, Normalise: st.Frozen.Normalise}, true
	}
	r.CacheDepth = st.cacheDepth(r)
	return r
}

// cacheDepth is the depth of the frames that are cached, such that training, validation and
// evaluation share them. For the untuned model the depth follows from the layers that the
// experiment tunes; -1 if there are none.
func (st *Study) cacheDepth(r *windows.Reader) int {
	switch {
	case r.Stochastic():
		return 0
	case r.Shared <= r.Model.Architecture().Layers:
		return r.Shared
	}
	return st.frozenDepth
}

// AllLayers lists the hidden states of the model: 0 to the number of its layers.
func (st *Study) AllLayers() []int {
	layers := make([]int, st.Model.Architecture().Layers+1)
	for l := range layers {
		layers[l] = l
	}
	return layers
}

// OtherUnits returns a reader of the untuned model that reads it as a tuned one is read, without a cache and with
// another number of clips at once than train.unit_windows gives. Its results differ from those of [Study.Reader] by
// the rounding of the arithmetic alone.
func (st *Study) OtherUnits() *windows.Reader {
	r := st.Reader(st.Model)
	r.Frozen = &windows.Frozen{Model: st.Model, Normalise: st.Frozen.Normalise, Half: st.Frozen.Half}
	r.Shared = max(st.frozenDepth, 0)
	r.CacheDepth = r.Shared
	other := r.Unit/2 + 1
	if other == r.Unit {
		other++
	}
	r.Unit = other
	return r
}
