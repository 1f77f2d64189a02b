package clean

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// golden is a case of testdata/clean.py.
type golden struct {
	Name      string      `json:"name"`
	Signals   [][]float32 `json:"signals"`
	Confounds [][]float64 `json:"confounds"`
	HighPass  float64     `json:"high_pass"`
	Detrend   bool        `json:"detrend"`
	Keep      []bool      `json:"keep"`
	TR        float64     `json:"tr"`
	Want      [][]float64 `json:"want,omitempty"`
}

// compare cleans a case and compares it with what nilearn makes of it.
func compare(t *testing.T, c golden) {
	t.Helper()
	rows := len(c.Signals)
	regressors := append([][]float64{}, c.Confounds...)
	if c.HighPass > 0 {
		regressors = append(regressors, Cosines(rows, c.TR, c.HighPass)...)
	}
	d, err := New(rows, regressors, c.Keep, c.Detrend)
	require.NoError(t, err, c.Name)
	require.Equal(t, len(c.Want), d.Kept(), c.Name)
	cleaner := d.Cleaner(len(c.Signals[0]))
	for row, values := range c.Signals {
		require.NoError(t, cleaner.Learn(row, values))
	}
	got := make([]float64, len(c.Signals[0]))
	for row, values := range c.Signals {
		kept, err := cleaner.Apply(row, values, got)
		require.NoError(t, err)
		place, ok := d.Place(row)
		require.Equal(t, ok, kept)
		if !kept {
			continue
		}
		for i := range got {
			require.InDelta(t, c.Want[place][i], got[i], 1e-6*math.Max(1, math.Abs(c.Want[place][i])),
				"%s: row %d, column %d", c.Name, row, i)
		}
	}
}

func TestCleanedSeriesAreThoseOfNilearn(t *testing.T) {
	text, err := os.ReadFile("testdata/clean.json")
	require.NoError(t, err)
	var cases []golden
	require.NoError(t, json.Unmarshal(text, &cases))
	require.Len(t, cases, 12)
	for _, c := range cases {
		compare(t, c)
	}
}

func TestLegendrePolynomials(t *testing.T) {
	p := Legendre(5, 3)
	require.Len(t, p, 3)
	assert.InDeltaSlice(t, []float64{-1, -.5, 0, .5, 1}, p[0], 1e-12)
	assert.InDeltaSlice(t, []float64{1, -.125, -.5, -.125, 1}, p[1], 1e-12)
	assert.InDeltaSlice(t, []float64{-1, .4375, 0, -.4375, 1}, p[2], 1e-12)
	assert.Empty(t, Legendre(5, 0))
	assert.Equal(t, [][]float64{{0}}, Legendre(1, 1))
	assert.Equal(t, []int{1, 2, 5}, []int{PolortDegree(99, 1.5), PolortDegree(100, 1.5), PolortDegree(300, 2)})
	assert.Empty(t, Cosines(30, 1.5, .01), "45 s are shorter than half of 100 s")
	assert.Len(t, Cosines(300, 2, 1./128), 9)
	assert.Len(t, Cosines(4, 2, 1), 3, "no more than the rows have")
}

// A drift of a low degree is taken out whole, and what does not drift stays.
func TestDriftsAreTakenOut(t *testing.T) {
	const rows = 60
	d, err := New(rows, Legendre(rows, 3), nil, true)
	require.NoError(t, err)
	assert.Equal(t, 4, d.Removed(), "the mean, and degrees 1 to 3 of which the first is the trend")
	c := d.Cleaner(2)
	series := func(row int) []float32 {
		x := float64(row)/20 - 1
		return []float32{float32(5 + 3*x - x*x + x*x*x), float32(math.NaN())}
	}
	for row := range rows {
		require.NoError(t, c.Learn(row, series(row)))
	}
	got := make([]float64, 2)
	for row := range rows {
		_, err := c.Apply(row, series(row), got)
		require.NoError(t, err)
		assert.InDelta(t, 0, got[0], 1e-5)
		assert.True(t, math.IsNaN(got[1]), "NaN does not go to other columns")
	}
}

func TestDesignsThatAreRefused(t *testing.T) {
	for part, f := range map[string]func() error{
		"regressor 0 has 2 rows, the run has 3": func() error {
			_, err := New(3, [][]float64{{1, 2}}, nil,
				true)
			return err
		},
		"2 rows are marked": func() error {
			_, err := New(3, nil, []bool{true, true},
				true)
			return err
		},
		"1 of 3 rows are kept": func() error {
			_, err := New(3, nil, []bool{true, false, false},
				true)
			return err
		},
		"is NaN in row 1": func() error {
			_, err := New(3, [][]float64{{1, math.NaN(), 2}}, nil, true)
			return err
		},
		"leave nothing of 3 rows": func() error { _, err := New(3, [][]float64{{1, 0, 2}}, nil, true); return err },
	} {
		require.ErrorContains(t, f(), part)
	}
	d, err := New(4, nil, nil, true)
	require.NoError(t, err)
	c := d.Cleaner(2)
	require.Error(t, c.Learn(4, []float32{1, 2}))
	require.Error(t, c.Learn(0, []float32{1}))
	_, err = c.Apply(0, []float32{1, 2}, nil)
	require.Error(t, err)
}

