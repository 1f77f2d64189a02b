package proc_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/internal/proc"
)

func TestFreeDiskOfAFolderThatIsNotThereYet(t *testing.T) {
	dir := t.TempDir()
	assert.Positive(t, proc.FreeDisk(dir))
	assert.InEpsilon(t, proc.FreeDisk(dir), proc.FreeDisk(filepath.Join(dir, "a", "b")), .5)
}
