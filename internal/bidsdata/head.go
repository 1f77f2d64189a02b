package bidsdata

import (
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cifti"
	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// head is what the header of a time series says.
type head struct {
	rows    int
	columns int // without a mask
	time    HeaderTime
	start   float64 // seconds of row 0 after the first volume, if the header has it
}

// readHead reads the headers of a response.
func (t *Tree) readHead(r response, o Options) (head, error) {
	file := t.path(r.Path)
	switch r.form.Kind {
	case Dense:
		s, err := cifti.OpenSeries(file)
		if err != nil {
			return head{}, err
		}
		return head{rows: s.Rows, columns: s.Places, start: s.Start,
			time: HeaderTime{Step: s.Step, Unit: "sec", Name: "SeriesStep", OK: true}}, nil
	case Surface:
		vertices := o.Vertices
		if vertices == 0 {
			vertices = verticesOf[r.form.Space]
		}
		left, err := gifti.OpenSeries(file, vertices)
		if err != nil {
			return head{}, err
		}
		right, err := gifti.OpenSeries(t.path(r.also.Path), vertices)
		if err != nil {
			return head{}, err
		}
		if left.Rows != right.Rows || left.TimeStep != right.TimeStep {
			return head{}, fault.New(fault.BadData, reading, quote.OneLine(file),
				"the left hemisphere has %d rows with a TimeStep of %g, the right one %d with %g", left.Rows,
				left.TimeStep,
				right.Rows, right.TimeStep).WithHint("get both files again")
		}
		return head{rows: left.Rows, columns: left.Vertices + right.Vertices,
			time: HeaderTime{Step: left.TimeStep, Name: timeStep, OK: left.TimeStep > 0}}, nil
	default:
		s, err := nifti.OpenSeries(file, []int{})
		if err != nil {
			return head{}, err
		}
		defer s.Close()
		return head{rows: s.Volumes, columns: s.Grid[0] * s.Grid[1] * s.Grid[2],
			time: HeaderTime{Step: s.Clock.Step, Unit: s.Clock.Unit, Name: "pixdim[4]", OK: s.Clock.Step > 0}}, nil
	}
}
