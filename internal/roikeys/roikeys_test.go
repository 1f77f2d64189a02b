package roikeys

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKeysOfScoresAndROIsOfTheSameWords(t *testing.T) {
	names := []string{"", All, Tuned, "all voxels", "tuned voxels", "tuned", "base", "AC"}
	var labels []string
	for _, name := range names {
		labels = append(labels, Label(name))
	}
	assert.Equal(t, []string{"all voxels", "all voxels", "tuned voxels", `"all voxels"`, `"tuned voxels"`,
		"tuned", "base", "AC"}, labels)
	scores := map[string]bool{}
	for _, name := range names[1:] {
		scores[name] = true
	}
	assert.Equal(t, []string{All, "AC", "all voxels", "base", "tuned", "tuned voxels", Tuned},
		Sorted(scores))
}
