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

// regions returns the names of the scored ROIs: those of the data set and the intersections of the experiment.
func (st *Study) regions() []string {
	names := slices.Clone(st.Data.ROIs())
	exp := st.Experiment
	for _, name := range slices.Concat(exp.Data.ROI, exp.Data.ROIBalance, exp.Train.RetainROI) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
