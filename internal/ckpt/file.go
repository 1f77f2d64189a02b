package ckpt

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// File is an open checkpoint: one safetensors or PyTorch file, or the shards of one model read as
// if they were one. Its header is in memory and checked; data are read on demand. Methods may be
// called from several goroutines at once.
type File struct {
	tensors  []TensorInfo
	index    map[string]int // into tensors
	metadata map[string]string
	settings map[string]any // of a PyTorch file
	shards   []*shard
}

// shard is one file of a checkpoint.
type shard struct {
	name string // for errors
	data io.ReaderAt
	what string // the operation, for errors
}

// TensorInfo describes a tensor of a File. Shape is shared with the File and must not be changed.
type TensorInfo struct {
	Name  string
	DType DType
	Shape []int

	shard      *shard
	begin, end int64 // in the shard; where there are strides, only the first element and the size count
	strides    []int // in elements, nil if they follow each other row by row
}

// Len is the number of elements.
func (t TensorInfo) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// size is the number of bytes.
func (t TensorInfo) size() int64 { return t.end - t.begin }

// Open opens the safetensors file at path and checks its header. The caller closes the File.
func Open(path string) (*File, error) { return open(path, readSafetensors, Read) }

// open opens the file at path with read; what is the operation, for errors.
func open(path, what string, read func(r io.ReaderAt, size int64, name string) (*File, error)) (*File, error) {
	file, size, err := inputfile.Open(what, path)
	if err != nil {
		return nil, err
	}
	f, err := read(file, size, path)
	if err != nil {
		file.Close() // the first error is the one to report
		return nil, err
	}
	return f, nil
}

// Read checks the header of the safetensors bytes in r, size in all. Errors call them name. Closing
// the File closes r if it is an io.Closer.
func Read(r io.ReaderAt, size int64, name string) (*File, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, wrongKind(readSafetensors, name, r, size, err)
	}
	f := &File{index: make(map[string]int, len(h.tensors)), metadata: h.metadata}
	return f, f.add(&shard{name, r, readSafetensors}, h.tensors)
}

// add appends a shard's tensors, whose names must be new.
func (f *File) add(s *shard, tensors []TensorInfo) error {
	f.shards = append(f.shards, s)
	for _, t := range tensors {
		if _, twice := f.index[t.Name]; twice {
			other := f.tensors[f.index[t.Name]].shard.name
			return fault.New(fault.BadData, readModel, place(s.name, t.Name), "the tensor is also in %s",
				quote.OneLine(other)).WithHint(incomplete)
		}
		t.shard = s
		f.index[t.Name] = len(f.tensors)
		f.tensors = append(f.tensors, t)
	}
	return nil
}

// Close closes what Open opened. A second Close does nothing.
func (f *File) Close() error {
	var errs []error
	for _, s := range f.shards {
		if c, ok := s.data.(io.Closer); ok {
			if err := c.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
				errs = append(errs, readError(s.what, s.name, err))
			}
		}
	}
	return errors.Join(errs...)
}

// Tensors yields the tensors in the order of their data, shard by shard.
func (f *File) Tensors() iter.Seq[TensorInfo] { return slices.Values(f.tensors) }

// Names lists the tensors in the order of Tensors.
func (f *File) Names() []string {
	names := make([]string, len(f.tensors))
	for i, t := range f.tensors {
		names[i] = t.Name
	}
	return names
}

// Info describes the tensor called name and reports whether there is one.
func (f *File) Info(name string) (TensorInfo, bool) {
	i, ok := f.index[name]
	if !ok {
		return TensorInfo{}, false
	}
	return f.tensors[i], true
}

// Where returns FILE:TENSOR, which names a tensor in messages.
func (f *File) Where(name string) string {
	file := f.shards[0].name
	if t, ok := f.Info(name); ok {
		file = t.shard.name
	}
	return place(file, name)
}

// Metadata returns the metadata, of the first shard if there are several; nil if there is none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// bytes reads a tensor's elements as a safetensors file has them: little-endian, row by row.
func (f *File) bytes(name string) ([]byte, error) {
	t, ok := f.Info(name)
	if !ok {
		return nil, f.noTensor(name)
	}
	return t.read()
}

func (t TensorInfo) read() ([]byte, error) {
	var data []byte
	var err error
	if t.strides != nil {
		data, err = t.gather()
	} else {
		data = make([]byte, t.size())
		err = inputfile.Fill(t.shard.data, data, t.begin)
	}
	if err != nil {
		return nil, readError(t.shard.what, t.shard.name, &tensorError{t.Name, err})
	}
	return data, nil
}

// Float32 reads a tensor of F32, F16 or BF16 exactly, of F64 rounded to nearest, or of integers.
func (f *File) Float32(name string) ([]float32, error) {
	return read(f, name, elements.Numbers[float32])
}

// Float64 reads a tensor of any float or integer type.
func (f *File) Float64(name string) ([]float64, error) {
	return read(f, name, elements.Numbers[float64])
}

// Int64 reads a tensor of any integer type.
func (f *File) Int64(name string) ([]int64, error) { return read(f, name, elements.Numbers[int64]) }

func read[T any](f *File, name string, convert func([]byte, elements.Kind) ([]T, error)) ([]T, error) {
	data, err := f.bytes(name)
	if err != nil {
		return nil, err
	}
	d := f.tensors[f.index[name]].DType
	var out []T
	if kind := dtypes[d].kind; kind != "" {
		out, err = convert(data, kind)
	} else {
		err = fmt.Errorf("holds %v, which cannot be read as numbers", d)
	}
	if err != nil {
		return nil, fault.New(fault.BadData, f.what(), f.Where(name), "%v", err).WithHint("store it as another dtype")
	}
	return out, nil
}

// Tensor returns a tensor that can be written to another file. Its data are copied when it is
// written, so f must be open until then.
func (f *File) Tensor(name string) (Tensor, error) {
	t, ok := f.Info(name)
	if !ok {
		return Tensor{}, f.noTensor(name)
	}
	return Tensor{Name: t.Name, DType: t.DType, Shape: t.Shape, Data: section{t}}, nil
}

func (f *File) noTensor(name string) error {
	return fault.New(fault.BadData, f.what(), f.Where(name), "there is no such tensor among %d", len(f.tensors)).
		WithHint("check that the file belongs to this model")
}

// what is the operation of reading f, for errors.
func (f *File) what() string { return f.shards[0].what }
