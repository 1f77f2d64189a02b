package ckpt

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/pickle"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// storageTypes are the types of storages, as PyTorch names them in a pickle.
var storageTypes = map[pickle.Global]DType{
	"torch.FloatStorage": F32, "torch.DoubleStorage": F64, "torch.HalfStorage": F16, "torch.BFloat16Storage": BF16,
	"torch.LongStorage": I64, "torch.IntStorage": I32, "torch.ShortStorage": I16, "torch.CharStorage": I8,
	"torch.ByteStorage": U8, "torch.BoolStorage": BOOL,
}

// maxTorchRank bounds the dimensions of a tensor in a PyTorch file. No model has as many.
const maxTorchRank = 16

// storage is an entry of the archive that holds the elements of one or several tensors.
type storage struct {
	member
	dtype DType
	len   int64 // elements
}

// tensorMaker checks the tensors of a pickle against the archive. A tensor is a TensorInfo without
// a name.
type tensorMaker struct {
	archive  *archive
	storages map[string]*storage // by key
}

// storage returns the storage of a persistent id: ("storage", type, key, device, elements). The
// device does not matter here.
func (m *tensorMaker) storage(id any) (any, error) {
	parts, _ := id.(pickle.Tuple)
	if len(parts) != 5 {
		return nil, errors.New("the id of a storage is not a tuple of 5")
	}
	kind, isKind := parts[1].(pickle.Global)
	key, isKey := parts[2].(string)
	n, isLen := parts[4].(int64)
	dt, known := storageTypes[kind]
	if parts[0] != "storage" || !isKind || !known || !isKey || !isLen {
		return nil, errors.New("the id of a storage is not ('storage', type, key, device, length)")
	}
	if key == "" || strings.Trim(key, "0123456789") != "" {
		return nil, &advised{fmt.Errorf("the key %s of a storage is not a number", quote.OneLine(quote.Short(key))),
			distrust}
	}
	if s, seen := m.storages[key]; seen {
		if s.dtype != dt || s.len != n {
			return nil, &advised{fmt.Errorf("storage %s is described in two ways", key), distrust}
		}
		return s, nil
	}
	at, ok := m.archive.members["data/"+key]
	if !ok {
		return nil, fmt.Errorf("storage %s is not in the archive", quote.Short(key))
	}
	if n < 0 || n > math.MaxInt64/8 || n*int64(dt.size()) != at.size {
		return nil, fmt.Errorf("storage %s has %d bytes, which are not %d elements of %v", key, at.size, n, dt)
	}
	s := &storage{at, dt, n}
	m.storages[key] = s
	return s, nil
}

// tensor is a view of a storage: (storage, offset, shape, strides, requires_grad, hooks[,
// metadata]), all counted in elements. Every element must be in the storage, and there may be no
// more of them than the storage has.
func (m *tensorMaker) tensor(args pickle.Tuple) (any, error) {
	if len(args) != 6 && len(args) != 7 {
		return nil, fmt.Errorf("a tensor of %d parts, want 6 or 7", len(args))
	}
	s, isStorage := args[0].(*storage)
	offset, isOffset := args[1].(int64)
	_, isFlag := args[4].(bool)
	if !isStorage || !isOffset || !isFlag || !isEmptyDict(args[5]) || len(args) == 7 && args[6] != nil &&
		!isEmptyDict(args[6]) {
		return nil, errors.New("a tensor that is not (storage, offset, shape, strides, requires_grad, no hooks)")
	}
	shape, err := whole(args[2])
	if err != nil {
		return nil, err
	}
	strides, err := whole(args[3])
	if err != nil {
		return nil, err
	}
	if len(shape) != len(strides) {
		return nil, fmt.Errorf("a tensor of %d dimensions with %d strides", len(shape), len(strides))
	}
	size, err := elements.ByteSize(shape, s.dtype.bits())
	if err != nil {
		return nil, err
	}
	if size > s.size {
		return nil, fmt.Errorf("a tensor of %d bytes in a storage of %d", size, s.size)
	}
	if offset < 0 || offset > s.len {
		return nil, fmt.Errorf("a tensor at element %d of a storage of %d", offset, s.len)
	}
	t := &TensorInfo{DType: s.dtype, Shape: shape, begin: s.begin + offset*int64(s.dtype.size())}
	t.end = t.begin + size
	if size == 0 {
		return t, nil
	}
	last, err := lastElement(offset, shape, strides)
	if err != nil {
		return nil, err
	}
	if last >= s.len {
		return nil, fmt.Errorf("a tensor reaches element %d of a storage of %d", last, s.len)
	}
	if !rowByRow(shape, strides) {
		t.strides = strides
	}
	return t, nil
}

// parameter is (tensor, requires_grad, hooks).
func (m *tensorMaker) parameter(args pickle.Tuple) (any, error) {
	if len(args) == 3 && isEmptyDict(args[2]) {
		if t, ok := args[0].(*TensorInfo); ok {
			return t, nil
		}
	}
	return nil, errors.New("a parameter that is not (tensor, requires_grad, no hooks)")
}

func isEmptyDict(v any) bool {
	d, ok := v.(*pickle.Dict)
	return ok && len(d.Keys) == 0
}

// whole is a tuple of numbers from 0 on.
func whole(v any) ([]int, error) {
	t, ok := v.(pickle.Tuple)
	if !ok || len(t) > maxTorchRank {
		return nil, fmt.Errorf("a shape or its strides are not a tuple of at most %d numbers", maxTorchRank)
	}
	out := make([]int, len(t))
	for i, v := range t {
		n, ok := v.(int64)
		if !ok || n < 0 {
			return nil, fmt.Errorf("number %d of a shape or its strides is %v, want a whole number from 0 on", i, v)
		}
		out[i] = int(n)
	}
	return out, nil
}

// lastElement is the index in its storage of the last element of a tensor, which has one or more.
func lastElement(offset int64, shape, strides []int) (int64, error) {
	last := uint64(offset)
	for i, n := range shape {
		step, err := elements.Times(uint64(n-1), uint64(strides[i]))
		if last += step; err != nil || last > math.MaxInt64 {
			return 0, fmt.Errorf("strides %v of shape %v: %w", strides, shape, elements.ErrOverflow)
		}
	}
	return int64(last), nil
}

// rowByRow reports whether elements follow each other as in a safetensors file.
func rowByRow(shape, strides []int) bool {
	next := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 && strides[i] != next {
			return false
		}
		next *= shape[i]
	}
	return true
}

// span is the number of bytes in the file from a tensor's first element to its last.
func (t TensorInfo) span() int64 {
	if t.strides == nil {
		return t.size()
	}
	last, _ := lastElement(0, t.Shape, t.strides) // was checked
	return (last + 1) * int64(t.DType.size())
}

// gather reads a tensor with strides into row-major order.
func (t TensorInfo) gather() ([]byte, error) {
	from := make([]byte, t.span())
	if err := inputfile.Fill(t.shard.data, from, t.begin); err != nil {
		return nil, err
	}
	width := t.DType.size()
	out := make([]byte, 0, t.size())
	at := make([]int, len(t.Shape)) // the element
	for place := 0; ; {
		out = append(out, from[place*width:(place+1)*width]...)
		d := len(at) - 1
		for ; d >= 0; d-- { // the next element, the last dimension first
			at[d]++
			place += t.strides[d]
			if at[d] < t.Shape[d] {
				break
			}
			place -= at[d] * t.strides[d]
			at[d] = 0
		}
		if d < 0 {
			return out, nil
		}
	}
}
