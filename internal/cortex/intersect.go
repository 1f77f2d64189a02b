package cortex

import "github.com/brainwavlm/bwlm/internal/raw"

// Intersection is the voxels that several masks have in common.
type Intersection struct {
	*Volume
	Counts []int // voxels of each mask
	Lost   int   // voxels that some of the masks have, and not all
}

// Intersect reads masks of the same grid, such as those of a subject's runs, and keeps the voxels that all have. A mask
// of another shape, or whose affine differs by more than a micrometre, is an error, and so is an empty intersection.
func Intersect(paths []string, order Order) (*Intersection, error) {
	if len(paths) == 0 {
		return nil, raw.Bad(readVolume, "", "there are no masks")
	}
	var out *Intersection
	in := map[int]int{} // how many masks have a voxel
	for _, path := range paths {
		v, err := ReadMask(path, order)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = &Intersection{Volume: v}
		} else if err := out.sameGrid(v, path); err != nil {
			return nil, err
		}
		for _, voxel := range v.Voxels {
			in[voxel]++
		}
		out.Counts = append(out.Counts, len(v.Voxels))
	}
	kept := out.Voxels[:0]
	for _, voxel := range out.Voxels {
		if in[voxel] == len(paths) {
			kept = append(kept, voxel)
		}
	}
	out.Voxels = kept
	if out.Lost = len(in) - len(kept); len(kept) == 0 {
		return nil, raw.Bad(readVolume, paths[0], "no voxel is in all %d masks", len(paths)).
			WithHint("check that the masks are of the same subject and space")
	}
	return out, nil
}
