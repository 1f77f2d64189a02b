package study

import (
	"context"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
)

// Adapted returns a view of the study's model with an adapter.
func (st *Study) Adapted(ctx context.Context, a *peft.Adapter) (speech.Encoder, error) {
	view, err := st.Model.WithAdapter(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, w := range a.Warnings() {
		st.Note("adapter: %s", w)
	}
	return view, nil
}

// AdapterConfig returns the experiment's adapter in PEFT's terms. Layers that are never run are not adapted.
func AdapterConfig(exp *experiment.Experiment, model speech.Encoder, seed uint64) peft.Config {
	method := &peft.LoRA{R: exp.Adapter.R, Alpha: exp.Adapter.Alpha, Dropout: exp.Adapter.Dropout,
		RSLoRA: exp.Adapter.Type == "rslora"}
	c := peft.Config{Method: method, BaseModel: exp.Model.Path, LayersToTransform: exp.Adapter.Layers, Seed: seed}
	if c.LayersToTransform == nil {
		for l := range exp.Model.Layer {
			c.LayersToTransform = append(c.LayersToTransform, l)
		}
	}
	names := exp.Adapter.Targets
	if len(names) == 1 {
		if known := model.Targets(speech.Targets(names[0])); known != nil {
			names = known
		}
	}
	c.TargetModules = peft.Targets(names...)
	if list, number := cutNumber(model.LinearLayers()); number == 1 { // without a pattern, PEFT wants more before it
		c.LayersPattern = []string{list}
	}
	return c
}

// cutNumber finds the first name that has the number of a layer, and returns what stands before the number and at which
// place of the name it stands, such as "layers" and 1 for layers.0.up; 0 if no name has one.
func cutNumber(names []string) (before string, at int) {
	for _, name := range names {
		parts := strings.Split(name, ".")
		for i := 1; i < len(parts); i++ {
			if _, err := strconv.Atoi(parts[i]); err == nil {
				return parts[i-1], i
			}
		}
	}
	return "", 0
}

// tunedNames returns the names of the layers or parameters of the model that the experiment tunes.
func tunedNames(exp *experiment.Experiment, model speech.Encoder) (names []string, err error) {
	switch exp.Train.Mode {
	case experiment.TrainLoRA:
		return AdapterConfig(exp, model, 0).Select(model.LinearLayers())
	case experiment.TrainFull:
		for name := range model.Store().Params() {
			if TrainedInFull(exp, model, name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// TrainedInFull reports whether train.mode full trains a parameter of a model: those that the family trains, and with
// train.convolutions those of the front end.
func TrainedInFull(exp *experiment.Experiment, model speech.Encoder, name string) bool {
	return model.TrainedInFull(name) || exp.Train.Convolutions && model.FrozenDepth(name) < 0
}

// trainsFrontEnd reports whether the experiment trains the front end.
func trainsFrontEnd(exp *experiment.Experiment) bool {
	return exp.Train.Mode == experiment.TrainFull && exp.Train.Convolutions
}
