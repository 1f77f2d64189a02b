package cortex

import "slices"

// own are the spaces of BIDS that each subject has for itself.
var own = []string{"", "T1w", "T2w", "T2star", "anat", "func", "bold", "boldref", "native", "individual", "orig",
	"fsnative"}

// SharedSpace reports whether places of a space of BIDS are the same in all subjects, as in MNI152NLin2009cAsym.
func SharedSpace(name string) bool { return !slices.Contains(own, name) }

// Union returns the voxels that any of some volumes has, in the order of the file; nil if their grids differ by more
// than a micrometre.
func Union(volumes []*Volume) *Volume {
	out := &Volume{Dim: volumes[0].Dim, Affine: volumes[0].Affine}
	for _, v := range volumes {
		if out.sameGrid(v, "") != nil {
			return nil
		}
		out.Voxels = append(out.Voxels, v.Voxels...)
	}
	slices.Sort(out.Voxels)
	out.Voxels = slices.Compact(out.Voxels)
	return out
}
