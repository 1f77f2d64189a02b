package design

// StoryDesign is the design of one story: vectors are carried to rows, each column is standardised,
// and delayed copies of the rows stand side by side.
type StoryDesign struct {
	Weights    *Weights // (rows, vectors); nil where there is one vector for each row
	Delays     []int    // in rows, ascending
	Statistics []Rows   // rows whose mean and SD standardise the columns; none: all rows
}

// Width returns the number of columns of the design matrix of vectors with the given number of
// channels.
func (d *StoryDesign) Width(channels int) int { return len(d.Delays) * channels }

// Matrix returns the design matrix (rows, Width(channels)) of vectors x (vectors, channels), and
// the mean and SD that standardised the undelayed columns.
func (d *StoryDesign) Matrix(x []float32, channels int) ([]float32, ZScore) {
	rows := d.resample(x, channels)
	n := len(rows) / channels
	z := FitZScore(rows, n, channels, d.Statistics...)
	return FIR(z.Apply(rows), n, channels, d.Delays), z
}

// ZScore returns the mean and SD that standardise the undelayed columns of vectors x (vectors,
// channels).
func (d *StoryDesign) ZScore(x []float32, channels int) ZScore {
	rows := d.resample(x, channels)
	return FitZScore(rows, len(rows)/channels, channels, d.Statistics...)
}

// resample carries vectors x (vectors, channels) to rows (rows, channels).
func (d *StoryDesign) resample(x []float32, channels int) []float32 {
	if d.Weights == nil {
		return x
	}
	return d.Weights.Apply(x, channels)
}
