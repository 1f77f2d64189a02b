package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFit(t *testing.T) {
	x := []float64{1, 2, 4, 8}
	l := fit(x, []float64{5, 7, 11, 19})
	assert.InDelta(t, 3, l.fixed, 1e-12)
	assert.InDelta(t, 2, l.slope, 1e-12)
	assert.InDelta(t, 1, l.r2, 1e-12)
	assert.Less(t, fit(x, []float64{1, 4, 16, 64}).r2, .99, "a square is no line")
	assert.InDelta(t, 2, exponent(x, []float64{3, 12, 48, 192}), 1e-12)
}

func TestTable(t *testing.T) {
	var b strings.Builder
	points := []point{{8, []float64{1, 3, 2}, 900, 450, .7}, {16, []float64{4}, 1100, 900, .7},
		{32, []float64{8}, 1500, 1800, .7}}
	require.NoError(t, table(&b, &axis{unit: "windows"}, points))
	assert.Contains(t, b.String(), "| 8 | 2.000 | 1.000 - 3.000 | 900 | 450 | 70 % |")
	assert.Contains(t, b.String(), "Time: 0 +0.25·n s, R² 1.0000, exponent 1.00. Memory: 700 +25·n MB")
}
