package design

// Design is how the vectors of a speech model become the rows of a story: [BOLD] where rows are volumes of a scanner,
// [Event] where each row is the response to a clip of its own, [Series] where rows are bins of milliseconds. What the
// leak audit compares follows from it.
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
	Unit       int      // rows of each clip, within which delayed copies stay; 0: the story is one stimulus
	Present    []bool   // rows that have features: others are 0 and no part of the statistics; nil: all have
}

// Width returns the number of columns of the design matrix of vectors with the given number of
// channels.
func (d *StoryDesign) Width(channels int) int { return len(d.Delays) * channels }

// Matrix returns the design matrix (rows, Width(channels)) of vectors x (vectors, channels), and
// the mean and SD that standardised the undelayed columns.
func (d *StoryDesign) Matrix(x []float32, channels int) ([]float32, ZScore) {
	rows, z := d.Undelayed(x, channels)
	n := len(rows) / channels
	out := make([]float32, n*d.Width(channels))
	Lags{d.Delays, d.Unit}.Rows(rows, channels, Rows{To: n}, out)
	return out, z
}

// Undelayed is Matrix before the delays: the standardised rows (rows, channels), from which [Lags] make those of the
// design matrix.
func (d *StoryDesign) Undelayed(x []float32, channels int) ([]float32, ZScore) {
	rows := d.Resample(x, channels)
	z := d.fit(rows, channels)
	rows = z.Apply(rows)
	for k, present := range d.Present {
		if !present {
			clear(rows[k*channels:][:channels])
		}
	}
	return rows, z
}

// fit returns the mean and SD of rows that have features.
func (d *StoryDesign) fit(rows []float32, channels int) ZScore {
	n, over := len(rows)/channels, d.Statistics
	if d.Present != nil {
		if over = presentRows(d.Present, over); len(over) == 0 { // nothing to standardise
			return FitZScore(make([]float32, channels), 1, channels)
		}
	}
	return FitZScore(rows, n, channels, over...)
}

// presentRows returns the rows of some ranges (none: all rows) that have features.
func presentRows(has []bool, over []Rows) (out []Rows) {
	if len(over) == 0 {
		over = []Rows{{To: len(has)}}
	}
	for _, r := range over {
		for k := r.From; k < r.To; k++ {
			switch last := len(out) - 1; {
			case !has[k]:
			case last >= 0 && out[last].To == k:
				out[last].To++
			default:
				out = append(out, Rows{From: k, To: k + 1})
			}
		}
	}
	return out
}

// HasPresent reports whether any row has features of an earlier one by one of some delays.
func (d *StoryDesign) HasPresent(delays []int, rows int) bool {
	for _, delay := range delays {
		for k := delay; k < rows; k++ {
			if (d.Unit == 0 || k%d.Unit >= delay) && (d.Present == nil || d.Present[k-delay]) {
				return true
			}
		}
	}
	return false
}

// ZScore returns the mean and SD that standardise the undelayed columns of vectors x (vectors,
// channels).
func (d *StoryDesign) ZScore(x []float32, channels int) ZScore {
	return d.fit(d.Resample(x, channels), channels)
}

// Resample carries vectors x (vectors, channels) to rows (rows, channels), neither standardised nor delayed.
func (d *StoryDesign) Resample(x []float32, channels int) []float32 {
	if d.Weights == nil {
		return x
	}
	return d.Weights.Apply(x, channels)
}
