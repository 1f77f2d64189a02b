package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/npy"
)

const sounds, width = 60, 2

// study writes two folds with predictions of 60 sounds; change alters the base prediction of a sound and component to
// the tuned one. It returns the run and the table of sounds.
func study(t *testing.T, seed uint64, change func(v int, base, measured float32) float32) (run, table string) {
	t.Helper()
	dir := t.TempDir()
	list := strings.Builder{}
	list.WriteString("sound\tcategory\n")
	r, noise := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(seed, 2))
	for fold := range 2 {
		var measured, base, tuned []float32
		layout := results.LayoutSubject{Name: "components", Voxels: width,
			Rows: []design.Rows{{Story: "events", To: sounds / 2}},
			ROIs: []results.LayoutROI{{Name: "pitch", Columns: []int{0}}, {Name: "speech", Columns: []int{1}}}}
		for k := range sounds / 2 {
			name := fmt.Sprintf("sound-%d-%d", fold, k)
			layout.Clips = append(layout.Clips, name)
			fmt.Fprintf(&list, "%s\tc%d\n", name, k%3)
			for v := range width {
				y := float32(r.NormFloat64())
				b := y + float32(r.NormFloat64())
				measured, base = append(measured, y), append(base, b)
				tuned = append(tuned, change(v, b, y)+.3*float32(noise.NormFloat64()))
			}
		}
		eval := filepath.Join(dir, "run", "folds", fmt.Sprint(fold), "eval")
		require.NoError(t, os.MkdirAll(filepath.Join(eval, "test", "components"), 0o755))
		require.NoError(t, jsonfile.Write(filepath.Join(eval, "test", results.LayoutFile),
			results.Layout{Schema: results.RunSchema, Subjects: []results.LayoutSubject{layout}}))
		for name, x := range map[string][]float32{"responses": measured, "base_pred": base, "tuned_pred": tuned,
			"features_category_pred": base} {
			require.NoError(t, npy.Write(filepath.Join(eval, "test", "components", name+".npy"),
				[]int{sounds / 2, width}, x))
		}
	}
	table = filepath.Join(dir, "sounds.tsv")
	require.NoError(t, os.WriteFile(table, []byte(list.String()), 0o600))
	return filepath.Join(dir, "run"), table
}

func TestAGainIsFoundWhereItIs(t *testing.T) {
	gain := func(v int, base, measured float32) float32 {
		if v == 1 {
			return measured
		}
		return base
	}
	run1, table := study(t, 1, gain)
	run2, _ := study(t, 2, gain)
	category, err := categories(table)
	require.NoError(t, err)
	one, err := read([]string{run1}, category)
	require.NoError(t, err)
	p, err := read([]string{run1, run2}, category)
	require.NoError(t, err)
	assert.Equal(t, []string{"pitch", "speech"}, p.components)
	assert.Greater(t, p.r("tuned", nil)[1], one.r("tuned", nil)[1], "the mean over seeds has less noise")
	assert.Equal(t, one.r("base", nil), p.r("base", nil))
	sign, over := p.permute(500), p.bootstrap(200)
	assert.Greater(t, sign[0], .05)
	assert.Less(t, sign[1], .01)
	assert.Less(t, over[0][0], 0.1)
	for _, x := range over[1] {
		assert.Greater(t, x, .05, "both intervals are above 0")
	}
	var printed strings.Builder
	require.NoError(t, run([]string{"-sounds", table, run1, run2}, &printed))
	assert.Contains(t, printed.String(), "60 sounds, 2 runs")
	assert.Regexp(t, `(?m)^speech +0\.\d{3}  0\.\d{3}  0\.9\d\d  \+0\.\d{3}  \[\+`, printed.String())
}

func TestHolm(t *testing.T) {
	assert.InDeltaSlice(t, []float64{.03, .06, .06, 1}, holm([]float64{.0075, .03, .02, 1}), 1e-12)
}

func TestRunsThatDoNotFit(t *testing.T) {
	same := func(_ int, base, _ float32) float32 { return base }
	run1, table := study(t, 1, same)
	category, err := categories(table)
	require.NoError(t, err)
	_, err = read([]string{t.TempDir()}, category)
	require.ErrorContains(t, err, "there are no folds that were scored")
	first := filepath.Join(run1, "folds", "0", "eval", "test")
	require.NoError(t, os.CopyFS(filepath.Join(run1, "folds", "2", "eval", "test"), os.DirFS(first)))
	_, err = read([]string{run1}, category)
	require.ErrorContains(t, err, "a sound is tested in two folds")
	delete(category, "sound-0-0")
	_, err = read([]string{run1}, category)
	require.ErrorContains(t, err, "sound sound-0-0 has no category")
}
