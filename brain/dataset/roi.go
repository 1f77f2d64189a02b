package dataset

import (
	"context"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// Region holds the columns of a matrix that belong to a region of interest: their 0-based numbers,
// or a mask.
type Region struct {
	Columns []int
	Mask    []bool // of all columns; used if not nil
}

// in returns the columns of the region, ascending, in a matrix of the given number of voxels. What it is, an ROI, and
// where it comes from are for errors.
func (r Region) in(what string, voxels int, where string) ([]int, error) {
	fail := func(why string, args ...any) *fault.Error {
		return fault.New(fault.BadData, "read "+what, where, why, args...)
	}
	columns := r.Columns
	mask := r.Mask
	if mask == nil && isMask(columns, voxels) {
		mask = make([]bool, voxels)
		for i, c := range columns {
			mask[i] = c == 1
		}
	}
	if mask != nil {
		if len(mask) != voxels {
			return nil, fail("the mask is for %d voxels, the responses have %d", len(mask), voxels)
		}
		columns = nil
		for v, yes := range mask {
			if yes {
				columns = append(columns, v)
			}
		}
	}
	if len(columns) == 0 {
		return nil, fail("the %s is empty", what)
	}
	columns = slices.Sorted(slices.Values(columns))
	for i, c := range columns {
		switch {
		case c < 0 || c >= voxels:
			return nil, fail("column %d is not among the responses' %d voxels, counted from 0", c, voxels)
		case i > 0 && c == columns[i-1]:
			return nil, fail("column %d is listed twice", c).
				WithHint("list each column once, or for each of the %d voxels 1 if it belongs to the %s, else 0",
					voxels, what)
		}
	}
	return columns, nil
}

// isMask reports whether numbers are a mask of 0 and 1 rather than columns: as columns they would
// name some twice. One or two numbers are columns.
func isMask(numbers []int, voxels int) bool {
	return len(numbers) == voxels && voxels > 2 &&
		!slices.ContainsFunc(numbers, func(n int) bool { return n != 0 && n != 1 })
}

// ROI returns the columns, ascending, of a region of interest in the responses of a subject, which
// have the given number of voxels.
func (d *Dataset) ROI(ctx context.Context, name, subject string, voxels int) ([]int, error) {
	where := d.spec.Name + ": " + key("rois", name)
	i := slices.Index(d.ROIs(), name)
	if i < 0 {
		return nil, d.unknown("ROI", name, d.ROIs())
	}
	roi := d.spec.ROIs[i]
	region := roi.Region
	if region.Absent() {
		j := slices.IndexFunc(roi.BySubject, func(r SubjectRegion) bool { return r.Subject == subject })
		if j < 0 {
			has := names(roi.BySubject, func(r SubjectRegion) string { return r.Subject })
			return nil, fault.New(fault.BadData, "read ROI", where,
				"it is not given for subject %s, only for %s", subject, strings.Join(has, ", "))
		}
		region = roi.BySubject[j].Region
	}
	r, err := region.Load(ctx)
	if err != nil {
		return nil, err
	}
	if region.Path != "" {
		where += ", " + region.Path
	}
	return r.in("ROI", voxels, where+", subject "+subject)
}
