package rundir

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
)

// ConfigHash identifies the resolved experiment of the run.
func (r *Run) ConfigHash() (string, error) {
	path := filepath.Join(r.Dir, ConfigFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fault.Wrap(fault.IO, "read config", path, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
