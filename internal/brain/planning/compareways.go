package planning

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// The bounds of a comparison of ways.
const (
	usualCompareSeconds = 60  // of computing
	mostTrainRows       = 600 // that are read
	mostValRows         = 200
	mostPieces          = 8 // of a split
	mostSubjects        = 3
	leastRows           = 10 // of training, for features
	leastTrainRows      = 60 // for a ridge
	leastValRows        = 20
	valShare            = .25 // of the audio
)

// comparison compares ways on pieces of rows.
type comparison struct {
	st       *study.Study
	ways     []*way
	out      *plan.Compared
	train    []*piece
	val      []*piece
	subjects []*study.Subject
	columns  [][]int // of each subject

	// of each way, by piece
	trainX, valX [][]*features
}

// compareWays measures how far ways agree with the first.
func (c *calibration) compareWays(ctx context.Context, ways []*way, out *plan.Compared) error {
	budget := cmp.Or(c.trainer.Study.Options.CompareSeconds, usualCompareSeconds)
	if budget < 0 || len(ways) < 2 {
		out.Reason = map[bool]string{true: "no way is cheaper", false: "it was not asked for"}[budget >= 0]
		return nil
	}
	k := &comparison{st: c.trainer.Study, ways: ways, out: out}
	begun := time.Now()
	if err := k.choose(ctx, budget/c.secondsOf(ways)); err != nil || out.Reason != "" {
		return err
	}
	if err := k.read(ctx, begun.Add(time.Duration(3*budget*float64(time.Second)))); err != nil {
		return err
	}
	k.chooseSubjects()
	k.compareFeatures()
	err := k.compareScores(ctx)
	out.Seconds = time.Since(begun).Seconds()
	return err
}

// secondsOf returns the seconds of computing that all ways take for a second of audio. Strides are parts of one another
// and count once.
func (c *calibration) secondsOf(ways []*way) float64 {
	own := (c.front + c.tuned) / ways[0].exp.Model.StrideSeconds
	sum, seen := own, []experiment.Extraction{ways[0].exp.Model.Extraction}
	for _, y := range ways[1:] {
		if !slices.Contains(seen, y.exp.Model.Extraction) {
			sum, seen = sum+own*y.seconds, append(seen, y.exp.Model.Extraction)
		}
	}
	return max(sum, 1e-9)
}

// choose takes pieces of so many seconds of audio in all.
func (k *comparison) choose(ctx context.Context, audio float64) error {
	st := k.st
	extra, tr := extraSeconds(st), st.Data.TR()
	pieces := func(split study.Split, audio float64, most int) ([]*piece, error) {
		total := st.Subjects[0].RowsOf(split)
		n := max(1, min(mostPieces, int(min(audio, float64(total)*tr)/(3*extra))))
		rows := min(most/n, total/n, int((audio/float64(n)-extra)/tr))
		if rows < 1 {
			return nil, nil
		}
		var out []*piece
		for _, r := range spread(st.Subjects[0].Parts[split], n, rows) {
			p, err := newPiece(ctx, st, r)
			if err != nil {
				return nil, err
			}
			if p != nil {
				out = append(out, p)
			}
		}
		return out, nil
	}
	var err error
	if k.val, err = pieces(study.Val, valShare*audio, mostValRows); err != nil {
		return err
	}
	if rowsOf(k.val) < leastValRows {
		k.val, audio = nil, audio/(1-valShare) // too little to score
	}
	if k.train, err = pieces(study.Train, (1-valShare)*audio, mostTrainRows); err != nil {
		return err
	}
	if rowsOf(k.train) < leastRows {
		k.out.Reason = fmt.Sprintf("the time for it allows %d training rows, and %d are needed", rowsOf(k.train), leastRows)
		return nil
	}
	return nil
}

func rowsOf(pieces []*piece) (n int) {
	for _, p := range pieces {
		n += p.rows.Len()
	}
	return n
}

