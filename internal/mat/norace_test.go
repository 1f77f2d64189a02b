//go:build !race

package mat

// poolSlack is how much more reading may allocate: nothing, since sync.Pool returns what it is given.
const poolSlack = 1
