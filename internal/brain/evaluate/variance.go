package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/speech"
)

// Band is a feature space of a banded ridge: a layer of a model, or regressors.
type Band struct {
	Name  string
	Model speech.Encoder // with Layer
	Layer int
	Of    encoding.Regressor // instead of a model; called without a subject
}

// Explained is the explained variance of test rows: R² = 1 - Σ(y-ŷ)²/Σ(y-ȳ)² of each voxel that
// varies, averaged over voxels, then over subjects. It is negative where the mean predicts better.
type Explained struct {
	R2    float64
	Cells []StoryR2 // of each subject and story
}

// StoryR2 is R² over the test rows of one subject in one story.
type StoryR2 struct {
	Subject, Story string
	R2             float64
}

// BestLayerIndex returns the untuned model's layer with the best validation score.
func (b *Baseline) BestLayerIndex() int { return b.bestLayer }

// Variance returns the explained variance of each set of bands, fitted by one banded ridge per set;
// a set holds indices of bands. The unique variance of a band is the difference between a set with
// it and the set without it. Columns are standardised. Each band of a set has a penalty for each
// voxel, chosen from tries random draws (0: 20) by R² on held-out training rows. With one try all
// bands share a penalty, and a wide band weighs more than a narrow one. Sets with equal numbers of
// bands use the same draws.
func Variance(ctx context.Context, st *study.Study, bands []Band, sets [][]int, tries int) ([]Explained, error) {
	groups, err := st.Groups(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := recordTestRead(st, "explained variance", st.Subjects, groups); err != nil {
		return nil, err
	}
	stories := st.StoriesOf(study.Train, study.Test)
	features := make([]encoding.RowFeatures, len(bands))
	for i, b := range bands {
		if b.Model == nil {
			if features[i], err = encoding.Regressors(ctx, st, "", b.Of, stories); err != nil {
				return nil, err
			}
			continue
		}
		f, err := encoding.Read(ctx, st, st.Reader(b.Model), progress.Read(b.Name), stories, b.Layer)
		if err != nil {
			return nil, err
		}
		features[i] = f[0]
	}
	out := make([]Explained, len(sets))
	for k, set := range sets {
		st.Options.Progress(progress.Event{Phase: progress.Explain, Done: k, Total: len(sets)})
		var own []ridge.Band
		joint := encoding.RowFeatures{Delays: []int{0}, Rows: map[string][]float32{}, Options: func(o *ridge.Options) {
			if o.Metric = ridge.R2; len(own) > 1 {
				o.Bands, o.Tries = own, tries
			}
		}}
		for _, story := range stories {
			var xs [][]float32
			var widths []int
			joint.Width, own = 0, nil
			for _, i := range set {
				rows := design.Rows{Story: story, To: st.Stimuli[story].Rows} // bands are delayed, one after the other
				xs, widths = append(xs, features[i].Of(rows)), append(widths, features[i].Width)
				own = append(own, ridge.Band{From: joint.Width, To: joint.Width + features[i].Width})
				joint.Width += features[i].Width
			}
			joint.Rows[story] = encoding.Besides(xs, widths, st.Stimuli[story].Rows)
		}
		predicted, err := encoding.Predict(ctx, st, st.Subjects, []encoding.RowFeatures{joint}, study.Test)
		if err != nil {
			return nil, err
		}
		if out[k], err = explained(ctx, st, predicted); err != nil {
			return nil, err
		}
	}
	st.Options.Progress(progress.Event{Phase: progress.Explain, Done: len(sets), Total: len(sets)})
	return out, nil
}

// explained returns R² of predictions of the test rows.
func explained(ctx context.Context, st *study.Study, predicted []encoding.Prediction) (out Explained, err error) {
	for i, p := range st.Subjects {
		want, rows, err := p.ReadSplit(ctx, study.Test)
		if err != nil {
			return out, err
		}
		out.R2 += R2(predicted[i].Pred, want, rows, p.Voxels) / float64(len(st.Subjects))
		from := 0
		for _, part := range p.Parts[study.Test] {
			to := from + part.To - part.From
			c := StoryR2{p.Name, part.Story, R2(predicted[i].Pred[from*p.Voxels:to*p.Voxels],
				want[from*p.Voxels:to*p.Voxels], to-from, p.Voxels)}
			out.Cells = append(out.Cells, c)
			from = to
		}
	}
	return out, nil
}

// R2 is the mean R² of the columns (rows, voxels) that vary.
func R2(pred, want []float32, rows, voxels int) float64 {
	sum, count := 0., 0
	for v, varying := range study.Varies(want, rows, voxels) {
		if !varying {
			continue
		}
		mean, off, all := 0., 0., 0.
		for k := range rows {
			mean += float64(want[k*voxels+v]) / float64(rows)
		}
		for k := range rows {
			y := float64(want[k*voxels+v])
			off += (y - float64(pred[k*voxels+v])) * (y - float64(pred[k*voxels+v]))
			all += (y - mean) * (y - mean)
		}
		sum += 1 - off/all
		count++
	}
	return sum / float64(max(count, 1))
}