// chooseSubjects takes subjects that have all rows, and some of their tuned voxels.
func (k *comparison) chooseSubjects() {
	has := func(p *study.Subject, split study.Split, pieces []*piece) bool {
		return !slices.ContainsFunc(pieces, func(x *piece) bool {
			return !slices.ContainsFunc(p.Parts[split], func(r design.Rows) bool {
				return r.Story == x.rows.Story && r.From <= x.rows.From && r.To >= x.rows.To
			})
		})
	}
	for _, p := range k.st.Subjects {
		if len(k.subjects) == mostSubjects || !has(p, study.Train, k.train) || !has(p, study.Val, k.val) {
			continue
		}
		step := max(1, (len(p.Tuned)+calibrationVoxels-1)/calibrationVoxels)
		var columns []int
		for i := 0; i < len(p.Tuned); i += step {
			columns = append(columns, p.Tuned[i])
		}
		k.subjects, k.columns = append(k.subjects, p), append(k.columns, columns)
		k.out.Voxels += len(columns)
	}
	k.out.Subjects = len(k.subjects)
}

// read extracts the features of all ways, piece by piece until the time is over.
func (k *comparison) read(ctx context.Context, until time.Time) error {
	train, val := k.train, k.val
	k.train, k.val = nil, nil
	k.trainX, k.valX = make([][]*features, len(k.ways)), make([][]*features, len(k.ways))
	trains, vals := len(train), len(val)
	for done, all := 0, trains+vals; done < all; done++ {
		k.st.Options.Progress(progress.Event{Phase: progress.Compare, Done: done, Total: all})
		// The share of the validation pieces that are read follows that of the training pieces.
		from, to, x := &train, &k.train, k.trainX
		if len(k.val)*trains < len(k.train)*vals {
			from, to, x = &val, &k.val, k.valX
		}
		if len(k.train) > 0 && time.Now().After(until) {
			k.out.Reason = fmt.Sprintf("the time was over after %d of %d pieces", done, all)
			break
		}
		if err := k.readPiece(ctx, (*from)[0], x); err != nil {
			return err
		}
		*from, *to = (*from)[1:], append(*to, (*from)[0])
	}
	if rowsOf(k.val) < leastValRows {
		k.val = nil
	}
	k.out.Pieces, k.out.TrainRows, k.out.ValRows = len(k.train)+len(k.val), rowsOf(k.train), rowsOf(k.val)
	k.st.Options.Progress(progress.Event{Phase: progress.Compare, Done: k.out.Pieces, Total: k.out.Pieces})
	return nil
}

// readPiece extracts the features of all ways at a piece.
func (k *comparison) readPiece(ctx context.Context, p *piece, into [][]*features) error {
	read := map[experiment.Extraction]*features{}
	for i, y := range k.ways {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		how := y.exp.Model.Extraction
		x, err := p.read(ctx, k.st, y, read[how])
		if err != nil {
			return err
		}
		if read[how] == nil {
			read[how] = x
		}
		into[i] = append(into[i], x)
	}
	return nil
}

// compareFeatures correlates the features of each way with those of the first, at the training rows.
func (k *comparison) compareFeatures() {
	rows, channels := rowsOf(k.train), k.trainX[0][0].channels
	stack := func(i int) []float32 {
		var x []float32
		for _, f := range k.trainX[i] {
			x = append(x, f.rows...)
		}
		return design.FitZScore(x, rows, channels).Apply(x)
	}
	own := stack(0)
	for i := 1; i < len(k.ways); i++ {
		x := stack(i)
		r, constant := stats.Correlation(own, x, rows, channels)
		mean, _ := stats.Mean(r, constant, nil)
		low := slices.Sorted(slices.Values(r))[len(r)/10]
		across, same := stats.Correlation(transposed(own, rows, channels), transposed(x, rows, channels), channels, rows)
		byRow, _ := stats.Mean(across, same, nil)
		k.ways[i].row.FeatureR, k.ways[i].row.LowR, k.ways[i].row.RowR = &mean, &low, &byRow
	}
}

func transposed(x []float32, rows, cols int) []float32 {
	out := make([]float32, len(x))
	for i := range rows {
		for j := range cols {
			out[j*rows+i] = x[i*cols+j]
		}
	}
	return out
}

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
