package mat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// header4 is the length of the header of a variable of version 4, which are 5 numbers of 4 bytes: the digits
// MOPT, rows, columns, whether there are imaginary parts, and the length of the name. M is the machine, O is 0, P
// the type of the elements, T what they are.
const header4 = 20

var (
	kinds4 = []elements.Kind{elements.Float64, elements.Float32, elements.Int32, elements.Int16, elements.Uint16,
		elements.Uint8}
	machines4 = []string{"little-endian", "big-endian", "of a VAX", "of a VAX", "of a Cray"}
)

// list4 lists the variables of a file of version 4.
func (f *File) list4() error {
	head := make([]byte, header4)
	for at := int64(0); at < f.size; {
		if f.size-at < header4 {
			return fmt.Errorf("variable at byte %d: the file ends within its header", at)
		}
		if err := inputfile.Fill(f.from, head, at); err != nil {
			return err
		}
		if f.order == nil {
			f.order = order4(head)
		}
		next, err := f.variable4(head, at)
		if err != nil {
			return fmt.Errorf("variable at byte %d: %w", at, err)
		}
		at = next
	}
	return nil
}

// order4 is the order of bytes in which the first number is one of four digits.
func order4(head []byte) binary.ByteOrder {
	if binary.LittleEndian.Uint32(head) < 5000 {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

// variable4 lists the variable with a header and returns where the next one begins.
func (f *File) variable4(head []byte, at int64) (int64, error) {
	var n [5]int64
	for i := range n {
		n[i] = int64(int32(f.order.Uint32(head[4*i:])))
	}
	mopt, rows, columns, imaginary, length := n[0], n[1], n[2], n[3], n[4]
	machine, reserved, precision, what := mopt/1000, mopt/100%10, mopt/10%10, mopt%10
	switch {
	case mopt < 0 || machine >= int64(len(machines4)) || reserved != 0 || precision >= int64(len(kinds4)) || what > 2 ||
		rows < 0 || columns < 0 || imaginary < 0 || imaginary > 1 || length < 1 || length > maxName:
		return 0, errors.New("is not a variable of a MATLAB file of version 4")
	case machine > 1:
		return 0, fmt.Errorf("its numbers are those %s, which are not read", machines4[machine])
	case machines4[machine] == "big-endian" != (f.order == binary.BigEndian):
		return 0, errors.New("its order of bytes is not that of the file")
	}
	kind, shape := kinds4[precision], []int{int(rows), int(columns)}
	size, err := elements.ByteSize([]int{int(rows), int(columns), int(1 + imaginary)}, 8*kind.Size())
	begin := at + header4 + length
	if err == nil && (begin > f.size || size > f.size-begin) {
		err = fmt.Errorf("shape %v of %s needs %d bytes, there are %d", shape, kind, size, max(0, f.size-begin))
	}
	if err != nil {
		return 0, err
	}
	text := make([]byte, length)
	if err := inputfile.Fill(f.from, text, at+header4); err != nil {
		return 0, err
	}
	name, _, _ := strings.Cut(string(text), "\x00")
	name = strings.ToValidUTF8(name, "\ufffd")
	switch {
	case name == "":
		err = errors.New("has no name")
	case what == 1:
		err = f.addOther(name, "text", false)
	case what == 2:
		err = f.addOther(name, "a sparse matrix", true)
	case imaginary == 1:
		err = f.addOther(name, "an array of complex numbers", true)
	default:
		v := &variable{file: f, size: f.size}
		err = f.add(stored.Array{Name: name, Shape: shape, DType: kind, ByColumns: true, Offset: begin}, place{v, begin,
			kind})
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", quote.OneLine(quote.Short(name)), err)
	}
	return begin + size, nil
}
