//go:build race

package responses

// poolSlack is how much more reading may allocate: under the race detector sync.Pool drops some of
// the buffers it is given.
const poolSlack = 4

// tries is the number of random data sets. Each takes seconds under the race detector, which needs few.
const tries = 6
