package results

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// AllVoxels and TunedVoxels are keys of scores next to names of ROIs. No ROI can have them, since a name of an ROI has
// no brackets.
const (
	AllVoxels   = "[all voxels]"
	TunedVoxels = "[tuned voxels]" // the voxels of the loss
)

// ROILabel is a key of scores, or "" for all voxels, as tables for people have it. An ROI with the words of one of the
// keys is quoted.
func ROILabel(key string) string {
	switch key {
	case "", AllVoxels:
		return "all voxels"
	case TunedVoxels:
		return "tuned voxels"
	case "all voxels", "tuned voxels":
		return strconv.Quote(key)
	}
	return key
}

// SortedROIs returns the keys of scores by name: all voxels first, the voxels of the loss last.
func SortedROIs[T any](scores map[string]T) []string {
	place := func(key string) int {
		switch key {
		case AllVoxels:
			return -1
		case TunedVoxels:
			return 1
		}
		return 0
	}
	return slices.SortedFunc(maps.Keys(scores), func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b))
	})
}
