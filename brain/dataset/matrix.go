package dataset

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// Matrix holds the responses of one subject to one story in memory, of one or several repeats.
type Matrix struct {
	Repeats, Rows, Voxels int
	Data                  []float32 // (Repeats, Rows, Voxels), row-major
	Stored                string    // the type in the file if it is not a float: "int16"
}

// NewMatrix returns a matrix of one repeat of data (rows, voxels), which are not copied.
func NewMatrix(rows, voxels int, data []float32) *Matrix {
	m := &Matrix{Repeats: 1, Rows: rows, Voxels: voxels, Data: data}
	if len(data) != rows*voxels {
		panic(fmt.Sprintf("dataset: %d values for %d rows × %d voxels", len(data), rows, voxels))
	}
	return m
}

// Row returns row k of a repeat (Voxels), not a copy.
func (m *Matrix) Row(repeat, k int) []float32 {
	return m.Data[(repeat*m.Rows+k)*m.Voxels:][:m.Voxels]
}

// repeat returns one repeat (Rows, Voxels), not a copy.
func (m *Matrix) repeat(repeat int) []float32 {
	return m.Data[repeat*m.Rows*m.Voxels:][:m.Rows*m.Voxels]
}

// Mean returns the mean over repeats (Rows, Voxels); a single repeat is not copied.
func (m *Matrix) Mean() []float32 {
	if m.Repeats == 1 {
		return m.Data
	}
	mean := make([]float32, m.Rows*m.Voxels)
	for i := range mean {
		var sum float64
		for r := range m.Repeats {
			sum += float64(m.Data[r*len(mean)+i])
		}
		mean[i] = float32(sum / float64(m.Repeats))
	}
	return mean
}

// Select returns a matrix of the given columns.
func (m *Matrix) Select(columns []int) *Matrix {
	out := &Matrix{Repeats: m.Repeats, Rows: m.Rows, Voxels: len(columns), Stored: m.Stored}
	out.Data = make([]float32, 0, m.Repeats*m.Rows*len(columns))
	for k := range m.Repeats * m.Rows {
		row := m.Row(0, k)
		for _, c := range columns {
			out.Data = append(out.Data, row[c])
		}
	}
	return out
}

// HasMotion reports whether the data set has the head motion of a subject in a story.
func (d *Dataset) HasMotion(subject, story string) bool {
	s, err := d.subject(subject)
	return err == nil && slices.ContainsFunc(s.Motion, func(r Response) bool { return r.Story == story })
}

// Motion returns the head motion of a subject in a story, (TRs, parameters), the mean over repeats.
// Its rows must be those of the responses.
func (d *Dataset) Motion(ctx context.Context, subject, story string) (*Matrix, error) {
	s, err := d.subject(subject)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.Motion, func(r Response) bool { return r.Story == story })
	if i < 0 {
		return nil, fault.New(fault.Missing, "read motion", d.spec.Name, "subject %s has none in story %s", subject,
			story)
	}
	opened, err := s.Motion[i].open(ctx, fmt.Sprintf("motion of subject %s, story %s", subject, story))
	if err != nil {
		return nil, err
	}
	m, err := opened.all(ctx)
	if err != nil {
		return nil, err
	}
	responses, err := d.OpenResponses(ctx, subject, story)
	if err != nil {
		return nil, err
	}
	refuse := fault.New(fault.BadData, "read motion", opened.Where, "%d × %d rows, the responses have %d × %d",
		m.Repeats, m.Rows, responses.Repeats, responses.Rows)
	switch {
	case m.Rows != responses.Rows && m.Voxels == responses.Rows:
		return nil, refuse.WithHint("it looks transposed: save it as TRs × parameters")
	case m.Rows != responses.Rows:
		return nil, refuse.WithHint("cut it as the responses were cut, one row for each TR")
	case m.Repeats != 1 && m.Repeats != responses.Repeats:
		return nil, refuse.WithHint("give the motion of each repeat, or one matrix for all")
	}
	return NewMatrix(m.Rows, m.Voxels, m.Mean()), nil
}
