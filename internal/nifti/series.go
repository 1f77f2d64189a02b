package nifti

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/brainwavlm/bwlm/internal/raw"
)

// Series is an image of four dimensions, whose volumes are read one after another. Memory is that of the voxels
// that are read, not of a volume.
type Series struct {
	Stream
	Grid    [3]int // voxels of a volume along x, y and z
	Volumes int

	next    int
	voxels  []int // those that are read, by their place in the file
	columns []int // the column of each of voxels
}

// OpenSeries opens the time series at path. Voxels are the ones that become columns, in the order of columns: the
// place of each in a volume, x + Grid[0]·(y + Grid[1]·z); nil means all, x fastest. A voxel twice or outside of the
// volume is an error, as is an image of another number of dimensions than four.
func OpenSeries(path string, voxels []int) (*Series, error) {
	s, err := OpenStream(path)
	if err != nil {
		return nil, err
	}
	out, err := newSeries(s, voxels)
	if err != nil {
		s.Close()
		return nil, err
	}
	return out, nil
}

func newSeries(stream *Stream, voxels []int) (*Series, error) {
	s := &Series{Stream: *stream}
	dim := slices.Clone(s.Dim)
	for len(dim) > 4 && dim[len(dim)-1] == 1 {
		dim = dim[:len(dim)-1]
	}
	if len(dim) != 4 {
		return nil, raw.Bad(reading, s.name, "shape %v is no time series, want four dimensions: x, y, z, time", s.Dim)
	}
	s.Grid, s.Volumes = [3]int(dim[:3]), dim[3]
	n := dim[0] * dim[1] * dim[2] // counted with the volumes before, so it does not overflow
	if voxels == nil {
		if n > raw.MaxBytes/4 {
			return nil, raw.Bad(reading, s.name, "a volume has %d voxels, %d are allowed", n, raw.MaxBytes/4).
				WithHint("read the voxels of a mask")
		}
		s.voxels = make([]int, n)
		for i := range s.voxels {
			s.voxels[i] = i
		}
		s.columns = s.voxels
		return s, nil
	}
	s.columns = make([]int, len(voxels))
	for i := range s.columns {
		s.columns[i] = i
	}
	slices.SortFunc(s.columns, func(a, b int) int { return voxels[a] - voxels[b] })
	s.voxels = make([]int, len(voxels))
	for i, c := range s.columns {
		v := voxels[c]
		if v < 0 || v >= n || i > 0 && v == s.voxels[i-1] {
			return nil, raw.Bad(reading, s.name, "voxel %d of column %d occurs twice or is not among %d in a volume",
				v, c, n)
		}
		s.voxels[i] = v
	}
	return s, nil
}

// Columns is the number of voxels that are read.
func (s *Series) Columns() int { return len(s.voxels) }

// Next reads the voxels of the next volume into dst, one for each column. After the last volume, it checks what
// follows and returns [io.EOF].
func (s *Series) Next(dst []float32) error {
	if s.next == s.Volumes {
		if err := s.Finish(); err != nil {
			return err
		}
		return io.EOF
	}
	if len(dst) != len(s.voxels) {
		return fmt.Errorf("nifti: %d places for the %d voxels of a volume", len(dst), len(s.voxels))
	}
	at := 0 // of voxels and columns
	err := s.pieces(int64(s.Grid[0]*s.Grid[1]*s.Grid[2]), func(b []byte, from int64) {
		first := int(from)
		end := first + len(b)/s.kind.Size()
		for ; at < len(s.voxels) && s.voxels[at] < end; at++ {
			dst[s.columns[at]] = s.at(b, s.voxels[at]-first)
		}
	})
	if err != nil {
		return fmt.Errorf("volume %d of %d: %w", s.next, s.Volumes, err)
	}
	s.next++
	return nil
}

// Each calls visit with each of the volumes that are left, and with their numbers in a slice that is used again.
func (s *Series) Each(visit func(row int, values []float32) error) error {
	values := make([]float32, s.Columns())
	for {
		row := s.next
		switch err := s.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := visit(row, values); err != nil {
			return err
		}
	}
}
