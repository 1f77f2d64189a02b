//go:build slow

package stats

import (
	"fmt"
	"testing"
)

// The rates of TestCalibration on so many data sets that the third decimal stands.
func TestCalibrationOnManyDataSets(t *testing.T) {
	for _, phi := range []float64{.5, .8} {
		t.Run(fmt.Sprint("phi", phi), func(t *testing.T) {
			t.Run("correlation", func(t *testing.T) { calibrateCorrelation(t, phi, 3000, .002) })
			t.Run("paired", func(t *testing.T) {
				voxels, regions := calibratePaired(t, phi, 15000)
				voxels.atMost(t, "|difference| > chance, voxels", limits[phi], .001)
				regions.atMost(t, "|difference| > chance, regions", limits[phi], .001)
			})
			t.Run("intervals", func(t *testing.T) { calibrateIntervals(t, phi, 4000, .002) })
			t.Run("ceilings", func(t *testing.T) { calibrateCeilings(t, phi, 1000) })
		})
	}
}
