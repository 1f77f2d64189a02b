package colstats

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLegendreIsOrthonormal(t *testing.T) {
	basis := Legendre(362, 20)
	for i, p := range basis {
		for j, q := range basis {
			want := 0.
			if i == j {
				want = 1
			}
			require.InDelta(t, want, dot(p, q), 1e-13)
		}
	}
	assert.InDelta(t, .5*(3*.25-1), legendreAt(2, .5), 1e-15)
}
