//go:build !race

package responses

// poolSlack is how much more reading may allocate: nothing, since sync.Pool returns the buffers it is given.
const poolSlack = 1

// tries is the number of random data sets.
const tries = 30
