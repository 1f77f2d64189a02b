package outlines

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// FuzzDrawing feeds damaged drawings: none hangs, takes much memory, or puts a vertex where there is none.
func FuzzDrawing(f *testing.F) {
	for _, path := range []string{"M20,30 L60,30 60,80z",
		"m1 1c1 2 3 4 5 6s1 2 3 4q5 6 7 8t1 1a9 8 7 1 0 6 5z m1 1h5v5H1V1z"} {
		f.Add(drawing(square, `transform="rotate(3 4 5) matrix(1 0 0 1 3 4)"`, path))
		f.Add(drawing(`viewBox="0 0 9 9" a="data:b"`, `transform="skewX(7) skewY(8) scale(9)"`, path))
	}
	var flat [][2]float32
	for x := range 40 {
		for y := range 40 {
			flat = append(flat, [2]float32{float32(x) - 20, float32(y)})
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d *Drawing
		fuzztest.RunWith(t, 64, data, 1<<16, func() {
			if data, err := without(bytes.NewReader(data)); err == nil {
				d, _ = parse(data, "fuzz")
			}
		})
		if d == nil {
			return
		}
		m, err := d.Place(flat)
		require.NoError(t, err)
		for _, r := range d.Regions() {
			in, _ := m.Inside(r)
			for i, v := range in {
				assert.True(t, v >= 0 && v < len(flat) && (i == 0 || v > in[i-1]))
			}
		}
	})
}

// An outline that would take hours is refused.
func TestEndlessOutline(t *testing.T) {
	d, err := parse(drawing(square, "", "M0 0"+strings.Repeat("L9 99L0 0", 100_000)), "x.svg")
	require.NoError(t, err)
	flat := make([][2]float32, 100_000)
	for i := range flat {
		flat[i] = [2]float32{float32(i % 300), float32(i / 300)}
	}
	m, err := d.Place(flat)
	require.NoError(t, err)
	_, err = m.Inside(d.Regions()[0])
	assert.ErrorContains(t, err, "x.svg: region AC: its outlines are too long for this flat map")
}
