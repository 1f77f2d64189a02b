package realsize

import (
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/planning"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// The make of a large study in small: it is opened by headers, a bound that is too small is refused before anything is
// read, and an evaluation reads the responses once, whole stories at a time, and the test rows once more.
func TestStudyIsReadOnDemand(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	z := size{Subjects: 2, Stories: 6, Rows: 60, Voxels: 9000}
	dir := t.TempDir()
	require.NoError(t, writeModel(t.Context(), filepath.Join(dir, "model")))
	z.write(t, dir)

	var r reads
	_, err := z.open(t.Context(), dir, study.Options{MaxBytes: 1 << 20}, &r)
	faulttest.Require(t, fault.Memory, err, "max_memory", "allow at least ")
	least := regexp.MustCompile(`allow at least (\d+) MB`).FindStringSubmatch(err.Error())
	require.NotNil(t, least)
	assert.Zero(t, r.Calls.Load(), "no response is read")
	assert.Zero(t, r.Decoded.Load(), "and no audio")

	enough, err := strconv.ParseInt(least[1], 10, 64)
	require.NoError(t, err)
	st, err := z.open(t.Context(), dir, study.Options{MaxBytes: (enough + 200) << 20}, &r)
	require.NoError(t, err, "the least bound and what a test leaves behind")
	defer st.Close()
	assert.Zero(t, r.Calls.Load(), "a study is opened by headers")
	decoded := r.Decoded.Load()
	assert.LessOrEqual(t, decoded, int64(z.Stories), "stories are compared by their sound")

	_, err = evaluate.Evaluate(t.Context(), st, nil, filepath.Join(dir, "eval"))
	require.NoError(t, err)
	z.alphasOf(t, filepath.Join(dir, "eval"), st.Experiment.Eval.Alphas)
	test := int64(2 * z.Rows * z.Voxels)
	compared := int64(z.Stories * 6 * z.Voxels) // of responses under two names
	assert.Equal(t, 2*(z.values()+test+compared), r.Values.Load(),
		"of two subjects: all rows, those of the test again, and six of each story")
	assert.EqualValues(t, 2*(z.Stories+2+z.Stories), r.Calls.Load(), "whole stories")
	assert.EqualValues(t, z.Rows*z.Voxels, r.Widest.Load())
	assert.Equal(t, decoded, r.Decoded.Load(), "an hour is decoded once")

	r.Values.Store(0)
	other, err := z.open(t.Context(), dir, study.Options{}, &r)
	require.NoError(t, err)
	defer other.Close()
	_, err = planning.Estimate(t.Context(), other)
	require.NoError(t, err)
	assert.LessOrEqual(t, r.Values.Load(), 2*2*z.values())
}
