package timing

import (
	"context"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"
)

const (
	folds   = 5
	penalty = .1 // of the ridge, relative to the number of rows; features have SD 1

	predictedBytes = 32 << 20 // bounds the predictions that are made at the same time
)

// predict fills in fit: at each lag, a ridge predicts each fold from the others.
func (p *subject) predict(ctx context.Context, lags []float64, features int) error {
	rows := 0
	for _, a := range p.recordings {
		rows += a.rows.To - a.rows.From
	}
	var x, y []float64
	for _, a := range p.recordings {
		x, y = widened(x, a.story.predictors(a.rows, lags)), widened(y, a.y)
	}
	predictors, responses := mat.NewDense(rows, len(x)/rows, x), mat.NewDense(rows, len(y)/rows, y)
	p.fit = make([][]float64, len(lags))
	var work errgroup.Group
	work.SetLimit(min(runtime.GOMAXPROCS(0), max(1, predictedBytes/(8*len(y))))) // each holds a prediction
	for l := range lags {
		work.Go(func() error {
			p.fit[l] = heldOut(predictors.Slice(0, rows, l*features, (l+1)*features).(*mat.Dense), responses, nil)
			return ctx.Err()
		})
	}
	if work.Wait() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// dense returns x, (rows, any), as a matrix.
func dense(x []float32, rows int) *mat.Dense { return mat.NewDense(rows, len(x)/rows, widened(nil, x)) }

// widened appends x to a list.
func widened(to []float64, x []float32) []float64 {
	to = slices.Grow(to, len(x))
	for _, v := range x {
		to = append(to, float64(v))
	}
	return to
}

// normal holds the sums of the normal equations of a ridge.
type normal struct {
	xx, xy mat.Dense // (features, features), (features, voxels)
	rows   int
}

// sum returns the normal equations of x, (rows, features), and y, (rows, voxels).
func sum(x, y *mat.Dense) (n normal) {
	n.xx.Mul(x.T(), x)
	n.xy.Mul(x.T(), y)
	n.rows, _ = x.Dims()
	return n
}

// add adds the rows of o; nil has none.
func (n *normal) add(o *normal) {
	if o == nil || o.rows == 0 {
		return
	}
	if n.rows == 0 {
		n.xx.CloneFrom(&o.xx)
		n.xy.CloneFrom(&o.xy)
	} else {
		n.xx.Add(&n.xx, &o.xx)
		n.xy.Add(&n.xy, &o.xy)
	}
	n.rows += o.rows
}

// less returns the normal equations without the rows of o.
func (n *normal) less(o *normal) (rest normal) {
	rest.xx.Sub(&n.xx, &o.xx)
	rest.xy.Sub(&n.xy, &o.xy)
	rest.rows = n.rows - o.rows
	return rest
}

// weights returns the weights of the ridge, (features, voxels).
func (n *normal) weights() *mat.Dense {
	features, _ := n.xx.Dims()
	gram := mat.NewSymDense(features, nil)
	for i := range features {
		for j := i; j < features; j++ {
			gram.SetSym(i, j, n.xx.At(i, j))
		}
		gram.SetSym(i, i, n.xx.At(i, i)+penalty*float64(n.rows))
	}
	var solver mat.Cholesky
	solver.Factorize(gram) // positive definite by its penalty
	var w mat.Dense
	_ = solver.SolveTo(&w, &n.xy)
	return &w
}

// heldOut predicts y, (rows, voxels), from x, (rows, features), each fifth of the rows from the
// others and from the rows of also. It returns for each row the mean over voxels of the product of
// standardised prediction and response; the mean over rows is the mean r.
func heldOut(x, y *mat.Dense, also *normal) []float64 {
	rows, _ := x.Dims()
	_, voxels := y.Dims()
	part := func(m *mat.Dense, f int) *mat.Dense {
		_, cols := m.Dims()
		return m.Slice(rows*f/folds, rows*(f+1)/folds, 0, cols).(*mat.Dense)
	}
	all := sum(x, y)
	all.add(also)
	pred := mat.NewDense(rows, voxels, nil)
	for f := range folds {
		out := sum(part(x, f), part(y, f))
		rest := all.less(&out)
		part(pred, f).Mul(part(x, f), rest.weights())
	}
	return products(pred, y)
}

// products returns for each row the mean over columns of the product of a and b, (rows, cols), both
// standardised. Constant columns count 0.
func products(a, b *mat.Dense) []float64 {
	rows, cols := a.Dims()
	ma, sa := moments(a)
	mb, sb := moments(b)
	out := make([]float64, rows)
	for k := range out {
		ra, rb := a.RawRowView(k), b.RawRowView(k)
		for v := range ra {
			if sa[v]*sb[v] > 0 {
				out[k] += (ra[v] - ma[v]) / sa[v] * (rb[v] - mb[v]) / sb[v] / float64(cols)
			}
		}
	}
	return out
}

// moments returns the mean and SD of each column.
func moments(m *mat.Dense) (mean, sd []float64) {
	rows, cols := m.Dims()
	mean, sd = make([]float64, cols), make([]float64, cols)
	for k := range rows {
		for v, x := range m.RawRowView(k) {
			mean[v] += x / float64(rows)
		}
	}
	for k := range rows {
		for v, x := range m.RawRowView(k) {
			sd[v] += (x - mean[v]) * (x - mean[v]) / float64(rows)
		}
	}
	for v := range sd {
		sd[v] = math.Sqrt(sd[v])
	}
	return mean, sd
}
