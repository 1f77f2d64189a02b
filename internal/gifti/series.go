package gifti

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

// Series is a time series of one hemisphere: a file with one array for each volume, as FreeSurfer and Workbench write
// it, or with one array of volumes by vertices or vertices by volumes.
type Series struct {
	Rows, Vertices int
	TimeStep       float64 // the time between rows as the file has it, mostly in milliseconds; 0 if it has none
	Structure      string  // AnatomicalStructurePrimary: CortexLeft, CortexRight, ""

	// PassBytes bounds the memory in which an array of vertices by volumes is turned, which takes as many passes
	// over the file as it fills. OpenSeries sets 64 MiB.
	PassBytes int

	path     string
	form     form
	first    shape // of array 0, and of the others
	arrays   int
	declared int // arrays as the file's element says, 0 if it does not
}

// form tells where the rows of a series are.
type form int

const (
	arrayPerRow form = iota
	rowsFirst
	verticesFirst
)

// maxSeries bounds the rows of a series.
const maxSeries = 1 << 20

// OpenSeries reads the shapes of a file at path. Vertices is the number of vertices of the hemisphere's surface. It
// tells which side of a single array is time, and a file of another number is refused; 0 means that it is unknown,
// which is an error for a single array. Values are not decoded, and of a file that says how many arrays it has only the
// beginning is read.
func OpenSeries(path string, vertices int) (*Series, error) {
	s := &Series{path: path, PassBytes: 64 << 20}
	if err := s.scan(s.note); err != nil {
		return nil, err
	}
	if err := s.decide(vertices); err != nil {
		return nil, raw.Bad(reading, path, "%s", err.Error())
	}
	return s, nil
}

// visitor gets an array and its Data.
type visitor func(array int, e *raw.Element, text io.Reader) error

// scan calls visit with each array.
func (s *Series) scan(visit visitor) error {
	file, _, err := inputfile.Open(reading, s.path)
	if err != nil {
		return err
	}
	defer file.Close()
	return s.scanFile(file, visit)
}

// errStop ends a scan that has seen enough.
var errStop = errors.New("stop")

func (s *Series) scanFile(file io.Reader, visit visitor) error {
	in, _, err := raw.Expand(file)
	if err != nil {
		return raw.Damaged(reading, s.path, err)
	}
	x := raw.NewXMLReader(in)
	root, err := x.Next()
	switch {
	case err == nil && root != nil && root.Name == "GIFTI":
		if n, err := strconv.Atoi(root.Attr("NumberOfDataArrays")); err == nil && n > 0 && n <= maxSeries {
			s.declared = n
		}
	case err == nil && root != nil:
		return raw.Bad(reading, s.path, "the outermost element is %s, want GIFTI",
			quote.OneLine(quote.Short(root.Name))).WithHint("check that it is a GIFTI file")
	default:
		return s.damaged("", firstErr(err, errors.New("there is no XML")))
	}
	for arrays := 0; ; {
		e, err := x.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return s.damaged("", err)
		case e == nil:
			continue // the end of the file's element
		case e.Name == "DataArray":
			if err := s.array(x, arrays, e, visit); err != nil {
				if errors.Is(err, errStop) {
					return nil
				}
				return s.damaged(fmt.Sprintf(": array %d", arrays), err)
			}
			if arrays++; arrays > maxSeries {
				return s.damaged("", fmt.Errorf("there are more than the allowed %d arrays", maxSeries))
			}
		default:
			if e, err = x.Whole(e); err != nil {
				return s.damaged("", err)
			}
			if e.Name == "MetaData" {
				s.about(e)
			}
		}
	}
}

func firstErr(a, b error) error {
	if a != nil && !errors.Is(a, io.EOF) {
		return a
	}
	return b
}

