package finished

import (
	"cmp"
	"maps"
	"slices"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// ROINames returns the ROIs with scores in the order of the data set, the tuned voxels at the end.
func (r *Run) ROINames() (out []string) {
	in := r.Scores.Base.ROIs
	if len(r.Subjects) > 0 {
		for _, region := range r.Subjects[0].ROIs {
			if _, ok := in[region.Name]; ok {
				out = append(out, region.Name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if name != roikeys.Tuned && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if _, ok := in[roikeys.Tuned]; ok && r.Scores.Tuned != nil {
		out = append(out, roikeys.Tuned)
	}
	return out
}

// Line is a line of the table of ROIs: mean scores over its voxels, nil where unknown.
type Line struct {
	Key                                               string // the ROI, roikeys.All or roikeys.Tuned
	Name                                              string // as tables print it
	Voxels                                            int    // 0: not known
	Base, Best, Tuned, Delta, P, Q, Share, TunedShare *float64
	Ceiling                                           *float64
	CI                                                *stats.Interval
	CIStories                                         *stats.Interval // over stories
}

// Table returns the scores of all voxels and of each ROI.
func (r *Run) Table() (out []Line) {
	t := r.Scores
	for _, name := range append([]string{""}, r.ROINames()...) {
		l := Line{Key: cmp.Or(name, roikeys.All), Name: roikeys.Label(name)}
		of := func(s *results.ModelScore) *float64 {
			if s == nil {
				return nil
			}
			if name == "" {
				return &s.MeanR
			}
			if v, ok := s.ROIs[name]; ok {
				return &v
			}
			return nil
		}
		share := func(s *results.ModelScore) *float64 {
			if s == nil || s.OfCeiling == nil {
				return nil
			}
			if name == "" {
				return s.OfCeiling.MeanR
			}
			if v, ok := s.OfCeiling.ROIs[name]; ok {
				return &v
			}
			return nil
		}
		l.Base, l.Best, l.Tuned, l.Ceiling = of(&t.Base), of(t.BaseBestLayer), of(t.Tuned), of(t.Ceiling)
		l.Share, l.TunedShare = share(&t.Base), share(t.Tuned)
		for _, p := range r.Subjects {
			if name == "" {
				l.Voxels += p.Voxels
			}
			for _, region := range p.ROIs {
				if region.Name == name {
					l.Voxels += len(region.Columns)
				}
			}
		}
		if d := t.Delta; d != nil {
			x := results.DeltaROI{MeanR: d.MeanR, CI95: d.CI95, Significance: d.Significance,
				CI95Stories: d.CI95Stories}
			if name != "" {
				x = d.ROIs[name]
			}
			l.Delta, l.CI, l.CIStories = &x.MeanR, x.CI95, x.CI95Stories
			if x.P > 0 {
				l.P, l.Q = &x.P, &x.Q
			}
		}
		if name == roikeys.Tuned && r.Manifest != nil {
			for _, p := range r.Manifest.Subjects {
				if slices.Contains(t.Subjects, p.Name) {
					l.Voxels += p.Tuned
				}
			}
		}
		out = append(out, l)
	}
	return out
}
