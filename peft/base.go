package peft

import (
	"path/filepath"

	"github.com/brainwavlm/bwlm/internal/basemodel"
)

// MeetBase returns an error if the adapter was trained on a model of another identity, see
// speech.Encoder, unless AllowChangedBase is set. Files that other programs made do not record it.
func (a *Adapter) MeetBase(identity func() (string, error)) error {
	a.identity = identity
	if a.file == nil || a.file.base == "" {
		return nil
	}
	now, err := identity()
	if err != nil {
		return err
	}
	err = basemodel.Check(loadAdapter, filepath.Dir(a.file.path), a.file.base, now)
	if a.changed = err != nil; a.AllowChangedBase {
		return nil
	}
	return err
}
