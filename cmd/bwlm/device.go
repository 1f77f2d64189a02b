package main

import (
	"errors"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// openDevice is torch.OpenDevice with a hint that names a command.
func openDevice(name string) (torch.Device, error) {
	device, err := torch.OpenDevice(name)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Unavailable {
		hint := "`bwlm doctor` shows what is here"
		if f.Hint != "" {
			hint += "; " + f.Hint
		}
		return device, f.WithHint("%s", hint)
	}
	return device, err
}
