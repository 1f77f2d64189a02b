package cifti

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

// Series is a dense time series (.dtseries.nii): rows of one value for each place, which is a vertex or a voxel.
// The file has all rows of a place together.
type Series struct {
	Rows, Places int
	Start, Step  float64 // seconds: of row 0, and from row to row
	Structures   []Structure

	// BlockBytes bounds the memory in which places are turned into rows. OpenSeries sets 64 MiB.
	BlockBytes int

	path string
}

// Structure is what Count places from First on are of.
type Structure struct {
	Name         string // CIFTI_STRUCTURE_CORTEX_LEFT and so on
	First, Count int
	Vertices     []int32     // of a surface: the vertex of each place
	Surface      int         // of a surface: its number of vertices; 0 for voxels
	Voxels       [][3]uint16 // of a volume: the indices of each place
}

// blockPlaces is the number of places that are turned together at most.
const blockPlaces = 8192

// OpenSeries reads the header and the XML of a file at path.
func OpenSeries(path string) (*Series, error) {
	in, err := nifti.OpenStream(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	s, err := parseSeries(in)
	if err != nil {
		var f *fault.Error
		if errors.As(err, &f) {
			return nil, f
		}
		return nil, raw.Damaged(reading, path, err)
	}
	s.path, s.BlockBytes = path, 64<<20
	return s, nil
}

// parseSeries reads what comes before the numbers.
func parseSeries(in *nifti.Stream) (*Series, error) {
	if len(in.Dim) != 6 || in.Dim[0] != 1 || in.Dim[1] != 1 || in.Dim[2] != 1 || in.Dim[3] != 1 {
		return nil, fmt.Errorf("shape %v, want (1, 1, 1, 1, rows, places)", in.Dim)
	}
	s := &Series{Rows: in.Dim[4], Places: in.Dim[5]}
	for _, x := range in.Extensions {
		if x.Code != extensionCode {
			continue
		}
		root, err := raw.ParseXML([]byte(strings.TrimRight(string(x.Data), "\x00")))
		if err != nil {
			return nil, err
		}
		return s, s.matrix(root)
	}
	return nil, errors.New("there is no CIFTI extension, so nothing says which vertex is which")
}

// matrix reads what rows and places are.
func (s *Series) matrix(root *raw.Element) error {
	if err := version2(root); err != nil {
		return err
	}
	var time, space bool
	for _, index := range root.One("Matrix").All("MatrixIndicesMap") {
		var err error
		switch kind, dimension := index.Attr("IndicesMapToDataType"), index.Attr("AppliesToMatrixDimension"); {
		case dimension == "0" && kind == "CIFTI_INDEX_TYPE_SERIES" && !time:
			time, err = true, s.clock(index)
		case dimension == "1" && kind == "CIFTI_INDEX_TYPE_BRAIN_MODELS" && !space:
			space = true
			s.Structures, err = structures(index, s.Places)
		default:
			err = fmt.Errorf("dimension %q is of %q; read are rows in time (series) by places (brain models)",
				quote.Short(dimension), quote.Short(kind))
		}
		if err != nil {
			return err
		}
	}
	if !time || !space {
		return errors.New("the XML does not describe both rows in time (series) and places (brain models)")
	}
	return nil
}

// clock reads when rows are.
func (s *Series) clock(index *raw.Element) error {
	if unit := index.Attr("SeriesUnit"); unit != "SECOND" {
		return fmt.Errorf("the unit of the series is %q, want SECOND", quote.Short(unit))
	}
	if n, err := number(index, "NumberOfSeriesPoints"); err != nil || n != s.Rows {
		return fmt.Errorf("the XML has %q points in time, the matrix %d",
			quote.Short(index.Attr("NumberOfSeriesPoints")), s.Rows)
	}
	exponent := 0.0
	if text := index.Attr("SeriesExponent"); text != "" {
		n, err := strconv.ParseInt(text, 10, 16)
		if err != nil || n < -30 || n > 30 {
			return fmt.Errorf("SeriesExponent is %q, want a small whole number", quote.Short(text))
		}
		exponent = float64(n)
	}
	for name, out := range map[string]*float64{"SeriesStart": &s.Start, "SeriesStep": &s.Step} {
		v, err := strconv.ParseFloat(index.Attr(name), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s is %q, want a number", name, quote.Short(index.Attr(name)))
		}
		*out = v * math.Pow(10, exponent)
	}
	if !(s.Step > 0) {
		return fmt.Errorf("SeriesStep is %g, want more than 0", s.Step)
	}
	return nil
}

// Columns is the number of places.
func (s *Series) Columns() int { return s.Places }

// Each calls visit with each row, the values of all places in a slice that is used again. It reads blocks of places,
// at most 8,192, and turns as many rows at a time as BlockBytes hold, so a file larger than that is read in passes.
func (s *Series) Each(visit func(row int, values []float32) error) error {
	return s.each(func() (*nifti.Stream, error) { return nifti.OpenStream(s.path) }, visit)
}

func (s *Series) each(open func() (*nifti.Stream, error), visit func(row int, values []float32) error) error {
	rows := min(s.Rows, max(1, s.BlockBytes/4/s.Places))
	whole := make([]float32, rows*s.Places)
	block := make([]float32, s.Rows*min(s.Places, max(1, min(blockPlaces, s.BlockBytes/4/s.Rows))))
	for from := 0; from < s.Rows; from += rows {
		turned := whole[:min(rows, s.Rows-from)*s.Places]
		if err := s.pass(open, from, turned, block); err != nil {
			return err
		}
		for at := 0; at < len(turned); at += s.Places {
			if err := visit(from+at/s.Places, turned[at:at+s.Places]); err != nil {
				return err
			}
		}
	}
	return nil
}

// pass fills turned with the rows from from on, row by row. Block is memory for some places.
func (s *Series) pass(open func() (*nifti.Stream, error), from int, turned, block []float32) error {
	in, err := open()
	if err != nil {
		return err
	}
	defer in.Close()
	if len(in.Dim) != 6 || in.Dim[4] != s.Rows || in.Dim[5] != s.Places {
		return raw.Bad(reading, s.path, "the file changed while it was read")
	}
	to := from + len(turned)/s.Places
	for first := 0; first < s.Places; first += len(block) / s.Rows {
		n := min(len(block)/s.Rows, s.Places-first)
		if err := in.Read(block[:n*s.Rows]); err != nil {
			return err
		}
		for row := from; row < to; row++ {
			line := turned[(row-from)*s.Places+first:]
			for i := range n {
				line[i] = block[i*s.Rows+row]
			}
		}
	}
	return in.Finish()
}
