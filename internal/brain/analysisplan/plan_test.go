package analysisplan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/analysisplan"
)

func TestReadsAreCountedAndChangesRefused(t *testing.T) {
	out := filepath.Join(t.TempDir(), "runs", "a")
	splits := map[string]string{"ada": analysisplan.Hash([]int{1, 2}), "bob": analysisplan.Hash([]int{3})}
	masks := map[string]string{"ada/front": analysisplan.Hash([]int{0})}
	read := analysisplan.TestRead{By: "eval", What: "tuned model"}

	status, err := analysisplan.RecordTestRead(out, read, splits, masks)
	require.NoError(t, err)
	require.Nil(t, status, "no analysis is locked")

	s := &results.AnalysisPlan{Splits: splits, Masks: masks,
		Endpoints: results.Endpoints{ROIs: []string{"front"}, Sides: 2, Delta: .05}}
	require.NoError(t, analysisplan.Lock(out, s))
	assert.Equal(t, fault.Exists, fault.KindOf(analysisplan.Lock(out, s)))
	for want := 1; want <= 2; want++ {
		status, err = analysisplan.RecordTestRead(out, read, splits, masks)
		require.NoError(t, err)
		assert.Equal(t, want, status.TestReads)
		assert.Equal(t, s.SHA256, status.SHA256)
	}

	// Subjects and masks that are not in the plan may be read.
	status, err = analysisplan.RecordTestRead(out, read, map[string]string{"eve": "x"},
		map[string]string{"eve/front": "y"})
	require.NoError(t, err)
	assert.Equal(t, 3, status.TestReads)

	_, err = analysisplan.RecordTestRead(out, read, map[string]string{"ada": "other"},
		map[string]string{"ada/front": "other"})
	require.ErrorContains(t, err, "[mask ada/front splits of ada] changed")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	status, err = analysisplan.RecordTestRead(out, read, splits, masks)
	require.NoError(t, err)
	assert.Equal(t, 4, status.TestReads)
	assert.Equal(t, 1, status.Refused)
	reads, err := analysisplan.TestReads(out)
	require.NoError(t, err)
	assert.Len(t, reads, 5)
}

func TestLockedPlanCannotChange(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a")
	for _, e := range []results.Endpoints{{Sides: 0}, {Sides: 1, Delta: 1}, {Sides: 1, Delta: -.1}} {
		assert.Equal(t, fault.Usage, fault.KindOf(analysisplan.Lock(out, &results.AnalysisPlan{Endpoints: e})))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(out, "eval"), 0o755))
	summary := filepath.Join(out, "eval", "summary.json")
	require.NoError(t, os.WriteFile(summary, nil, 0o644))
	good := &results.AnalysisPlan{Endpoints: results.Endpoints{Sides: 1}}
	assert.ErrorContains(t, analysisplan.Lock(out, good), "have been scored")
	require.NoError(t, os.Remove(summary))
	require.NoError(t, analysisplan.Lock(out, good))
	require.NoError(t, os.WriteFile(out+".analysis_plan.json", []byte(`{"schema":1,"sha256":"00"}`), 0o644))
	_, err := analysisplan.Read(out)
	assert.ErrorContains(t, err, "it was changed after locking")
	require.NoError(t, os.WriteFile(out+".seal.json", nil, 0o644))
	_, err = analysisplan.Read(out)
	assert.ErrorContains(t, err, "an earlier version of bwlm wrote this plan")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}

func ExampleHash() {
	fmt.Printf("%.8s\n", analysisplan.Hash(map[string][]int{"test": {250, 362}}))
	// Output: 9d49d501
}
