package encoding

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// VoxelScores are the validation scores of some of one subject's voxels.
type VoxelScores struct {
	Columns  []int // the voxels, ascending
	R        []float64
	Constant []bool
	Alphas   []float64 // of the ridge
}

// Of returns r of some voxels, ascending, which must be among those that were scored, and which of them are constant.
func (s *VoxelScores) Of(voxels []int) (r []float64, constant []bool) {
	places := make([]int, len(voxels))
	for i, c := range voxels {
		places[i], _ = slices.BinarySearch(s.Columns, c)
	}
	return At(s.R, places), At(s.Constant, places)
}

// Validation scores features on the validation rows, by subject, as train.epoch_by says: some voxels of each subject,
// ascending. Their alphas take the place of cross-validation; nil: none. Each rank of a group scores blocks of the
// voxels, and all get the scores of all, which do not depend on the number of ranks.
func Validation(ctx context.Context, st *study.Study, fs []RowFeatures, voxels [][]int, alphas [][]float64,
	g *dist.Group) ([]VoxelScores, error) {
	x := NewShares(g, voxels)
	mine, given := share(x, voxels), alphas
	if alphas != nil {
		given = share(x, alphas)
	}
	predicted, err := (&fits{st: st, subjects: st.Subjects, features: fs, split: study.Val, alphas: given,
		columns: mine, of: x.voxels}).predict(ctx, [][]RowFeatures{fs})
	if err != nil {
		return nil, err
	}
	score := EpochR(st.Experiment)
	out := make([]VoxelScores, len(st.Subjects))
	for i, p := range st.Subjects {
		if len(mine[i]) == 0 {
			continue
		}
		want, err := p.Scored(study.Val).Of(mine[i]).ReadAll(ctx)
		if err != nil {
			return nil, err
		}
		own := predicted[0][i]
		out[i].Alphas = own.Alphas
		out[i].R, out[i].Constant = score(own.Pred, want, own.Rows, len(mine[i]), p.Parts[study.Val])
	}
	if out, err = x.Gather(out); err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Columns = voxels[i]
	}
	return out, nil
}

// Score returns a score of each voxel from pred and want (rows of all parts, voxels), and which voxels are constant.
type Score func(pred, want []float32, rows, voxels int, parts []design.Rows) (r []float64, constant []bool)

// EpochR returns the score by which an experiment chooses the epoch.
func EpochR(exp *experiment.Experiment) Score {
	if exp.Train.EpochBy == "story_mean" {
		return StoryMeanR
	}
	return PooledR
}

// PooledR returns r of each voxel over all rows of pred and want (rows, voxels), and which voxels are constant.
func PooledR(pred, want []float32, rows, voxels int, _ []design.Rows) (r []float64, constant []bool) {
	return stats.Correlation(pred, want, rows, voxels)
}

// StoryMeanR returns, for each voxel, the mean over the stories of the parts of r over the rows of each, and which
// voxels are constant in all stories. A story in which a voxel is constant does not count.
func StoryMeanR(pred, want []float32, rows, voxels int, parts []design.Rows) (r []float64, constant []bool) {
	r, constant = make([]float64, voxels), make([]bool, voxels)
	counts := make([]float64, voxels)
	for _, one := range StoryR(pred, want, voxels, parts) {
		for v, value := range one.R {
			if !one.Constant[v] {
				r[v], counts[v] = r[v]+value, counts[v]+1
			}
		}
	}
	for v, n := range counts {
		if constant[v] = n == 0; n > 0 {
			r[v] /= n
		}
	}
	return r, constant
}

// StoryScores are the scores of one subject's voxels over the rows of a story.
type StoryScores struct {
	Story    string
	Rows     int
	R        []float64
	Constant []bool
}

// StoryR returns r of each voxel over the rows of each story of the parts, in their order, from pred and want (rows
// of all parts, voxels).
func StoryR(pred, want []float32, voxels int, parts []design.Rows) (out []StoryScores) {
	for _, places := range study.StoryRows(parts) {
		var p, w []float32
		s := StoryScores{Story: places[0].Story}
		for _, r := range places {
			p, w = append(p, pred[r.From*voxels:r.To*voxels]...), append(w, want[r.From*voxels:r.To*voxels]...)
			s.Rows += r.Len()
		}
		s.R, s.Constant = stats.Correlation(p, w, s.Rows, voxels)
		out = append(out, s)
	}
	return out
}

// TunedR is the mean over subjects of the mean r of their tuned voxels, each counted as in the loss.
func TunedR(st *study.Study, scores []VoxelScores) float64 {
	total := 0.
	for i, p := range st.Subjects {
		total += p.TunedMean(scores[i].Of(p.Tuned))
	}
	return total / float64(len(st.Subjects))
}

// Tuned returns the tuned voxels of each subject.
func Tuned(st *study.Study) (columns [][]int) {
	for _, p := range st.Subjects {
		columns = append(columns, p.Tuned)
	}
	return columns
}

// ValidationR is TunedR of features.
func ValidationR(ctx context.Context, st *study.Study, fs []RowFeatures) (float64, error) {
	scores, err := Validation(ctx, st, fs, Tuned(st), nil, nil)
	if err != nil {
		return 0, err
	}
	return TunedR(st, scores), nil
}
