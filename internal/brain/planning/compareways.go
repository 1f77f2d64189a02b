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

// choose takes pieces of a number of seconds of audio in all.
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
		k.out.Reason = fmt.Sprintf("the time for it allows %d training rows, and %d are needed", rowsOf(k.train),
			leastRows)
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
		across, same := stats.Correlation(transposed(own, rows, channels), transposed(x, rows, channels), channels,
			rows)
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
