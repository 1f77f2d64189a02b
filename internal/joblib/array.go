package joblib

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/pickle"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// dtype is the type of an array's elements.
type dtype struct {
	code  string // NumPy's: "f8"
	order byte   // of bytes: '<', '>' or '|'
}

// kinds are the types that are read, by NumPy's code.
var kinds = map[string]elements.Kind{
	"b1": elements.Bool, "i1": elements.Int8, "i2": elements.Int16, "i4": elements.Int32, "i8": elements.Int64,
	"u1": elements.Uint8, "u2": elements.Uint16, "u4": elements.Uint32, "u8": elements.Uint64,
	"f2": elements.Float16, "f4": elements.Float32, "f8": elements.Float64,
}

// setOrder reads the attributes of a dtype: (version, order of bytes, subtype, names, fields, size, ...).
func (d *dtype) setOrder(state any) error {
	t, err := pickle.Want[pickle.Tuple](state)
	if err != nil {
		return err
	}
	order, ok := "", false
	if len(t) >= 5 {
		order, ok = t[1].(string)
	}
	if !ok || len(order) != 1 {
		return errors.New("a dtype without its order of bytes")
	}
	if t[2] != nil || t[3] != nil && len(d.code) > 0 && d.code[0] == 'V' {
		return &advised{errors.New("holds an array of records, want plain numbers"), saveAgain}
	}
	d.order = order[0]
	return nil
}

// size is the number of bytes of an element, and what it is if it is not read.
func (d *dtype) size() (size int64, what string, err error) {
	if k, ok := kinds[d.code]; ok {
		return int64(k.Size()), "", nil
	}
	letter := byte(' ')
	if d.code != "" {
		letter = d.code[0]
	}
	n, bad := strconv.ParseInt(d.code[min(1, len(d.code)):], 10, 32)
	switch {
	case letter == 'O':
		return 0, "", &advised{errors.New("holds an object array, whose elements only running them can read"),
			saveAgain}
	case bad != nil || n < 0:
	case letter == 'U':
		return 4 * n, "text", nil
	case letter == 'S' || letter == 'a':
		return n, "text", nil
	case letter == 'c':
		return n, "an array of complex numbers", nil
	case letter == 'm' || letter == 'M':
		return n, "an array of dates", nil
	case letter == 'f':
		return n, "an array of floats of " + d.code[1:] + " bytes", nil
	}
	return 0, "", &advised{fmt.Errorf("holds an array of dtype %s, want numbers", quote.OneLine(quote.Short(d.code))),
		saveAgain}
}

// array is an array of the pickle. Until it has its attributes, its dtype is nil.
type array struct {
	wrapped   bool // it is joblib's wrapper, after which the elements come
	shape     []int
	dtype     *dtype
	byColumns bool
	at        int64  // of the elements in the stream
	inline    []byte // the elements, if they are not in the stream as they are
	what      string // what it is, if it is not read
}

// newArray begins an array of a class, which must be numpy.ndarray.
func newArray(class any) (*array, error) {
	if class != pickle.Global("numpy.ndarray") {
		name := pickle.Kind(class)
		if g, ok := class.(pickle.Global); ok {
			name = quote.OneLine(quote.Short(string(g)))
		}
		return nil, &advised{fmt.Errorf("holds an array of the class %s, want numpy.ndarray", name), saveAgain}
	}
	return &array{}, nil
}

// describe sets the shape and the type, and returns the number of bytes of the elements.
func (a *array) describe(shape, of any) (int64, error) {
	dims, err := pickle.Want[pickle.Tuple](shape)
	if n, one := shape.(int64); one {
		dims, err = pickle.Tuple{n}, nil
	}
	if err != nil {
		return 0, fmt.Errorf("a shape: %w", err)
	}
	if len(dims) > elements.MaxRank {
		return 0, fmt.Errorf("an array of %d dimensions, at most %d are possible", len(dims), elements.MaxRank)
	}
	a.shape = make([]int, len(dims))
	for i, d := range dims {
		n, ok := d.(int64)
		if !ok || n < 0 {
			return 0, fmt.Errorf("number %d of a shape is %s, want a whole number from 0 on", i, pickle.Kind(d))
		}
		a.shape[i] = int(n)
	}
	if a.dtype, err = pickle.Want[*dtype](of); err != nil {
		return 0, err
	}
	width, what, err := a.dtype.size()
	if err != nil {
		return 0, err
	}
	if a.what = what; what == "" && width > 1 && a.dtype.order == '|' {
		return 0, errors.New("a dtype has no order of bytes")
	}
	return elements.ByteSize(a.shape, int(8*width))
}

