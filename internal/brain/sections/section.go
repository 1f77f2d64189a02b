package sections

import (
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/torch"
)

// Section is a range of rows of a story whose design matrix is computed on tensors, so that
// gradients reach the vectors.
type Section struct {
	Rows    design.Rows // with the context rows that come first
	Context int         // rows before the section, which give it the history that the delays need
	Vectors design.Rows // the vectors of these rows

	weights []float32 // (rows, vectors); empty where no row has a vector
	direct  bool      // vectors are rows
	delays  []int
}

// Of returns rows from ≤ k < to of a design with up to context rows before them. The context ends at
// the start of the story, before which [design.FIR] has zeros.
func Of(d *design.StoryDesign, from, to, context int) Section {
	context = min(context, from)
	s := Section{Rows: design.Rows{From: from - context, To: to}, Context: context, delays: d.Delays,
		direct: d.Weights == nil}
	if s.direct {
		s.Vectors = s.Rows
	} else {
		s.weights, s.Vectors.From, s.Vectors.To = Dense(d.Weights, s.Rows.From, s.Rows.To)
	}
	return s
}

// Matrix returns the design matrix of the section (to-from, F) from its vectors x (Vectors.Len(),
// channels). Columns are standardised by z, or by the section's own mean and SD if z is nil.
func (s Section) Matrix(x *torch.Tensor, z *design.ZScore) *torch.Tensor {
	return delayed(s.standardised(s.resampled(x), z), s.delays, s.Context)
}

// resampled carries vectors x (vectors, channels) to rows (rows, channels).
func (s Section) resampled(x *torch.Tensor) *torch.Tensor {
	rows := s.Rows.Len()
	switch {
	case s.direct:
		return x
	case len(s.weights) == 0: // rows beyond the audio
		return x.Scope().Zeros(rows, x.Dim(1))
	}
	return x.Scope().FromFloat32(s.weights, rows, len(s.weights)/rows).MatMul(x)
}

// sectionEps is the epsilon of PyTorch's InstanceNorm1d, which the release of the BrainWavLM
// authors uses.
const sectionEps = 1e-5

// standardised returns rows y (rows, channels) less the mean, divided by the SD.
func (s Section) standardised(y *torch.Tensor, z *design.ZScore) *torch.Tensor {
	if z == nil {
		centred := y.Sub(y.MeanKeep(0))
		return centred.Div(centred.Square().MeanKeep(0).AddScalar(sectionEps).Sqrt())
	}
	row := func(x []float64) *torch.Tensor { return y.Scope().FromFloat64(x, 1, len(x)).ToType(torch.Float32) }
	return y.Sub(row(z.Mean)).Div(row(z.SD))
}

// delayed is [design.FIR] for tensors: delayed copies of rows z (rows, channels) side by side, without the
// context rows, (rows-context, len(delays)·channels).
func delayed(z *torch.Tensor, delays []int, context int) *torch.Tensor {
	longest := slices.Max(delays)
	rows, channels := z.Dim(0), z.Dim(1)
	padded := torch.Cat(0, z.Scope().ZerosOf(z.DType(), longest, channels), z) // (longest+rows, channels)
	copies := make([]*torch.Tensor, len(delays))
	for i, d := range delays {
		copies[i] = padded.Narrow(0, longest-d+context, rows-context)
	}
	return torch.Cat(1, copies...)
}

// Dense returns rows from ≤ r < to of w as a full matrix m (to-from, colTo-colFrom) over the columns
// that they use, which a tensor library can multiply with the features (colTo-colFrom, C) of those
// columns.
func Dense(w *design.Weights, from, to int) (m []float32, colFrom, colTo int) {
	if from < 0 || to < from || to > w.Rows {
		panic(fmt.Sprintf("sections: rows %d to %d of %d", from, to, w.Rows))
	}
	colFrom = w.Cols
	for r := from; r < to; r++ {
		if n := len(w.Runs[r]); n > 0 {
			colFrom, colTo = min(colFrom, w.First[r]), max(colTo, w.First[r]+n)
		}
	}
	colFrom = min(colFrom, colTo)
	cols := colTo - colFrom
	m = make([]float32, (to-from)*cols)
	for r := from; r < to; r++ {
		for i, v := range w.Runs[r] {
			m[(r-from)*cols+w.First[r]-colFrom+i] = float32(v)
		}
	}
	return m, colFrom, colTo
}