// array goes through an array up to its end.
func (s *Series) array(x *raw.XMLReader, i int, e *raw.Element, visit visitor) error {
	seen := false
	for {
		part, err := x.Next()
		switch {
		case err != nil:
			return firstErr(err, errors.New("the XML ends within an array"))
		case part == nil:
			if !seen {
				return errors.New("it has no data")
			}
			return nil
		case part.Name == "Data" && !seen:
			seen = true
			text := x.Text()
			if err := visit(i, e, text); err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, text); err != nil {
				return err
			}
			if end, err := x.Next(); end != nil || err != nil {
				return firstErr(err, errors.New("its data have elements within"))
			}
		default:
			if part, err = x.Whole(part); err != nil {
				return err
			}
			if part.Name == "MetaData" {
				s.about(part)
			}
		}
	}
}

// about notes what metadata say of time and side; those of the file come before those of arrays.
func (s *Series) about(e *raw.Element) {
	for _, md := range e.All("MD") {
		switch name, value := md.One("Name").Trimmed(), md.One("Value").Trimmed(); name {
		case "TimeStep":
			if v, err := strconv.ParseFloat(value, 64); err == nil && v > 0 && v < 1e9 && s.TimeStep == 0 {
				s.TimeStep = v
			}
		case "AnatomicalStructurePrimary":
			if s.Structure == "" {
				s.Structure = quote.OneLine(quote.Short(value))
			}
		}
	}
}

// note keeps the shape of an array.
func (s *Series) note(_ int, e *raw.Element, _ io.Reader) error {
	switch intent := e.Attr("Intent"); intent {
	case PointSet, Triangle, Label:
		return fault.New(fault.BadData, reading, "", "it holds %s, not a time series", intent).
			WithHint("give the file of the functional data, func.gii")
	}
	shape, err := shapeOf(e)
	if err != nil {
		return err
	}
	if s.arrays++; s.arrays > 1 {
		return s.same(shape)
	}
	if s.first = shape; s.declared > 0 {
		s.arrays = s.declared // Each counts them
		return errStop
	}
	return nil
}

// same refuses an array of another size than the first.
func (s *Series) same(other shape) error {
	if other.len() != s.first.len() {
		return fmt.Errorf("it has %d elements, array 0 has %d", other.len(), s.first.len())
	}
	return nil
}

// decide finds which side is time.
func (s *Series) decide(vertices int) error {
	if s.arrays == 0 {
		return errors.New("there are no arrays")
	}
	a := s.first
	sides := sidesOf(a)
	s.Rows, s.Vertices = s.arrays, a.len()
	switch {
	case s.arrays > 1 || len(sides) < 2:
		if vertices > 0 && s.Vertices != vertices {
			return fmt.Errorf("its arrays have %d values each, the surface has %d vertices", s.Vertices, vertices)
		}
		return nil
	case len(sides) > 2:
		return fmt.Errorf("shape %v has more dimensions than time and vertices", a.dims)
	case vertices < 1:
		return fmt.Errorf("its one array has shape %v, and nothing tells which side is time: "+
			"the number of vertices of the surface is needed", a.dims)
	case sides[0] == vertices && sides[1] == vertices:
		return fmt.Errorf("its one array has shape %v for %d vertices: which side is time cannot be told", a.dims,
			vertices)
	case sides[0] != vertices && sides[1] != vertices:
		return fmt.Errorf("its one array has shape %v, the surface has %d vertices", a.dims, vertices)
	}
	time := 0
	if sides[0] == vertices {
		time = 1
	}
	s.Rows, s.Vertices = sides[time], vertices
	s.form = verticesFirst
	if (time == 0) != a.first { // the last index runs fastest, so rows are together if time is the first
		s.form = rowsFirst
	}
	return nil
}

// sidesOf returns the dimensions that are not 1.
func sidesOf(a shape) []int {
	var out []int
	for _, d := range a.dims {
		if d > 1 {
			out = append(out, d)
		}
	}
	return out
}

// damaged makes the error of a file; where is a place in it.
func (s *Series) damaged(where string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		f.Path = quote.OneLine(s.path) + where
		return f
	}
	if raw.OfSystem(err) {
		return inputfile.Error(reading, s.path, err)
	}
	return raw.Damaged(reading, s.path+where, err)
}
