package studytest

import "github.com/brainwavlm/bwlm/brain/dataset"

// WithRegion adds a region to the tiny study's.
func WithRegion(spec *dataset.Spec, name string, columns ...int) {
	spec.ROIs = append(spec.ROIs, dataset.ROI{Name: name, Region: dataset.Value(dataset.Region{Columns: columns})})
}

func FromTo(from, to int) (out []int) {
	for c := from; c < to; c++ {
		out = append(out, c)
	}
	return out
}