// wrap reads joblib's attributes of an array and passes over its elements: perhaps padding, of which the first
// byte says how much follows, and the elements.
func (a *array) wrap(state any, text *pickle.Text) error {
	d, err := pickle.Want[*pickle.Dict](state)
	switch {
	case err != nil:
		return err
	case a.dtype != nil:
		return errors.New("an array has its attributes already")
	}
	if _, err := newArray(d.Items["subclass"]); err != nil {
		return err
	}
	size, err := a.describe(d.Items["shape"], d.Items["dtype"])
	if err != nil {
		return err
	}
	switch d.Items["order"] {
	case "C":
	case "F":
		a.byColumns = true
	default:
		return fmt.Errorf("the order of an array is %v, want C or F", d.Items["order"])
	}
	if d.Items["numpy_array_alignment_bytes"] != nil {
		padding, err := text.Byte()
		if err == nil {
			err = text.Skip(int64(padding))
		}
		if err != nil {
			return err
		}
	}
	a.at = text.Pos()
	return text.Skip(size)
}

// fill reads NumPy's attributes of an array: (version, shape, dtype, by columns, elements).
func (a *array) fill(state any) error {
	t, err := pickle.Want[pickle.Tuple](state)
	switch {
	case err != nil:
		return err
	case a.dtype != nil:
		return errors.New("an array has its attributes already")
	case len(t) != 5:
		return fmt.Errorf("an array of %d attributes, want 5", len(t))
	}
	byColumns, ok := t[3].(bool)
	if !ok {
		return errors.New("an array without its order")
	}
	a.byColumns = byColumns
	size, err := a.describe(t[1], t[2])
	if err != nil {
		return err
	}
	return a.take(t[4], size)
}

// buffered is an array as protocol 5 has it: elements, dtype, shape and order.
func buffered(args pickle.Tuple) (any, error) {
	a := &array{byColumns: args[3] == "F"}
	if !a.byColumns && args[3] != "C" {
		return nil, fmt.Errorf("the order of an array is %v, want C or F", args[3])
	}
	size, err := a.describe(args[2], args[1])
	if err != nil {
		return nil, err
	}
	return a, a.take(args[0], size)
}

// take takes the elements, which are size bytes or a text of as many letters.
func (a *array) take(from any, size int64) error {
	found := int64(-1)
	switch v := from.(type) {
	case pickle.Bytes:
		a.at, found = v.At, v.Len
	case string:
		a.inline = make([]byte, 0, len(v))
		for _, r := range v {
			if r > 0xff {
				return errors.New("the elements of an array are a text")
			}
			a.inline = append(a.inline, byte(r))
		}
		found = int64(len(a.inline))
	default:
		return fmt.Errorf("the elements of an array are %s, want bytes", pickle.Kind(v))
	}
	if found != size {
		return fmt.Errorf("shape %v of %s needs %d bytes, there are %d", a.shape, a.dtype.code, size, found)
	}
	return nil
}

// scalar is a number of NumPy's: (dtype, bytes). What is no number stays inert.
func scalar(args pickle.Tuple) (any, error) {
	a := &array{}
	size, err := a.describe(pickle.Tuple{}, args[0])
	if err != nil || a.what != "" {
		return &object{class: "numpy scalar"}, err
	}
	var data []byte
	if b, ok := args[1].(pickle.Bytes); ok {
		data = []byte(b.Data)
	} else if err := a.take(args[1], size); err != nil {
		return nil, err
	} else {
		data = a.inline
	}
	if int64(len(data)) != size {
		return nil, fmt.Errorf("a number of %d bytes, want %d", len(data), size)
	}
	if a.dtype.order == '>' {
		swapped := make([]byte, len(data))
		for i := range data {
			swapped[i] = data[len(data)-1-i]
		}
		data = swapped
	}
	kind := kinds[a.dtype.code]
	if kind == elements.Bool {
		return data[0] != 0, nil
	}
	if whole, err := elements.Numbers[int64](data, kind); err == nil {
		return whole[0], nil
	}
	if kind == elements.Float64 {
		return math.Float64frombits(binary.LittleEndian.Uint64(data)), nil
	}
	x, err := elements.Numbers[float64](data, kind)
	if err != nil {
		return nil, err
	}
	return x[0], nil
}
