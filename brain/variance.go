package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Band is a set of features that a ridge may be given beside others: a layer of a model, or regressors.
type Band struct {
	Name  string
	Model *wavlm.Model // with Layer
	Layer int
	Of    Regressor // instead of a model; asked without a person
}

// Explained is the share of the variance of test rows that predictions explain: R² = 1 - Σ(y-ŷ)²/Σ(y-ȳ)² of each voxel
// that varies, below 0 where they do harm, averaged over voxels and then people.
type Explained struct {
	R2    float64
	Cells []Cell // of each person and story
}

// Cell is R² over the test rows of one person in one story.
type Cell struct {
	Person, Story string
	R2            float64
}

// BestLayerIndex is the untuned model's layer that validation likes best.
func (b *Baseline) BestLayerIndex() int { return b.bestLayer }

// Variance explains the test rows by sets of bands, each set given to one ridge together; sets list places in bands. What
// two sets explain and only one has a band in is what that band explains uniquely. Columns are standardised, and each band
// of a set has a penalty of its own for each voxel: of so many tries (0: 20; 1: one penalty for all bands, with which a wide
// band weighs more than a narrow one) the one whose R² on held-out training rows is best. Sets of as many bands try the same.
func (st *Study) Variance(ctx context.Context, bands []Band, sets [][]int, tries int) ([]Explained, error) {
	groups, err := st.groups(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := st.look("explained variance", st.people, groups); err != nil {
		return nil, err
	}
	stories := st.storiesOf(Train, Test)
	features := make([]rowFeatures, len(bands))
	for i, b := range bands {
		if b.Model == nil {
			if features[i], err = st.regressors(ctx, "", b.Of, stories); err != nil {
				return nil, err
			}
			continue
		}
		f, err := st.read(ctx, st.reader(b.Model), "read "+b.Name, stories, b.Layer)
		if err != nil {
			return nil, err
		}
		features[i] = f[0]
	}
	out := make([]Explained, len(sets))
	for k, set := range sets {
		st.opt.Progress(Event{Phase: "explain", Done: k, Total: len(sets)})
		var own []ridge.Band
		joint := rowFeatures{rows: map[string][]float32{}, options: func(o *ridge.Options) {
			if o.Select = ridge.R2; len(own) > 1 {
				o.Bands, o.Tries = own, tries
			}
		}}
		for _, story := range stories {
			var xs [][]float32
			var widths []int
			joint.width, own = 0, nil
			for _, i := range set {
				xs, widths = append(xs, features[i].rows[story]), append(widths, features[i].width)
				own = append(own, ridge.Band{From: joint.width, To: joint.width + features[i].width})
				joint.width += features[i].width
			}
			joint.rows[story] = besides(xs, widths, st.stimuli[story].rows)
		}
		predicted, err := st.predict(ctx, st.people, []rowFeatures{joint}, Test)
		if err != nil {
			return nil, err
		}
		out[k] = st.explained(predicted)
	}
	st.opt.Progress(Event{Phase: "explain", Done: len(sets), Total: len(sets)})
	return out, nil
}

// regressors are the features that a person's regressors make of stories, as many rows as the stories have.
func (st *Study) regressors(ctx context.Context, person string, of Regressor, stories []string) (rowFeatures, error) {
	f := rowFeatures{rows: map[string][]float32{}}
	for _, story := range stories {
		x, columns, err := of(ctx, person, story)
		if err != nil {
			return f, err
		}
		stim := st.stimuli[story]
		x = x[:stim.rows*columns]
		z := design.FitZScore(x, stim.rows, columns, stim.statistics...)
		f.width = columns * len(st.delays)
		f.rows[story] = design.FIR(z.Apply(x), stim.rows, columns, st.delays)
	}
	return f, nil
}

// explained compares predictions of the test rows with what was measured.
func (st *Study) explained(predicted []prediction) (out Explained) {
	for i, p := range st.people {
		want, rows := p.want(Test)
		out.R2 += r2(predicted[i].pred, want, rows, p.voxels) / float64(len(st.people))
		from := 0
		for _, part := range p.parts[Test] {
			to := from + part.To - part.From
			c := Cell{p.name, part.Story, r2(predicted[i].pred[from*p.voxels:to*p.voxels], want[from*p.voxels:to*p.voxels], to-from, p.voxels)}
			out.Cells = append(out.Cells, c)
			from = to
		}
	}
	return out
}

// r2 is the mean R² of the columns (rows, voxels) that vary.
func r2(pred, want []float32, rows, voxels int) float64 {
	sum, count := 0., 0
	for v, varying := range varies(want, rows, voxels) {
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
