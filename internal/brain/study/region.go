package study

import (
	"context"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
)

// Region returns the columns of an ROI in the responses of a subject, in ascending order. A&B is
// the intersection of two ROIs of the data set: auditory&left is auditory cortex of one hemisphere.
func Region(ctx context.Context, data *dataset.Dataset, name, subject string, voxels int) ([]int, error) {
	parts := strings.Split(name, "&")
	if slices.Contains(data.ROIs(), name) {
		parts = []string{name}
	}
	var common []int
	for i, part := range parts {
		columns, err := data.ROI(ctx, strings.TrimSpace(part), subject, voxels)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			common = columns
			continue
		}
		common = slices.DeleteFunc(common, func(c int) bool {
			_, in := slices.BinarySearch(columns, c)
			return !in
		})
	}
	if len(common) == 0 {
		return nil, fault.New(fault.BadData, "read ROI", name, "its parts have no voxel of %s in common", subject)
	}
	return common, nil
}

// ROIsOf returns the ROIs of a data set that a subject has, in its order.
func ROIsOf(data *dataset.Dataset, subject string) (names []string) {
	for _, roi := range data.Spec().ROIs {
		if !roi.Region.Absent() || slices.ContainsFunc(roi.BySubject,
			func(r dataset.SubjectRegion) bool { return r.Subject == subject }) {
			names = append(names, roi.Name)
		}
	}
	return names
}

// noteRegions notes the ROIs that are not scored, since some subjects do not have them.
func (st *Study) noteRegions(context.Context) error {
	for _, p := range st.Subjects {
		var absent []string
		has := ROIsOf(st.Data, p.Name)
		for _, name := range st.Data.ROIs() {
			if !slices.Contains(has, name) {
				absent = append(absent, name)
			}
		}
		if len(absent) > 0 {
			st.Note("not scored, since %s does not have them: ROIs %s", p.Name, strings.Join(absent, ", "))
		}
	}
	return nil
}

// regions returns the names of the scored ROIs: those of the data set that all subjects have, and those that the
// experiment names, among them intersections.
func (st *Study) regions() []string {
	names := slices.Clone(st.Data.ROIs())
	for _, p := range st.Subjects {
		has := ROIsOf(st.Data, p.Name)
		names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(has, name) })
	}
	exp := st.Experiment
	for _, name := range slices.Concat(exp.Data.ROI, exp.Data.ROIBalance, exp.Train.RetainROI) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
