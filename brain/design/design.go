package design

// Design is how the vectors of a speech model become the rows of a story: [BOLD] where rows are volumes of a scanner,
// [Event] where each row is the response to a clip of its own. What the leak audit compares follows from it.
type Design interface {
	// Windows cuts the audio of a story with some rows into the windows behind its vectors, in the order of time. The
	// audio has a number of samples, rate of them a second.
	Windows(c Clock, rows, samples, rate int) ([]Window, error)

	// Story returns the design of a story with some rows, given the times of its vectors.
	Story(c Clock, rows int, times []float64) *StoryDesign

	// StimulusWindow returns the audio that a row depends on, where a vector depends on the audio around its time
	// that is given.
	StimulusWindow(c Clock, vector StimulusWindow) StimulusWindow
}

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
	rows, z := d.Undelayed(x, channels)
	return FIR(rows, len(rows)/channels, channels, d.Delays), z
}

// Undelayed is Matrix before the delays: the standardised rows (rows, channels), from which [FIRRows] makes those of
// the design matrix.
func (d *StoryDesign) Undelayed(x []float32, channels int) ([]float32, ZScore) {
	rows := d.Resample(x, channels)
	z := FitZScore(rows, len(rows)/channels, channels, d.Statistics...)
	return z.Apply(rows), z
}

// ZScore returns the mean and SD that standardise the undelayed columns of vectors x (vectors,
// channels).
func (d *StoryDesign) ZScore(x []float32, channels int) ZScore {
	rows := d.Resample(x, channels)
	return FitZScore(rows, len(rows)/channels, channels, d.Statistics...)
}

// Resample carries vectors x (vectors, channels) to rows (rows, channels), neither standardised nor delayed.
func (d *StoryDesign) Resample(x []float32, channels int) []float32 {
	if d.Weights == nil {
		return x
	}
	return d.Weights.Apply(x, channels)
}
