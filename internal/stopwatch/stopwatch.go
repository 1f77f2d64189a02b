// Package stopwatch measures how long functions take.
package stopwatch

import (
	"time"

	"github.com/brainwavlm/bwlm/torch"
)

// Seconds returns how long do takes.
func Seconds(do func() error) (float64, error) {
	start := time.Now()
	err := do()
	return time.Since(start).Seconds(), err
}

// On returns the seconds until the device has finished do, without what was begun before.
func On(d torch.Device, do func() error) (float64, error) {
	if err := d.Wait(); err != nil {
		return 0, err
	}
	return Seconds(func() error {
		if err := do(); err != nil {
			return err
		}
		return d.Wait()
	})
}
