package colstats

// Merge returns the moments of the rows of several Moments of columns together (Chan et al. 1979): the rounding is that
// of few additions, and the values are not needed again. One alone stays as it is.
func Merge(cols int, parts ...*Moments) *Moments {
	out := &Moments{mean: make([]float64, cols), sd: make([]float64, cols)}
	for _, p := range parts {
		n := out.rows + p.rows
		for c := range out.mean {
			d := p.mean[c] - out.mean[c]
			out.mean[c] += d * (p.rows / n)
			out.sd[c] += p.sd[c] + d*d*out.rows*p.rows/n
		}
		out.rows = n
	}
	out.rows = max(out.rows, 1)
	return out
}
