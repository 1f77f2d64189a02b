//go:build race

package audio

// raced says that the race detector is on, which makes decoding some ten times slower.
const raced = true
