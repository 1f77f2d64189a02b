// Package roikeys has the keys of scores that stand next to names of ROIs.
package roikeys

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// All and Tuned are keys of scores next to names of ROIs. No ROI can have them, since a name of an ROI has no brackets.
const (
	All   = "[all voxels]"
	Tuned = "[tuned voxels]" // the voxels of the loss
)

// Label is a key of scores, or "" for all voxels, as printed tables have it. An ROI with the words of one of the
// keys is quoted.
func Label(key string) string {
	switch key {
	case "", All:
		return "all voxels"
	case Tuned:
		return "tuned voxels"
	case "all voxels", "tuned voxels":
		return strconv.Quote(key)
	}
	return key
}

// Sorted returns the keys of scores by name: all voxels first, the voxels of the loss last.
func Sorted[T any](scores map[string]T) []string {
	place := func(key string) int {
		switch key {
		case All:
			return -1
		case Tuned:
			return 1
		}
		return 0
	}
	return slices.SortedFunc(maps.Keys(scores), func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b))
	})
}
