package cortex

// Mask is a set of columns: for each column whether it is in the set.
type Mask []bool

// Count is the number of columns in the set.
func (m Mask) Count() int {
	n := 0
	for _, in := range m {
		if in {
			n++
		}
	}
	return n
}

// Columns lists the columns of the set, ascending.
func (m Mask) Columns() []int {
	out := make([]int, 0, m.Count())
	for c, in := range m {
		if in {
			out = append(out, c)
		}
	}
	return out
}

// combine makes the mask whose columns satisfy op; both masks are equally long.
func (m Mask) combine(other Mask, op func(a, b bool) bool) Mask {
	out := make(Mask, len(m))
	for c := range m {
		out[c] = op(m[c], other[c])
	}
	return out
}

// or is the union with a mask of the same length.
func (m Mask) or(other Mask) Mask { return m.combine(other, func(a, b bool) bool { return a || b }) }

// And is the intersection with a mask of the same length.
func (m Mask) And(other Mask) Mask { return m.combine(other, func(a, b bool) bool { return a && b }) }

// minus is the difference to a mask of the same length.
func (m Mask) minus(other Mask) Mask {
	return m.combine(other, func(a, b bool) bool { return a && !b })
}

// not is the complement.
func (m Mask) not() Mask { return m.combine(m, func(a, _ bool) bool { return !a }) }

// threshold is the set of columns whose value satisfies a condition.
func threshold(values []float32, holds func(float32) bool) Mask {
	out := make(Mask, len(values))
	for c, v := range values {
		out[c] = holds(v)
	}
	return out
}
