package rundir

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/internal/ckpt"
)

// VoxelFile is the name of the file of a block of a subject's voxels in a checkpoint.
func VoxelFile(subject string, number int) string {
	return fmt.Sprintf("%s%s-%05d%s", voxelPrefix, subject, number, voxelSuffix)
}

const voxelPrefix, voxelSuffix = "voxels-", ".safetensors"

// isVoxelFile reports whether a name is one of VoxelFile, which is in the folder itself.
func isVoxelFile(name string) bool {
	return strings.HasPrefix(name, voxelPrefix) && strings.HasSuffix(name, voxelSuffix) &&
		name == filepath.Base(name)
}

// OpenVoxels opens the file of a block of voxels in the checkpoint of a step, which [Run.Open] has verified.
func (r *Run) OpenVoxels(step int, subject string, number int) (*ckpt.File, error) {
	return ckpt.Open(filepath.Join(r.stepDir(step), VoxelFile(subject, number)))
}
