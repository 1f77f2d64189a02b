package torch

// Reshape returns t with another shape. One dimension may be -1.
func (t *Tensor) Reshape(dims ...int) *Tensor { return reshape.ints(t, dims...) }

// Transpose returns t with dimensions i and j swapped.
func (t *Tensor) Transpose(i, j int) *Tensor { return transpose.ints(t, i, j) }

// Narrow returns n elements of dimension d from start.
func (t *Tensor) Narrow(d, start, n int) *Tensor { return narrow.ints(t, d, start, n) }

// Select returns element i of dimension d, without the dimension. Negative i counts from the end.
func (t *Tensor) Select(d, i int) *Tensor { return selectOp.ints(t, d, i) }

// Unsqueeze returns t with a dimension of size 1 inserted before d.
func (t *Tensor) Unsqueeze(d int) *Tensor { return unsqueeze.ints(t, d) }

// Squeeze returns t without dimension d if its size is 1.
func (t *Tensor) Squeeze(d int) *Tensor { return squeeze.ints(t, d) }

// Expand repeats dimensions of size 1 without copying. A size of -1 leaves a dimension as it is.
func (t *Tensor) Expand(dims ...int) *Tensor { return expand.ints(t, dims...) }

// Contiguous returns t with its elements in row-major order.
func (t *Tensor) Contiguous() *Tensor { return contiguous.on(t) }

// IndexSelect returns the elements idx of dimension d, in that order.
func (t *Tensor) IndexSelect(d int, idx []int) *Tensor {
	return indexSelect.with([]int{d}, nil, t, t.scope(indexSelect).fromInts(idx, len(idx)).To(t.Device()))
}

// Cat concatenates tensors along dimension d.
func Cat(d int, ts ...*Tensor) *Tensor { return cat.with([]int{d}, nil, ts...) }

// Stack concatenates tensors along a new dimension d.
func Stack(d int, ts ...*Tensor) *Tensor { return stack.with([]int{d}, nil, ts...) }

// ToType returns t with elements of type d.
func (t *Tensor) ToType(d DType) *Tensor {
	if t.DType() == d {
		return t
	}
	return to.ints(t, int(d), int(t.Device().index()))
}

// To returns t on a device. It is t itself if t is there already.
func (t *Tensor) To(d Device) *Tensor {
	if t.Device() == d {
		return t
	}
	return to.ints(t, int(t.DType()), int(d.index()))
}

// Detach returns t without its history, so that no gradient flows through it.
func (t *Tensor) Detach() *Tensor { return detach.on(t) }

// Clone returns a copy of t.
func (t *Tensor) Clone() *Tensor { return clone.on(t) }

var (
	reshape, transpose         = kernel("reshape"), kernel("transpose")
	narrow, selectOp           = kernel("narrow"), kernel("select")
	unsqueeze, squeeze, expand = kernel("unsqueeze"), kernel("squeeze"), kernel("expand")
	contiguous, indexSelect    = kernel("contiguous"), kernel("index_select")
	cat, stack                 = kernel("cat"), kernel("stack")
	to, detach, clone          = kernel("to"), kernel("detach"), kernel("clone")
)
