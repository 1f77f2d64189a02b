package dataset

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

// Responses may be named arrays of a laboratory's file, which is neither copied nor read whole.
func TestResponsesInAFileOfSeveralArrays(t *testing.T) {
	lab := labtest.Dir(t)
	const text = "tr_seconds: 2\nstories: {souls: {audio: s.wav}, avatar: {audio: a.wav}}\nsubjects:\n" +
		"  UTS00:\n    souls: {file: %[1]s, array: souls}\n" +
		"    avatar: {file: %[1]s, array: avatar, rows: {last: 16}}\n" +
		"  plain: {souls: %[2]s}\n  wrong: {souls: {file: %[1]s, array: soul}}\n"
	d, err := Open(write(t, map[string]string{"dataset.yaml": fmt.Sprintf(text,
		filepath.Join(lab, "joblib", "UTS00_responses.jbl"), filepath.Join(lab, "numpy", "plain.npz"))}))
	require.NoError(t, err)
	_, want := labtest.Truth(t, "X")
	for _, subject := range []string{"UTS00", "plain"} {
		m, err := d.ReadResponses(t.Context(), subject, "souls")
		require.NoError(t, err)
		require.Equal(t, [3]int{1, 12, 7}, [3]int{m.Repeats, m.Rows, m.Voxels})
		for i, x := range want {
			require.Equal(t, float32(x), m.Data[i], i)
		}
	}
	r, err := d.OpenResponses(t.Context(), "UTS00", "avatar")
	require.NoError(t, err)
	assert.Equal(t, [2]int{8, 7}, [2]int{r.Rows, r.Columns})
	_, err = d.OpenResponses(t.Context(), "wrong", "souls")
	faulttest.Require(t, fault.BadData, err, "soul", "souls (12, 7) float64")
}
