package extract_test

import "time"

// How long a test waits for a condition, and how often it looks.
const (
	waitFor = 30 * time.Second
	tick    = time.Millisecond
)
