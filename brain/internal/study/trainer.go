package study

import (
	"context"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Adapted is a view of the study's model with an adapter, whose pairs are drawn with a seed if they are new.
func (st *Study) Adapted(ctx context.Context, a *peft.Adapter, seed uint64) (view *wavlm.Model, err error) {
	mode := torch.Mode{Seed: seed, Device: st.Model.Session().Device, Compute: st.Model.Session().Compute}
	err = torch.Do(ctx, mode, func(s *torch.Scope) error {
		view, err = st.Model.View(s, a, a.Store())
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, w := range a.Warnings() {
		st.Note("adapter: %s", w)
	}
	return view, a.Check()
}

// AdapterConfig turns the experiment's adapter into PEFT's terms. Layers that are never run are not adapted.
func AdapterConfig(exp *experiment.Experiment, cfg wavlm.Config) peft.Config {
	method := &peft.LoRA{R: exp.Adapter.R, Alpha: exp.Adapter.Alpha, Dropout: exp.Adapter.Dropout, RSLoRA: exp.Adapter.Type == "rslora"}
	c := peft.Config{Method: method, BaseModel: exp.Model.Path, LayersToTransform: exp.Adapter.Layers}
	if c.LayersToTransform == nil {
		for l := range exp.Model.Layer {
			c.LayersToTransform = append(c.LayersToTransform, l)
		}
	}
	c.TargetModules = peft.Targets(exp.Adapter.Targets...)
	if strings.EqualFold(c.TargetModules.Pattern, "all-linear") { // spelt out, since a pattern knows no layers
		c.TargetModules = peft.Targets("q_proj", "k_proj", "v_proj", "out_proj", "intermediate_dense", "output_dense",
			"feature_projection.projection")
		if cfg.Family == wavlm.WavLM {
			c.TargetModules.List = append(c.TargetModules.List, "gru_rel_pos_linear")
		}
	}
	return c
}

// Block cuts rows and columns out of the responses: (to-from, len(columns)).
func (r *Response) Block(from, to int, columns []int, voxels int) []float32 {
	out := make([]float32, 0, (to-from)*len(columns))
	for k := from; k < to; k++ {
		row := r.Data[k*voxels : (k+1)*voxels]
		for _, c := range columns {
			out = append(out, row[c])
		}
	}
	return out
}
