// Package gifti reads and writes GIFTI files (.gii): surfaces, labels, shapes and functional maps
// of one hemisphere.
//
// All encodings within the file are read (ASCII, Base64Binary, GZipBase64Binary), with both byte
// orders and both orders of indices; the result is always row by row. A file that refers to another
// one (ExternalFileBinary) is refused, so that no other file is opened. The specification is GIFTI
// 1.0 (NITRC, 14 January 2011).
//
// [Read] takes a file whole. [OpenSeries] reads time series (.func.gii) row by row, in bounded memory.
package gifti

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const reading = "read gifti"

// The contents of an array (intents).
const (
	PointSet = "NIFTI_INTENT_POINTSET"
	Triangle = "NIFTI_INTENT_TRIANGLE"
	Label    = "NIFTI_INTENT_LABEL"
	Shape    = "NIFTI_INTENT_SHAPE"
	None     = "NIFTI_INTENT_NONE"
)

// Image is the content of a GIFTI file.
type Image struct {
	Arrays []Array
	Labels []LabelEntry
	Meta   map[string]string
}

// LabelEntry is the name and colour of a label.
type LabelEntry struct {
	Key        int32
	Name       string
	R, G, B, A float32 // 0 to 1
}

// Array is one array, row by row.
type Array struct {
	Intent string
	Dims   []int
	Meta   map[string]string

	data  []byte
	kind  raw.Type
	order binary.ByteOrder
	name  string // for errors
}

// Read reads the file at path, which may be gzipped as a whole (.gii.gz).
func Read(path string) (*Image, error) {
	data, err := raw.ReadFile(reading, path)
	if err != nil {
		return nil, err
	}
	return Parse(data, path)
}

// Parse reads the bytes of a file, which errors call name.
func Parse(data []byte, name string) (*Image, error) {
	if raw.IsGzip(data) {
		whole, err := raw.GunzipAll(data)
		if err != nil {
			return nil, raw.Damaged(reading, name, err)
		}
		data = whole
	}
	root, err := raw.ParseXML(data)
	if err != nil {
		return nil, raw.Damaged(reading, name, err)
	}
	if root.Name != "GIFTI" {
		return nil, raw.Bad(reading, name, "the outermost element is %s, want GIFTI",
			quote.OneLine(quote.Short(root.Name))).
			WithHint("check that it is a GIFTI file")
	}
	im := &Image{Meta: meta(root)}
	if im.Labels, err = LabelTable(root.One("LabelTable")); err != nil {
		return nil, raw.Damaged(reading, name, err)
	}
	arrays := root.All("DataArray")
	if n := root.Attr("NumberOfDataArrays"); n != "" && n != strconv.Itoa(len(arrays)) {
		return nil, raw.Damaged(reading, name, fmt.Errorf("%s arrays are declared, there are %d", quote.Short(n),
			len(arrays)))
	}
	for i, e := range arrays {
		a, err := array(e)
		if err != nil {
			var f *fault.Error
			if errors.As(err, &f) {
				f.Path = fmt.Sprintf("%s: array %d", quote.OneLine(name), i)
				return nil, f
			}
			return nil, raw.Damaged(reading, fmt.Sprintf("%s: array %d", quote.OneLine(name), i), err)
		}
		a.name = fmt.Sprintf("%s: array %d", quote.OneLine(name), i)
		im.Arrays = append(im.Arrays, *a)
	}
	return im, nil
}

func meta(e *raw.Element) map[string]string {
	m := map[string]string{}
	for _, md := range e.One("MetaData").All("MD") {
		m[md.One("Name").Trimmed()] = md.One("Value").Trimmed()
	}
	return m
}

