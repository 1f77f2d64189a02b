//go:build !slow

package slowtest

// Thorough reports whether tests go through every case (make slow) or a few of each kind.
const Thorough = false