func TestConfoundsOfALaboratory(t *testing.T) {
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	c, err := Read(filepath.Join(root, "labfiles/bids/derivatives/fmriprep/sub-001/func/"+
		"sub-001_task-tunnel_desc-confounds_timeseries.tsv"))
	require.NoError(t, err)
	assert.Equal(t, 20, c.Rows)
	motion, err := c.Motion(6)
	require.NoError(t, err)
	assert.InDelta(t, -1.366524, motion[0][0], 1e-9)
	assert.InDelta(t, 1.751687, motion[5][1], 1e-9)
	keep, leftOut, err := c.Still(2)
	require.NoError(t, err)
	assert.Equal(t, []bool{true, true, true, true, false}, keep[:5],
		"n/a of the first row is 0, and 2.45766 is above 2")
	assert.Positive(t, leftOut)
	one, err := c.CompCor(1)
	require.NoError(t, err)
	assert.InDelta(t, .99003, one[0][0], 1e-9)
	_, err = c.CompCor(2)
	faulttest.Require(t, fault.BadData, err, "there are 1 components of aCompCor, want 2")
}

const motionTable = "" +
	"trans_x\ttrans_y\ttrans_z\trot_x\trot_y\trot_z\ta_comp_cor_00\ta_comp_cor_01\ta_comp_cor_02\tx\r\n" +
	"1\t0\t0\t0\t0\t0\t1\t2\t3\tn/a\r\n3\t0\t0\t0\t0\t0\t4\t5\t6\tn/a\r\n"

func TestParametersOfMotion(t *testing.T) {
	c, err := parse([]byte("\ufeff"+motionTable), "x")
	require.NoError(t, err)
	motion, err := c.Motion(24)
	require.NoError(t, err)
	require.Len(t, motion, 24)
	assert.Equal(t, [][]float64{{1, 3}, {0, 2}, {1, 9}, {0, 4}}, motion[:4], "one, its difference, and their squares")
	_, err = c.Motion(12)
	faulttest.Require(t, fault.Usage, err, "12 parameters")
	_, err = c.Column("x")
	faulttest.Require(t, fault.BadData, err, "x has no value in row 1")
	_, err = c.Column("csf")
	faulttest.Require(t, fault.BadData, err, "there is no column csf")
	_, _, err = c.Still(.5)
	faulttest.Require(t, fault.BadData, err, "framewise_displacement")
}

// Components are those of the combined mask, if the table's JSON file tells.
func TestComponentsOfTheCombinedMask(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.tsv")
	require.NoError(t, os.WriteFile(path, []byte(motionTable), 0o600))
	about := filepath.Join(filepath.Dir(path), "x.json")
	for text, want := range map[string][][]float64{
		"": {{1, 4}},
		`{"a_comp_cor_00": {"Mask": "CSF"}, "a_comp_cor_01": {"Mask": "combined"}}`: {{2, 5}},
		`{"a_comp_cor_00": {"Mask": "combined", "Retained": false}, "a_comp_cor_01": {"Mask": "WM"},
		"a_comp_cor_02": {"Mask": "combined", "Retained": true}}`: {{3, 6}},
	} {
		if text != "" {
			require.NoError(t, os.WriteFile(about, []byte(text), 0o600))
		}
		c, err := Read(path)
		require.NoError(t, err)
		got, err := c.CompCor(1)
		require.NoError(t, err)
		assert.Equal(t, want, got, text)
		_ = os.Remove(about)
	}
	require.NoError(t, os.WriteFile(about, []byte(`[`), 0o600))
	c, err := Read(path)
	require.NoError(t, err)
	_, err = c.CompCor(1)
	faulttest.Require(t, fault.BadData, err)
}

func TestTablesThatAreRefused(t *testing.T) {
	for text, part := range map[string]string{
		"":             "x:1: there are no rows",
		"a\tb\n":       "x:1: there are no rows",
		"a\ta\n1\t2\n": `the column "a" occurs twice`,
		"a\tb\n1\n":    "x:2: 1 columns, want 2",
		"a\n1\t2\n":    "x:2: there are more than 1 columns",
		"a\none\n":     `x:2: a is "one", which is no number`,
		"a\n1e999\n":   "is no number",
	} {
		_, err := parse([]byte(text), "x")
		faulttest.Require(t, fault.BadData, err, part)
	}
	_, err := Read("none.tsv")
	faulttest.Require(t, fault.Missing, err)
}

func FuzzConfounds(f *testing.F) {
	f.Add([]byte(motionTable))
	f.Add([]byte("\ufeffframewise_displacement\nn/a\n.5\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 256, input, func() {
			c, err := parse(input, "fuzz")
			if err != nil {
				return
			}
			for _, name := range c.names {
				if v, err := c.Column(name); err == nil {
					require.Len(t, v, c.Rows, fmt.Sprintf("%q", name))
				}
			}
			_, _ = c.Motion(24)
			_, _ = c.CompCor(2)
			_, _, _ = c.Still(.5)
		})
	})
}
