package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// lagScores are the scores of the untuned model's features at some lags alone.
type lagScores struct {
	study.LagWindow
	r [][]float64 // by subject and channel
}

// addLags scores the untuned model at the lags of each window of readout.lag_windows alone, and at each of
// readout.lags_ms alone, where rows are bins.
func (e *Evaluation) addLags(ctx context.Context) error {
	st := e.Study
	if !st.Data.IsSeries() {
		return nil
	}
	list := st.LagWindows()
	for _, lag := range st.Delays {
		list = append(list, study.LagWindow{Lags: []int{lag}})
	}
	for _, w := range list {
		at := make([]encoding.RowFeatures, len(e.features))
		for i, f := range e.features {
			at[i] = f.At(w.Lags)
		}
		predicted, err := encoding.Predict(ctx, st, st.Subjects, at, study.Test)
		if err != nil {
			return err
		}
		one, constant := lagScores{LagWindow: w}, make([][]bool, len(st.Subjects))
		for i, p := range st.Subjects {
			want, err := e.responses(ctx, i)
			if err != nil {
				return err
			}
			var r []float64
			r, constant[i] = stats.Correlation(predicted[i].Pred, want, p.RowsOf(study.Test), p.Voxels)
			one.r = append(one.r, r)
		}
		e.lags = append(e.lags, one)
		e.Summary.Test.Lags = append(e.Summary.Test.Lags, e.lagScore(one, constant))
	}
	return nil
}

// lagScore is the mean over subjects of the mean r of the channels of each group.
func (e *Evaluation) lagScore(l lagScores, constant [][]bool) results.LagScore {
	out := results.LagScore{Window: l.Name, ROIs: map[string]float64{}}
	for _, lag := range l.Lags {
		out.LagsMS = append(out.LagsMS, e.milliseconds(lag))
	}
	for _, g := range e.Groups {
		if g.Name == study.TunedGroup { // nothing is
			continue
		}
		sum, n := 0., 0.
		for i := range l.r {
			var columns []int
			if g.Columns != nil {
				if columns = g.Columns[i]; len(columns) == 0 {
					continue
				}
			}
			if mean, channels := stats.Mean(l.r[i], constant[i], columns); channels > 0 {
				sum, n = sum+mean, n+1
			}
		}
		if n == 0 {
			continue
		}
		if out.ROIs[g.Name] = sum / n; g.Name == study.Everything {
			out.MeanR = sum / n
			delete(out.ROIs, g.Name)
		}
	}
	return out
}

// milliseconds returns a lag in rows as one in milliseconds, without the rounding of the product.
func (e *Evaluation) milliseconds(lag int) float64 {
	ms, _ := strconv.ParseFloat(fmt.Sprintf("%.9g", float64(lag)*1000*e.Study.Data.TR()), 64)
	return ms
}

// channels writes channels.tsv of a subject: a line for each channel with r of the model at all lags, of features of
// the data set, and of the model in each window and at each lag alone, and the lag that alone has the largest r. A
// channel that is constant on the test rows has none of them, n/a.
func (e *Evaluation) channels(dir string, i int, want []float32) error {
	p := e.Study.Subjects[i]
	head, columns := []string{"channel", "base"}, [][]float64{}
	_, silent := stats.Correlation(want, want, p.RowsOf(study.Test), p.Voxels)
	add := func(x encoding.Prediction) {
		r, _ := stats.Correlation(x.Pred, want, p.RowsOf(study.Test), p.Voxels)
		columns = append(columns, r)
	}
	add(e.Base[i])
	for _, own := range e.own {
		head = append(head, "features_"+own.name)
		add(own.predicted[i])
	}
	var single []lagScores
	for _, l := range e.lags {
		name := l.Name
		if name == "" {
			name, single = fmt.Sprintf("%g_ms", e.milliseconds(l.Lags[0])), append(single, l)
		}
		head, columns = append(head, name), append(columns, l.r[i])
	}
	names := e.Study.Data.Channels()
	r := rundir.Run{Dir: dir}
	path, err := r.Path("test", p.Name, "channels.tsv")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		fmt.Fprint(w, strings.Join(append(head, "latency_ms"), "\t"))
		for v := range p.Voxels {
			name := strconv.Itoa(v)
			if names != nil {
				name = names[v]
			}
			fmt.Fprintf(w, "\n%s", name)
			if silent[v] {
				fmt.Fprint(w, strings.Repeat("\tn/a", len(columns)+1))
				continue
			}
			for _, r := range columns {
				fmt.Fprintf(w, "\t%.4f", r[v])
			}
			best := slices.MaxFunc(single, func(a, b lagScores) int { return cmp.Compare(a.r[i][v], b.r[i][v]) })
			fmt.Fprintf(w, "\t%g", e.milliseconds(best.Lags[0]))
		}
		_, err := fmt.Fprintln(w)
		return err
	})
}
