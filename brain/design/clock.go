package design

// Clock holds the times at which the rows of a story were acquired.
type Clock struct {
	First   float64 // audio second at which row 0 begins
	TR      float64 // seconds from one row to the next
	RowTime float64 // the instant within its TR that a row stands for: 0 the start, .5 the middle, 1 the end
}

// Time returns the time of row k in seconds of the audio.
func (c Clock) Time(k int) float64 { return c.First + (float64(k)+c.RowTime)*c.TR }

// Times returns the times of rows from ≤ k < to in seconds of the audio.
func (c Clock) Times(from, to int) []float64 {
	times := make([]float64, 0, max(0, to-from))
	for k := from; k < to; k++ {
		times = append(times, c.Time(k))
	}
	return times
}
