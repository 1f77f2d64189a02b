package rowsource

import "context"

// Binning averages times to rows: row k is the mean over the times From+k·Size ≤ i < From+(k+1)·Size, less the mean
// over those from Baseline[0] to Baseline[1], if these differ.
type Binning struct {
	From, Size, Rows int
	Baseline         [2]int
	Short            bool // rows after the last time are 0
}

// Bins returns the rows of a source (repeats, times, columns), repeat by repeat.
func Bins(s Source, b Binning) Source { return bins{s, b} }

type bins struct {
	Source
	b Binning
}

// Shape returns as many repeats, with the rows of the binning.
func (m bins) Shape() (repeats, rows, columns int) {
	repeats, _, columns = m.Source.Shape()
	return repeats, m.b.Rows, columns
}

// ReadRows averages, in float64.
func (m bins) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	_, times, width := m.Source.Shape()
	base := make([]float64, width)
	if at := m.b.Baseline; at[1] > at[0] {
		if err := m.mean(ctx, repeat, at[0], at[1], base); err != nil {
			return err
		}
	}
	mean := make([]float64, width)
	for k := from; k < to; k++ {
		row, at := out[(k-from)*width:][:width], m.b.From+k*m.b.Size
		if m.b.Short && at+m.b.Size > times {
			clear(row)
			continue
		}
		if err := m.mean(ctx, repeat, at, at+m.b.Size, mean); err != nil {
			return err
		}
		for c, v := range mean {
			row[c] = float32(v - base[c])
		}
	}
	return nil
}

// mean fills out with the mean over times from ≤ i < to of a repeat, (columns).
func (m bins) mean(ctx context.Context, repeat, from, to int, out []float64) error {
	x := make([]float32, (to-from)*len(out))
	if err := m.Source.ReadRows(ctx, repeat, from, to, x); err != nil {
		return err
	}
	clear(out)
	for i, v := range x {
		out[i%len(out)] += float64(v)
	}
	for c := range out {
		out[c] /= float64(to - from)
	}
	return nil
}

// Joined returns a source of one repeat in which the rows of the repeats of s follow each other: of time courses
// (clips, times, columns) the rows of each clip.
func Joined(s Source) Source { return joined{s} }

type joined struct{ Source }

// Shape returns one repeat with the rows of all.
func (j joined) Shape() (repeats, rows, columns int) {
	clips, rows, columns := j.Source.Shape()
	return 1, clips * rows, columns
}

// ReadRows reads the rows of clip after clip.
func (j joined) ReadRows(ctx context.Context, _, from, to int, out []float32) error {
	_, rows, width := j.Source.Shape()
	for from < to {
		clip, at := from/rows, from%rows
		n := min(rows-at, to-from)
		if err := j.Source.ReadRows(ctx, clip, at, at+n, out[:n*width]); err != nil {
			return err
		}
		from, out = from+n, out[n*width:]
	}
	return nil
}

// Repeated repeats each row of a source n times: what holds for a clip holds for each of its rows.
func Repeated(s Source, n int) Source { return repeated{s, n} }

type repeated struct {
	Source
	n int
}

// Shape returns n times as many rows.
func (r repeated) Shape() (repeats, rows, columns int) {
	repeats, rows, columns = r.Source.Shape()
	return repeats, rows * r.n, columns
}

// ReadRows reads row after row.
func (r repeated) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	_, _, width := r.Shape()
	for k := from; k < to; k++ {
		if err := r.Source.ReadRows(ctx, repeat, k/r.n, k/r.n+1, out[(k-from)*width:][:width]); err != nil {
			return err
		}
	}
	return nil
}
