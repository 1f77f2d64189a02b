//go:build slow

package brain

const thorough = true
