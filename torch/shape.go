package torch

// Reshape gives the elements another shape; one dimension may be -1.
func (t *Tensor) Reshape(dims ...int) *Tensor { return reshape.ints(t, dims...) }

// Transpose swaps dimensions i and j.
func (t *Tensor) Transpose(i, j int) *Tensor { return transpose.ints(t, i, j) }

// Permute orders the dimensions anew.
func (t *Tensor) Permute(dims ...int) *Tensor { return permute.ints(t, dims...) }

// Narrow takes n elements of dimension d from start.
func (t *Tensor) Narrow(d, start, n int) *Tensor { return narrow.ints(t, d, start, n) }

// Select takes element i of dimension d and drops the dimension; negative i counts from the end.
func (t *Tensor) Select(d, i int) *Tensor { return selectOp.ints(t, d, i) }

// Unsqueeze adds a dimension of size 1 before d.
func (t *Tensor) Unsqueeze(d int) *Tensor { return unsqueeze.ints(t, d) }

// Squeeze drops dimension d if its size is 1.
func (t *Tensor) Squeeze(d int) *Tensor { return squeeze.ints(t, d) }

// Expand repeats dimensions of size 1 without copying; -1 leaves a dimension as it is.
func (t *Tensor) Expand(dims ...int) *Tensor { return expand.ints(t, dims...) }

// Flip reverses the given dimensions.
func (t *Tensor) Flip(dims ...int) *Tensor { return flip.ints(t, dims...) }

// Contiguous is t with its elements in row-major order.
func (t *Tensor) Contiguous() *Tensor { return contiguous.on(t) }

// IndexSelect takes the elements idx of dimension d, in that order.
func (t *Tensor) IndexSelect(d int, idx []int) *Tensor {
	return indexSelect.with([]int{d}, nil, t, t.scope(indexSelect).FromInts(idx, len(idx)).To(t.Device()))
}

// Cat joins tensors along dimension d.
func Cat(d int, ts ...*Tensor) *Tensor { return cat.with([]int{d}, nil, ts...) }

// Stack joins tensors along a new dimension d.
func Stack(d int, ts ...*Tensor) *Tensor { return stack.with([]int{d}, nil, ts...) }

// ToType converts the elements to type d.
func (t *Tensor) ToType(d DType) *Tensor {
	if t.DType() == d {
		return t
	}
	return to.ints(t, int(d), int(t.Device().index()))
}

// To copies t to a device; on that device already, it is t.
func (t *Tensor) To(d Device) *Tensor {
	if t.Device() == d {
		return t
	}
	return to.ints(t, int(t.DType()), int(d.index()))
}

// Detach is t without its history: gradients stop here.
func (t *Tensor) Detach() *Tensor { return detach.on(t) }

// Clone is a copy of t.
func (t *Tensor) Clone() *Tensor { return clone.on(t) }

var (
	reshape, transpose, permute = kernel("reshape"), kernel("transpose"), kernel("permute")
	narrow, selectOp            = kernel("narrow"), kernel("select")
	unsqueeze, squeeze, expand  = kernel("unsqueeze"), kernel("squeeze"), kernel("expand")
	flip, contiguous            = kernel("flip"), kernel("contiguous")
	indexSelect, cat, stack     = kernel("index_select"), kernel("cat"), kernel("stack")
	to, detach, clone           = kernel("to"), kernel("detach"), kernel("clone")
)
