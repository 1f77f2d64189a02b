package planning

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// compareScores fits a ridge to each way's features of the training rows.
func (k *comparison) compareScores(ctx context.Context) error {
	switch rows := rowsOf(k.train); {
	case rows < leastTrainRows:
		k.out.Reason = fmt.Sprintf("scores need %d training rows, and the time for it allows %d", leastTrainRows, rows)
		return nil
	case len(k.subjects) == 0:
		k.out.Reason = "no subject has all of the rows"
		return nil
	case k.val == nil && k.out.Reason == "":
		k.out.Reason = fmt.Sprintf("scores on validation rows need %d of them", leastValRows)
	}
	trainY, valY, err := k.responses(ctx)
	if err != nil {
		return err
	}
	var own [][]float32 // predictions of the first way
	for i, y := range k.ways {
		predicted, err := k.score(ctx, y, i, trainY, valY)
		if err != nil {
			return err
		}
		if i == 0 {
			own = predicted
		} else if k.val != nil {
			if err := k.difference(ctx, y, own, predicted, valY); err != nil {
				return err
			}
		}
	}
	return nil
}

// responses reads the responses of the chosen voxels.
func (k *comparison) responses(ctx context.Context) (train, val [][]float32, err error) {
	read := func(p *study.Subject, columns []int, pieces []*piece) ([]float32, error) {
		var rows []design.Rows
		for _, x := range pieces {
			rows = append(rows, x.rows)
		}
		return p.Read(ctx, columns, rows...)
	}
	for i, p := range k.subjects {
		y, err := read(p, k.columns[i], k.train)
		if err != nil {
			return nil, nil, err
		}
		train = append(train, y)
		if k.val == nil {
			continue
		}
		if y, err = read(p, k.columns[i], k.val); err != nil {
			return nil, nil, err
		}
		val = append(val, y)
	}
	return train, val, nil
}

// score sets the scores of a way, and returns its predictions of the validation rows.
func (k *comparison) score(ctx context.Context, y *way, i int, trainY, valY [][]float32) (out [][]float32, err error) {
	stack := func(fs []*features) (x []float32) {
		for _, f := range fs {
			x = append(x, f.design...)
		}
		return x
	}
	rows, valRows := rowsOf(k.train), rowsOf(k.val)
	x, held := stack(k.trainX[i]), stack(k.valX[i])
	opt := k.st.RidgeOptions()
	opt.Metric, opt.Chunks, opt.ChunkRows = ridge.R, nil, max(1, min(opt.ChunkRows, rows/6)) // of few rows
	train, val := 0., 0.
	for s := range k.subjects {
		m, err := ridge.Fit(ctx, x, trainY[s], rows, opt)
		if err != nil {
			return nil, err
		}
		if m.Scores != nil { // of several penalties
			r, _ := stats.Mean(m.Scores, m.Constant, nil)
			train += r / float64(len(k.subjects))
			y.row.TrainR = &train
		}
		if k.val == nil {
			continue
		}
		pred, err := m.Predict(ctx, held, valRows)
		if err != nil {
			return nil, err
		}
		scores, constant := stats.Correlation(pred, valY[s], valRows, m.Voxels)
		r, _ := stats.Mean(scores, constant, nil)
		val += r / float64(len(k.subjects))
		out = append(out, pred)
	}
	if k.val != nil {
		y.row.ValR = &val
	}
	return out, nil
}

// difference sets the difference of the validation scores of two ways, with its interval over blocks of rows.
func (k *comparison) difference(ctx context.Context, y *way, own, other, want [][]float32) error {
	var subjects []stats.Subject
	for s := range k.subjects {
		n := len(k.columns[s])
		one := stats.Subject{Voxels: n}
		at := 0
		for i, p := range k.val {
			from, to := at*n, (at+p.rows.Len())*n
			one.Stories = append(one.Stories, stats.Story{Name: fmt.Sprint(p.rows.Story, i), Rows: p.rows.Len(),
				Responses: want[s][from:to], Base: own[s][from:to], Tuned: other[s][from:to]})
			at += p.rows.Len()
		}
		subjects = append(subjects, one)
	}
	r, err := stats.PairedBootstrap(ctx, subjects, []stats.Group{{}},
		stats.BootstrapOptions{Seed: k.st.Experiment.Train.Seed})
	if err != nil {
		return err
	}
	y.row.Delta = r.Groups[0].Delta
	return nil
}
