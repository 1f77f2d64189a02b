package stats

import "math"

// minResolution is the least relative resolution of predictions: four units in the last place of a float32.
const minResolution = 4.0 / (1 << 23)

// Resolution returns the relative resolution of predictions from two computations of the same ones, a and b (rows,
// voxels), that differ in their order of operations alone: the largest |a − b| of a voxel as a share of the voxel's
// entry in largest. It is at least four units in the last place. Voxels whose entry is 0 do not count.
func Resolution(a, b []float32, largest []float32) float64 {
	out := minResolution
	for at, x := range a {
		if most := float64(largest[at%len(largest)]); most > 0 {
			if d := math.Abs(float64(x) - float64(b[at])); d > out*most {
				out = d / most
			}
		}
	}
	return out
}

// Largest returns the largest magnitude in each column of x (rows, voxels).
func Largest(x []float32, voxels int) []float32 {
	out := make([]float32, voxels)
	for at, v := range x {
		out[at%voxels] = max(out[at%voxels], v, -v)
	}
	return out
}

// unresolved reports for each voxel whether its two predictions differ by no more than the resolution in every row.
func (s Subject) unresolved() []bool {
	largest, apart := make([]float32, s.Voxels), make([]float64, s.Voxels)
	for _, story := range s.Stories {
		for at, p := range story.Base {
			v, q := at%s.Voxels, story.Tuned[at]
			largest[v] = max(largest[v], p, -p, q, -q)
			apart[v] = max(apart[v], math.Abs(float64(p)-float64(q)))
		}
	}
	out := make([]bool, s.Voxels)
	for v := range out {
		out[v] = apart[v] <= max(s.Resolution, minResolution)*float64(largest[v])
	}
	return out
}
