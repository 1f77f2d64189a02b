package design

// Clock tells when the rows of a story were acquired.
type Clock struct {
	First   float64 // audio second at which row 0 begins
	TR      float64 // seconds from one row to the next
	RowTime float64 // the instant within its TR that a row stands for: 0 the start, .5 the middle, 1 the end
}

// Time is the audio second of row k.
func (c Clock) Time(k int) float64 { return c.First + (float64(k)+c.RowTime)*c.TR }

// Times are the audio seconds of rows from ≤ k < to.
func (c Clock) Times(from, to int) []float64 {
	times := make([]float64, 0, max(0, to-from))
	for k := from; k < to; k++ {
		times = append(times, c.Time(k))
	}
	return times
}
