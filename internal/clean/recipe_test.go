package clean

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestRecipesAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]Recipe{
		"":                               {},
		"high-pass=0.01,motion=24":       {HighPass: .01, Motion: 24},
		"polort=auto,detrend,censor=0.5": {Auto: true, Detrend: true, Censor: .5},
		"polort=3,acompcor=10":           {Polort: 3, CompCor: 10},
		"high-pass=0.0078125,motion=6,acompcor=5": Recommended,
	} {
		var parts []string
		if text != "" {
			parts = strings.Split(text, ",")
		}
		got, err := ParseRecipe(parts)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		assert.Equal(t, text, got.String())
	}
	got, err := ParseRecipe([]string{"recommended", "motion=24"})
	require.NoError(t, err)
	assert.Equal(t, Recipe{HighPass: 1. / 128, Motion: 24, CompCor: 5}, got)
	for part, want := range map[string]string{
		"hig-pass=1":    `there is no part "hig-pass" to clean with; did you mean "high-pass"?`,
		"x":             "choose of acompcor, censor, detrend, high-pass, motion, polort, recommended",
		"motion=12":     `motion is "12", want 6 or 24`,
		"detrend=1":     `detrend is "1", want no value`,
		"high-pass=NaN": `high-pass is "NaN", want hertz above 0`,
		"polort=0":      "want a degree from 1 to 50, or auto",
		"acompcor=-1":   "want a number of components",
	} {
		_, err := ParseRecipe([]string{part})
		faulttest.Require(t, fault.Usage, err, want)
	}
	_, err = ParseRecipe([]string{"recommended", "polort=2"})
	faulttest.Require(t, fault.Usage, err, "two filters for the same drift")
}

func TestDesignsOfRecipes(t *testing.T) {
	table,
		err := parse([]byte("trans_x\ttrans_y\ttrans_z\trot_x\trot_y\trot_z\tframewise_displacement\ta_comp_cor_00\n"+
		strings.Repeat("1\t2\t3\t4\t5\t6\t0\t1\n2\t1\t3\t3\t5\t1\t.4\t2\n"+
			"3\t3\t1\t4\t2\t6\t.7\t0\n1\t5\t3\t0\t5\t0\t.1\t1\n",
			10)), "confounds.tsv")
	require.NoError(t, err)
	d, err := Recipe{HighPass: .02, Motion: 6, CompCor: 1, Censor: .5}.Design(40, 2, table)
	require.NoError(t, err)
	assert.Equal(t, 30, d.Kept(), "one row in four moved")
	assert.Equal(t, len(Cosines(40, 2, .02))+2, d.Removed(),
		"over three rows that come again, seven columns have rank 2")
	d, err = Recipe{Auto: true}.Design(40, 10, nil)
	require.NoError(t, err)
	assert.Equal(t, 3, d.Removed())
	_, err = Recipe{Motion: 6}.Design(41, 2, table)
	faulttest.Require(t, fault.BadData, err, "confounds.tsv: there are 40 rows, the run has 41")
	_, err = Recipe{Motion: 6}.Design(40, 2, nil)
	faulttest.Require(t, fault.Missing, err, "there is no table of confounds for motion=6")
	_, err = Recipe{CompCor: 2}.Design(40, 2, table)
	faulttest.Require(t, fault.BadData, err, "1 components of aCompCor, want 2")
	_, err = Recipe{Polort: 50}.Design(40, 2, table)
	faulttest.Require(t, fault.BadData, err, "leave nothing of 40 rows")
}

func TestFramewiseDisplacement(t *testing.T) {
	table, err := parse([]byte("rot_z\ttrans_x\ttrans_y\ttrans_z\trot_x\trot_y\n"+
		"0\t0\t0\t0\t0\t0\n.01\t1\t-2\t.5\t0\t0\n.01\t1\t-2\t.5\t0\t-.002\n"), "x.tsv")
	require.NoError(t, err)
	got, err := table.Displacement()
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64{0, 1 + 2 + .5 + 50*.01, 50 * .002}, got, 1e-12)
}