// LabelTable reads a table of labels, also of CIFTI.
func LabelTable(table *raw.Element) ([]LabelEntry, error) {
	var out []LabelEntry
	seen := map[int32]bool{}
	for _, e := range table.All("Label") {
		key := e.Attr("Key")
		if key == "" {
			key = e.Attr("Index") // its name in version 1.0 of the format
		}
		k, err := strconv.ParseInt(key, 10, 32)
		if err != nil || seen[int32(k)] {
			return nil, fmt.Errorf("label %q has the key %q, which is no whole number or occurs twice",
				quote.Short(e.Trimmed()), quote.Short(key))
		}
		seen[int32(k)] = true
		l := LabelEntry{Key: int32(k), Name: e.Trimmed(), A: 1}
		for name, part := range map[string]*float32{"Red": &l.R, "Green": &l.G, "Blue": &l.B, "Alpha": &l.A} {
			if text := e.Attr(name); text != "" {
				v, err := strconv.ParseFloat(text, 32)
				if err != nil || !(v >= 0 && v <= 1) {
					return nil, fmt.Errorf("label %q has a colour of %q, want 0 to 1", quote.Short(l.Name),
						quote.Short(text))
				}
				*part = float32(v)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

const maxRank = 6 // of the format

func array(e *raw.Element) (*Array, error) {
	shape, err := shapeOf(e)
	if err != nil {
		return nil, err
	}
	a := &Array{Intent: e.Attr("Intent"), Meta: meta(e), Dims: shape.dims, kind: shape.kind, order: shape.order}
	size, err := raw.Bytes(a.kind, a.Dims)
	if err != nil {
		return nil, err
	}
	if a.data, err = a.decode(e, size); err != nil {
		return nil, err
	}
	if shape.first {
		a.data = elements.ByRows(a.data, a.Dims, a.kind.Size())
	}
	return a, nil
}

// shapeOf reads the attributes of an array.
func shapeOf(e *raw.Element) (shape, error) {
	var s shape
	typeName, _ := bytes.CutPrefix([]byte(e.Attr("DataType")), []byte("NIFTI_TYPE_"))
	s.kind = raw.TypeByName(string(typeName))
	rank, err := strconv.Atoi(e.Attr("Dimensionality"))
	if err != nil || rank < 1 || rank > maxRank {
		return s, fmt.Errorf("the dimensionality is %q, want 1 to %d", quote.Short(e.Attr("Dimensionality")), maxRank)
	}
	for k := range rank {
		text := e.Attr(fmt.Sprintf("Dim%d", k))
		d, err := strconv.Atoi(text)
		if err != nil || d < 1 {
			return s, fmt.Errorf("dimension Dim%d is %q, want a whole number above 0", k, quote.Short(text))
		}
		s.dims = append(s.dims, d)
	}
	if s.kind == 0 {
		return s, fmt.Errorf("the data type %q is unknown", quote.Short(e.Attr("DataType")))
	}
	if _, err := raw.Bytes(s.kind, s.dims); err != nil {
		return s, err
	}
	switch order := e.Attr("ArrayIndexingOrder"); order {
	case "", "RowMajorOrder":
	case "ColumnMajorOrder":
		s.first = true
	default:
		return s, fmt.Errorf("the order of indices is %q, want RowMajorOrder or ColumnMajorOrder", quote.Short(order))
	}
	s.order = binary.LittleEndian
	switch endian := e.Attr("Endian"); endian {
	case "BigEndian":
		s.order = binary.BigEndian
	case "LittleEndian", "":
	default:
		return s, fmt.Errorf("the byte order is %q, want LittleEndian or BigEndian", quote.Short(endian))
	}
	return s, nil
}

// decode returns the array's bytes, size of them. Those of ASCII are little-endian.
func (a *Array) decode(e *raw.Element, size int) ([]byte, error) {
	text := e.One("Data").Text
	switch encoding := e.Attr("Encoding"); encoding {
	case "ASCII":
		a.order = binary.LittleEndian
		return ascii(text, a.kind, size)
	case "Base64Binary":
		if base64.StdEncoding.EncodedLen(size) > len(text)+2 {
			return nil, fmt.Errorf("shape %v needs %d bytes, the data have %d characters", a.Dims, size, len(text))
		}
		data, err := unbase64(text)
		if err == nil && len(data) != size {
			err = fmt.Errorf("shape %v needs %d bytes, the data have %d", a.Dims, size, len(data))
		}
		return data, err
	case "GZipBase64Binary":
		data, err := unbase64(text)
		if err != nil {
			return nil, err
		}
		return raw.Inflate(data, size)
	case "ExternalFileBinary":
		return nil, external(e)
	default:
		return nil, fmt.Errorf("the encoding %q is unknown", quote.Short(encoding))
	}
}

func unbase64(text []byte) ([]byte, error) {
	text = bytes.Join(bytes.Fields(text), nil)
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(out, text)
	if err != nil {
		return nil, fmt.Errorf("the base64 is damaged: %w", err)
	}
	return out[:n], nil
}

// ascii reads numbers between white space.
func ascii(text []byte, kind raw.Type, size int) ([]byte, error) {
	if n := size / kind.Size(); 2*n-1 > len(text) {
		return nil, fmt.Errorf("%d numbers are declared, %d characters cannot hold them", n, len(text))
	}
	out := make([]byte, 0, size)
	for field := range bytes.FieldsSeq(text) {
		if len(out) == size {
			return nil, fmt.Errorf("there are more than the %d numbers that are declared", size/kind.Size())
		}
		var err error
		if out, err = appendNumber(out, string(field), kind); err != nil {
			return nil, err
		}
	}
	if len(out) != size {
		return nil, fmt.Errorf("%d numbers are declared, there are %d", size/kind.Size(), len(out)/kind.Size())
	}
	return out, nil
}

func appendNumber(out []byte, text string, kind raw.Type) ([]byte, error) {
	bits := 8 * kind.Size()
	var n uint64
	var err error
	switch kind {
	case raw.Float32, raw.Float64:
		var v float64
		if v, err = strconv.ParseFloat(text, bits); kind == raw.Float32 {
			n = uint64(math.Float32bits(float32(v)))
		} else {
			n = math.Float64bits(v)
		}
	case raw.Uint8, raw.Uint16, raw.Uint32, raw.Uint64:
		n, err = strconv.ParseUint(text, 10, bits)
	default:
		var v int64
		v, err = strconv.ParseInt(text, 10, bits)
		n = uint64(v)
	}
	if err != nil {
		return nil, fmt.Errorf("%q is no number of %s", quote.Short(text), kind.Name())
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	return append(out, b[:kind.Size()]...), nil
}

// Len is the number of elements.
func (a *Array) Len() int { return len(a.data) / a.kind.Size() }

// Float32 returns the elements, rounded to 32 bits.
func (a *Array) Float32() []float32 {
	out := make([]float32, a.Len())
	for i := range out {
		out[i] = float32(raw.Float(a.data, a.kind, a.order, i))
	}
	return out
}

// Int32 returns the elements of an array of whole numbers, whatever their type.
func (a *Array) Int32() ([]int32, error) {
	out := make([]int32, a.Len())
	for i := range out {
		var err error
		if out[i], err = raw.Whole(raw.Float(a.data, a.kind, a.order, i), i); err != nil {
			return nil, raw.Bad(reading, a.name, "%v", err).WithHint("check that it holds labels or indices")
		}
	}
	return out, nil
}

// Find returns the first array of an intent, nil if there is none.
func (im *Image) Find(intent string) *Array {
	for i := range im.Arrays {
		if im.Arrays[i].Intent == intent {
			return &im.Arrays[i]
		}
	}
	return nil
}
