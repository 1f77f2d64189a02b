package study

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/torch"
)

const weighVoxels = "weigh voxels"

// weigh sets the weight of each tuned voxel of each subject in the loss and in the validation score
// that chooses the epoch:
//
//	w_v = c_v² · f_v,  or with balanced ROIs R  w_v = Σ_{R∋v} c_v² f_v / Σ_{u∈R} c_u² f_u
//
// with c the ceiling CC_max of train.reliability (else 1) and f the numbers in the file train.weights (else 1).
// Weights are scaled to mean 1.
func (st *Study) weigh(ctx context.Context) error {
	train := st.Experiment.Train
	if train.Reliability == "none" && train.Weights == "" && len(st.Experiment.Data.ROIBalance) == 0 {
		return nil
	}
	for _, p := range st.Subjects {
		w, err := st.voxelWeights(ctx, p)
		if err == nil && len(st.Experiment.Data.ROIBalance) > 0 {
			w, err = st.balanced(ctx, p, w)
		}
		if err != nil {
			return err
		}
		if p.Weights, err = tunedWeights(p, w); err != nil {
			return err
		}
		counted := len(p.Tuned)
		for _, v := range p.Weights {
			if v == 0 {
				counted--
			}
		}
		st.Note("%s: %d of %d tuned voxels have weight in the loss, the largest %.3g times the mean", p.Name, counted,
			len(p.Tuned), slices.Max(p.Weights))
	}
	if text := st.TestRepeats(); text != "" {
		st.Note("%s", text)
	}
	return nil
}

// voxelWeights returns c²·f of all voxels.
func (st *Study) voxelWeights(ctx context.Context, p *Subject) ([]float64, error) {
	train := st.Experiment.Train
	w := make([]float64, p.Voxels)
	for v := range w {
		w[v] = 1
	}
	if i := slices.IndexFunc(Splits, func(s Split) bool { return s.String() == train.Reliability }); i >= 0 {
		c, ok, err := p.reliability(ctx, Splits[i])
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fault.New(fault.BadData, weighVoxels, p.Name,
				"train.reliability: data.%s has no rows with an equal number of repeats", train.Reliability).
				WithHint("name another split, or give a file: train.weights")
		}
		for v, cc := range c.CCMax { // 0 where it is not defined
			w[v] = cc * cc
		}
	}
	if train.Weights == "" {
		return w, nil
	}
	path := FileOf(train.Weights, p.Name)
	a, err := npy.Read(path)
	if err != nil {
		return nil, err
	}
	x, err := a.Float32()
	if err != nil {
		return nil, err
	}
	if len(x) != p.Voxels {
		return nil, fault.New(fault.BadData, weighVoxels, path, "%d numbers, %s has %d voxels", len(x), p.Name,
			p.Voxels)
	}
	for v, f := range x {
		if !(f >= 0) || f-f != 0 {
			return nil, fault.New(fault.BadData, weighVoxels, fmt.Sprintf("%s:%d", path, v),
				"%g is no weight: want a finite number from 0", f)
		}
		w[v] *= float64(f)
	}
	return w, nil
}

// FileOf is the file of a pattern for one subject: {subject} stands for the name.
func FileOf(pattern, subject string) string {
	return strings.ReplaceAll(pattern, "{subject}", subject)
}

// reliability returns the ceiling from the rows of a split that have repeats.
func (p *Subject) reliability(ctx context.Context, split Split) (stats.NoiseCeiling, bool, error) {
	rows := slices.Clone(p.Parts[split])
	for i := len(rows) - 1; i >= 0; i-- {
		if p.Responses.Repeats(rows[i].Story) < 2 {
			rows = slices.Delete(rows, i, i+1)
		}
	}
	return p.ceiling(ctx, p.repeated(split), rows)
}

// balanced scales weights so that each balanced ROI has the same sum.
func (st *Study) balanced(ctx context.Context, p *Subject, w []float64) ([]float64, error) {
	out := make([]float64, p.Voxels)
	for _, name := range st.Experiment.Data.ROIBalance {
		columns, err := Region(ctx, st.Data, name, p.Name, p.Voxels)
		if err != nil {
			return nil, err
		}
		columns = slices.DeleteFunc(columns, func(c int) bool {
			_, tuned := slices.BinarySearch(p.Tuned, c)
			return !tuned
		})
		total := 0.
		for _, c := range columns {
			total += w[c]
		}
		if total == 0 {
			return nil, fault.New(fault.BadData, weighVoxels, name,
				"data.roi_balance: no tuned voxel of %s in this ROI has weight", p.Name).
				WithHint("check data.roi, train.reliability and train.weights, or balance other ROIs")
		}
		for _, c := range columns {
			out[c] += w[c] / total
		}
	}
	return out, nil
}

// tunedWeights returns the weights of the tuned voxels, scaled to mean 1.
func tunedWeights(p *Subject, w []float64) ([]float32, error) {
	total := 0.
	for _, c := range p.Tuned {
		total += w[c]
	}
	if total == 0 {
		return nil, fault.New(fault.BadData, weighVoxels, p.Name, "all weights are 0")
	}
	out := make([]float32, len(p.Tuned))
	for i, c := range p.Tuned {
		out[i] = float32(w[c] * float64(len(out)) / total)
	}
	return out, nil
}

// WeightsIn returns the weights of the tuned voxels as a tensor; nil if all are equal.
func (p *Subject) WeightsIn(s *torch.Scope) *torch.Tensor {
	if p.Weights == nil {
		return nil
	}
	return s.FromFloat32(p.Weights, len(p.Weights))
}

// TunedMean returns the mean r of the tuned voxels, weighted as in the loss; r and constant are of these voxels.
func (p *Subject) TunedMean(r []float64, constant []bool) float64 {
	if p.Weights == nil {
		mean, _ := stats.Mean(r, constant, nil)
		return mean
	}
	sum, total := 0., 0.
	for i, w := range p.Weights {
		if !constant[i] {
			sum, total = sum+float64(w)*r[i], total+float64(w)
		}
	}
	if total == 0 {
		return 0
	}
	return sum / total
}
