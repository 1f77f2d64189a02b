package stored

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Array describes an array of numbers in a file.
type Array struct {
	Name      string
	Shape     []int
	DType     elements.Kind // of the elements in the file
	BigEndian bool
	ByColumns bool // the first index runs fastest ("Fortran order")

	// Scale is what an attribute of integers says they are to be multiplied by, 0 if none does. They are read as they
	// are: no standard says whether they were.
	Scale float64

	// Offset is where the elements begin in the file, so that other programs can map them; -1 if they are
	// compressed.
	Offset int64
}

// Other is something in a file that cannot be read as an array of numbers.
type Other struct {
	Name string
	What string // "a sparse matrix"
	Data bool   // it is an array of numbers all the same, which the user may mean
}

// String names an array with its shape and type: "souls (291, 95556) float64".
func (a Array) String() string {
	dims := make([]string, len(a.Shape))
	for i, d := range a.Shape {
		dims[i] = fmt.Sprint(d)
	}
	return fmt.Sprintf("%s (%s) %s", quote.OneLine(quote.Short(a.Name)), strings.Join(dims, ", "), a.DType)
}

// Bytes is the number of bytes of all elements, or an error for a shape that no file can hold.
func (a Array) Bytes() (int64, error) { return elements.ByteSize(a.Shape, 8*a.DType.Size()) }

// errRank is the error of an array that is not a matrix, nor several.
var errRank = errors.New("want one, two or three dimensions: rows, (rows, columns) or (repeats, rows, columns)")

// Extent is the array as matrices of the same size, one for each repeat. An array of one dimension is a matrix
// of one column.
func (a Array) Extent() (repeats, rows, columns int, err error) {
	switch s := a.Shape; len(s) {
	case 1:
		return 1, s[0], 1, nil
	case 2:
		return 1, s[0], s[1], nil
	case 3:
		return s[0], s[1], s[2], nil
	}
	return 0, 0, 0, fmt.Errorf("%s has %d dimensions, %w", quote.OneLine(quote.Short(a.Name)), len(a.Shape), errRank)
}
