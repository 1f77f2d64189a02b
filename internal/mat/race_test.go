//go:build race

package mat

// poolSlack is how much more reading may allocate: under the race detector sync.Pool, from which io.Discard has its
// buffers, drops some of what it is given.
const poolSlack = 16
