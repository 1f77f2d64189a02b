package torch

import "unsafe"

// Tensor is an n-dimensional array. It belongs to a Scope or an Arena and must not be used after
// its owner ended.
type Tensor struct {
	h    handle
	s    *Scope // nil for a tensor of an arena
	a    *Arena // nil for a tensor of a scope; the reference keeps the arena alive
	info *info  // nil until needed
}

// info is the result of the kernel describe, which is constant for a handle.
type info struct {
	dtype  DType
	device Device
	dims   []int
}

// Scope returns the scope that owns t, nil for a tensor of an arena.
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

// ask returns the integer that a kernel finds for t.
func (t *Tensor) ask(o op) int64 {
	var v [1]int64
	t.fetch(o, bytesOf(v[:]))
	return v[0]
}

// live returns t's handle. It panics if the owner has ended.
func (t *Tensor) live(o op) handle {
	if t.h == nil {
		Failf(o.name, "a tensor is used after its scope ended")
	}
	if t.a != nil && t.a.closed.Load() {
		panic(closedError(o.name, "a tensor is used after its arena was closed"))
	}
	return t.h
}

// Shape returns the size of each dimension.
func (t *Tensor) Shape() []int { return append([]int(nil), t.must().dims...) }

// Dim returns the size of dimension d. Negative d counts from the end.
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

// Rank returns the number of dimensions.
func (t *Tensor) Rank() int { return len(t.must().dims) }

// Len returns the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.must().dims {
		n *= d
	}
	return n
}

// DType returns the type of the elements.
func (t *Tensor) DType() DType { return t.must().dtype }

// Device returns the device that holds the elements.
func (t *Tensor) Device() Device { return t.must().device }

// Scoped runs fn in a nested scope and returns its result, which belongs to the scope of t. All
// other tensors that fn made are freed. The argument x of fn is t in the nested scope.
func (t *Tensor) Scoped(fn func(x *Tensor) *Tensor) *Tensor {
	s := t.scope(alias)
	inner := s.child()
	defer inner.close()
	return fn(inner.Attach(t)).moveTo(s)
}

// moveTo moves t from a nested scope to s. A tensor of s, of a scope around it or of an arena is
// aliased.
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

// bytesOf returns the memory of a slice of numbers.
func bytesOf[T int64 | float64 | float32 | bool | uint16](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(*new(T))))
}
