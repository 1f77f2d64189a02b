package rundir

import (
	"crypto/sha256"
	"encoding/hex"
)

// ConfigHash identifies the resolved experiment of the run.
func (r *Run) ConfigHash() (string, error) {
	data, err := r.Config()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
