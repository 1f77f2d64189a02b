package imports

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Values describes the numbers of a response over its voxels, those that are left out not counted.
type Values struct {
	Constant int        `json:"constant_voxels"`
	Mean     [2]float64 `json:"mean"` // smallest and largest of a voxel
	SD       [2]float64 `json:"sd"`
}

// copied is what became of a response.
type copied struct {
	Bytes   int64  `json:"bytes"` // of the .npy; 0 if it was read only
	SHA256  string `json:"sha256"`
	Empty   []int  `json:"empty"`    // columns of the source without a number in any row
	LeftOut []int  `json:"left_out"` // selected columns of the source that are not in the .npy
	Values  Values `json:"values"`
}

// stream reads all rows of a response and writes those columns that are selected and not left out to w, after a header;
// w may be nil. Each row is told to step.
func stream(ctx context.Context, s *Subject, r *Response, leftOut []int, dtype elements.Kind, w io.Writer,
	step func()) (*copied, error) {
	repeats, rows, voxels := r.Extent()
	where := quote.OneLine(r.File) + ": story " + quote.OneLine(r.Story)
	from, err := r.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	gone := union(s.dropped(), leftOut)
	out := &writer{dtype: dtype, sum: sha256.New()}
	if w != nil {
		out.to = bufio.NewWriterSize(io.MultiWriter(w, out.sum), 1<<18)
		shape := slices.Clone(r.Shape)
		shape[len(shape)-1] -= len(gone)
		out.raw(npyheader.Make(dtype, shape))
	}
	t := newTally(rows, voxels)
	row, dropped := make([]float64, voxels), s.dropped()
	for k := range repeats * rows {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if err := from.Next(row); errors.Is(err, io.EOF) {
			return nil, fault.New(fault.BadData, op, where, "ends after %d rows, want %d", k, repeats*rows)
		} else if err != nil {
			return nil, err
		}
		for _, v := range dropped {
			row[v] = 0
		}
		t.add(k, row)
		if v := tooLarge(row, dtype); v >= 0 {
			return nil, fault.New(fault.BadData, op, where, "row %d, voxel %d: %g is too large for a 32-bit float",
				k%rows,
				v, row[v]).WithHint("import it as 64-bit floats")
		}
		out.row(row, gone)
		step()
	}
	switch err := from.Next(row); {
	case err == nil:
		return nil, fault.New(fault.BadData, op, where, "goes on after %d rows", repeats*rows)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	empty, err := t.check(where, s.KeepNaN)
	if err != nil {
		return nil, err
	}
	if w != nil {
		if err := out.flush(); err != nil {
			return nil, err
		}
	}
	return &copied{Bytes: out.bytes, SHA256: hex.EncodeToString(out.sum.Sum(nil)), Empty: empty, LeftOut: leftOut,
		Values: t.values(dropped)}, nil
}

// tooLarge returns the first finite number that no 32-bit float can hold, where it must; -1 if there is none.
func tooLarge(row []float64, dtype elements.Kind) int {
	if dtype == elements.Float64 {
		return -1
	}
	for v, x := range row {
		if (x > math.MaxFloat32 || x < -math.MaxFloat32) && math.IsInf(float64(float32(x)), 0) && !math.IsInf(x, 0) {
			return v
		}
	}
	return -1
}

// writer writes rows as they are in a .npy.
type writer struct {
	dtype elements.Kind
	to    *bufio.Writer // nil: nowhere
	sum   interface {
		io.Writer
		Sum([]byte) []byte
	}
	bytes int64
	data  []byte
	err   error
}

func (w *writer) raw(data []byte) {
	if w.err == nil {
		_, w.err = w.to.Write(data)
		w.bytes += int64(len(data))
	}
}

// row writes a row without the columns that are left out, which are ascending.
func (w *writer) row(row []float64, leftOut []int) {
	if w.to == nil {
		return
	}
	w.data = w.data[:0]
	from := 0
	for _, to := range append(slices.Clip(leftOut), len(row)) {
		for _, x := range row[from:to] {
			if w.dtype == elements.Float64 {
				w.data = binary.LittleEndian.AppendUint64(w.data, math.Float64bits(x))
			} else {
				w.data = binary.LittleEndian.AppendUint32(w.data, math.Float32bits(float32(x)))
			}
		}
		from = to + 1
	}
	w.raw(w.data)
}

func (w *writer) flush() error {
	if w.err == nil {
		w.err = w.to.Flush()
	}
	return w.err
}

// tally sums the values of each voxel, and counts those that are no numbers.
type tally struct {
	rows            int
	n               int
	origin, sum, sq []float64 // the first row, and sums of differences from it
	bad, nan        []int32   // values that are not finite
	first           []int32   // the first of them

}

func newTally(rows, voxels int) *tally {
	return &tally{rows: rows, origin: make([]float64, voxels), sum: make([]float64, voxels), sq: make([]float64,
		voxels),
		bad: make([]int32, voxels), nan: make([]int32, voxels), first: make([]int32, voxels)}
}

// add takes row k, counted through repeats.
func (t *tally) add(k int, row []float64) {
	if k == 0 {
		copy(t.origin, row)
	}
	t.n++
	for v, x := range row {
		d := x - t.origin[v]
		if d-d != 0 || x-x != 0 { // NaN or infinite
			if t.notFinite(k, v, x) {
				continue
			}
			d = 0
		}
		t.sum[v] += d
		t.sq[v] += d * d
	}
}

// notFinite notes a value. It returns false for a finite one next to an origin that is none.
func (t *tally) notFinite(k, v int, x float64) bool {
	if x-x == 0 {
		return false
	}
	if t.bad[v] == 0 {
		t.first[v] = int32(k)
	}
	t.bad[v]++
	if math.IsNaN(x) {
		t.nan[v]++
	}
	return true
}

// check returns the voxels without a number in any row. Values that are not finite in single rows are an error.
func (t *tally) check(where string, keepNaN bool) (empty []int, err error) {
	count, voxels, worst := 0, 0, -1
	for v, n := range t.bad {
		switch {
		case n == 0:
		case int(t.nan[v]) == t.n:
			empty = append(empty, v)
		default:
			count, voxels = count+int(n), voxels+1
			if worst < 0 || t.first[v] < t.first[worst] {
				worst = v
			}
		}
	}
	switch {
	case worst >= 0:
		at := fmt.Sprintf("row %d, voxel %d", int(t.first[worst])%t.rows, worst)
		if t.n > t.rows {
			at = fmt.Sprintf("repeat %d, %s", int(t.first[worst])/t.rows, at)
		}
		return nil, fault.New(fault.BadData, op, where, "%s is not a finite number (%d such values in %d voxels that "+
			"have numbers in other rows)", at, count, voxels).
			WithHint("repair these values or leave out the voxels first; no value is filled in")
	case len(empty) == len(t.bad) && !keepNaN:
		return nil, fault.New(fault.BadData, op, where, "no voxel has a number")
	}
	return empty, nil
}

// values describes the voxels that have numbers, without those that were dropped.
func (t *tally) values(dropped []int) (out Values) {
	out.Mean, out.SD = [2]float64{math.Inf(1), math.Inf(-1)}, [2]float64{math.Inf(1), math.Inf(-1)}
	n := float64(t.n)
	for v := range t.sum {
		if len(dropped) > 0 && dropped[0] == v {
			dropped = dropped[1:]
			continue
		}
		if t.bad[v] > 0 {
			continue
		}
		d := t.sum[v] / n
		mean, sd := t.origin[v]+d, math.Sqrt(max(0, t.sq[v]/n-d*d))
		if t.sq[v] == 0 {
			out.Constant++
		}
		out.Mean = [2]float64{min(out.Mean[0], mean), max(out.Mean[1], mean)}
		out.SD = [2]float64{min(out.SD[0], sd), max(out.SD[1], sd)}
	}
	if math.IsInf(out.Mean[0], 1) {
		out.Mean, out.SD = [2]float64{}, [2]float64{}
	}
	return out
}
