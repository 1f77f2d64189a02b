package torch

// from returns a tensor of the given bytes on the scope's device.
func (s *Scope) from(d DType, data []byte, dims []int) *Tensor {
	return s.make(fromBytes, args{i: header(d, s.mode.Device, dims), buf: data})
}

// header returns dtype, device and dims as the arguments of a kernel.
func header(d DType, dev Device, dims []int) []int64 {
	h := []int64{int64(d), dev.index()}
	for _, n := range dims {
		h = append(h, int64(n))
	}
	return h
}

// FromFloat32 copies data into a Float32 tensor.
func (s *Scope) FromFloat32(data []float32, dims ...int) *Tensor {
	return s.from(Float32, bytesOf(data), dims)
}

// FromFloat64 copies data into a Float64 tensor.
func (s *Scope) FromFloat64(data []float64, dims ...int) *Tensor {
	return s.from(Float64, bytesOf(data), dims)
}

// fromInts copies data into an Int64 tensor.
func (s *Scope) fromInts(data []int, dims ...int) *Tensor {
	x := make([]int64, len(data))
	for i, v := range data {
		x[i] = int64(v)
	}
	return s.from(Int64, bytesOf(x), dims)
}

// FromBools copies data into a Bool tensor.
func (s *Scope) FromBools(data []bool, dims ...int) *Tensor { return s.from(Bool, bytesOf(data), dims) }

// FromBytes copies little-endian elements of type d. For Bool, each byte that is not 0 is true.
func (s *Scope) FromBytes(d DType, data []byte, dims ...int) *Tensor { return s.from(d, data, dims) }

// Zeros returns a Float32 tensor of zeros.
func (s *Scope) Zeros(dims ...int) *Tensor { return s.ZerosOf(Float32, dims...) }

// ZerosOf returns a tensor of zeros of type d.
func (s *Scope) ZerosOf(d DType, dims ...int) *Tensor {
	return s.make(zeros, args{i: header(d, s.mode.Device, dims)})
}

// Full returns a Float32 tensor whose elements are v.
func (s *Scope) Full(v float64, dims ...int) *Tensor {
	return s.make(full, args{i: header(Float32, s.mode.Device, dims), f: []float64{v}})
}

// Uniform returns Float32 numbers drawn uniformly from [lo, hi).
func (s *Scope) Uniform(lo, hi float64, dims ...int) *Tensor {
	i := header(Float32, s.mode.Device, dims)
	i[0] = s.seed()
	return s.make(uniform, args{i: i, f: []float64{lo, hi}})
}

// Normal returns Float32 numbers drawn from a normal distribution.
func (s *Scope) Normal(mean, sd float64, dims ...int) *Tensor {
	i := header(Float32, s.mode.Device, dims)
	i[0] = s.seed()
	return s.make(normal, args{i: i, f: []float64{mean, sd}})
}

// read returns a copy of the elements of t, which are of type d.
func read[T int64 | float64 | float32 | bool](t *Tensor, d DType) []T {
	if t.DType() != d {
		Failf(toBytes.name, "a %s tensor is read as %s", t.DType(), d)
	}
	out := make([]T, t.Len())
	t.fetch(toBytes, bytesOf(out))
	return out
}

// fetch runs a kernel that writes a result about t to buf.
func (t *Tensor) fetch(o op, buf []byte) {
	if err := o.into(nil, args{buf: buf}, t); err != nil {
		err.fail(t)
	}
}

// Float32s returns a copy of the elements of a Float32 tensor in row-major order.
func (t *Tensor) Float32s() []float32 { return read[float32](t, Float32) }

// Float64s returns a copy of the elements of a Float64 tensor.
func (t *Tensor) Float64s() []float64 { return read[float64](t, Float64) }

// int64s returns a copy of the elements of an Int64 tensor.
func (t *Tensor) int64s() []int64 { return read[int64](t, Int64) }

// Bytes returns a copy of the elements of any tensor, little-endian.
func (t *Tensor) Bytes() []byte {
	out := make([]byte, t.Len()*t.DType().Size())
	t.fetch(toBytes, out)
	return out
}

// Item returns the value of a tensor of one element.
func (t *Tensor) Item() float64 {
	var v [1]float64
	t.fetch(item, bytesOf(v[:]))
	return v[0]
}

// MaxAbs returns the largest magnitude in t, which must have elements. It is NaN if an element is.
func (t *Tensor) MaxAbs() float64 {
	var v [1]float64
	t.fetch(maxAbs, bytesOf(v[:]))
	return v[0]
}

// AllFinite reports whether no element is NaN or infinite.
func (t *Tensor) AllFinite() bool { return t.ask(allFinite) != 0 }

var (
	alias, describe            = kernel("alias"), kernel("describe")
	fromBytes, toBytes         = kernel("from_bytes"), kernel("to_bytes")
	zeros, full, item          = kernel("zeros"), kernel("full"), kernel("item")
	uniform, normal, allFinite = kernel("uniform"), kernel("normal"), kernel("all_finite")
	maxAbs                     = kernel("max_abs")
)
