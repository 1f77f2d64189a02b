package torch

import "unsafe"

// Tensor is an n-dimensional array. It belongs to a Scope or an Arena and must not be used after its owner ended.
type Tensor struct {
	h    handle
	s    *Scope // nil in an arena
	a    *Arena // nil in a scope; it is kept alive by its tensors
	info *info  // once asked for
}

// info is what describe finds; it never changes for a given handle.
type info struct {
	dtype  DType
	device Device
	dims   []int
}

// Scope is the scope that owns t; nil if an arena does.
func (t *Tensor) Scope() *Scope { return t.s }

func (t *Tensor) describe() (*info, *Error) {
	if t.info != nil {
		return t.info, nil
	}
	var raw [3 + 16]int64
	if err := describe.into(nil, args{buf: bytesOf(raw[:])}, t); err != nil {
		return nil, err
	}
	d := &info{dtype: DType(raw[0]), device: Device(raw[1] + 1)}
	for _, n := range raw[3 : 3+raw[2]] {
		d.dims = append(d.dims, int(n))
	}
	t.info = d
	return d, nil
}

func (t *Tensor) must() *info {
	d, err := t.describe()
	if err != nil {
		panic(err)
	}
	return d
}

// ask runs a kernel that writes one integer about t.
func (t *Tensor) ask(o op) int64 {
	var v [1]int64
	t.fetch(o, bytesOf(v[:]))
	return v[0]
}

// live is t's handle; it panics if the owner has ended.
func (t *Tensor) live(o op) handle {
	if t.h == nil {
		Failf(o.name, "a tensor is used after its scope ended")
	}
	if t.a != nil && t.a.closed.Load() {
		Failf(o.name, "a tensor is used after its arena was closed")
	}
	return t.h
}

// Shape is the size of each dimension.
func (t *Tensor) Shape() []int { return append([]int(nil), t.must().dims...) }

// Dim is the size of dimension d; negative d counts from the end.
func (t *Tensor) Dim(d int) int {
	dims := t.must().dims
	if d < 0 {
		d += len(dims)
	}
	if d < 0 || d >= len(dims) {
		Failf("dim", "dimension %d of a tensor with %d", d, len(dims))
	}
	return dims[d]
}

// Rank is the number of dimensions.
func (t *Tensor) Rank() int { return len(t.must().dims) }

// Len is the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.must().dims {
		n *= d
	}
	return n
}

// DType is the type of the elements.
func (t *Tensor) DType() DType { return t.must().dtype }

// Device is where the elements are.
func (t *Tensor) Device() Device { return t.must().device }

// Scoped runs fn in a nested scope, keeps its result in the scope of t and frees all else that fn made. In the
// closure, x stands for t.
func (t *Tensor) Scoped(fn func(x *Tensor) *Tensor) *Tensor {
	s := t.scope(alias)
	inner := s.child()
	defer inner.close()
	return fn(inner.Attach(t)).moveTo(s)
}

// moveTo hands t over to scope s: the inner scope will not free it. What belongs elsewhere is aliased.
func (t *Tensor) moveTo(s *Scope) *Tensor {
	if t.s == nil || t.s.depth <= s.depth {
		return s.Attach(t)
	}
	h := t.live(alias)
	t.h = nil
	return s.own(h)
}

func (t *Tensor) scope(o op) *Scope {
	if t.s == nil {
		Failf(o.name, "no operand is in a scope; use Scope.Attach")
	}
	return t.s
}

// bytesOf is the memory of a slice of numbers.
func bytesOf[T int64 | float64 | float32 | bool | uint16](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(*new(T))))
}
