package results

import "strings"

// Significance is the result of a paired test: how often swapping the predictions of the two systems in
// random blocks of rows makes one as large, either way.
type Significance struct {
	P float64 `json:"p"`
	Q float64 `json:"q"` // false discovery rate over all lines of the table (Benjamini and Hochberg)
}

// Share is a score in per cent of the ceiling; a region without a ceiling above 0 has none.
type CCNorm struct {
	MeanR *float64           `json:"mean_r"`
	ROIs  map[string]float64 `json:"rois"`
}

// IsAuditory reports whether a name is one that data sets give to auditory cortex.
func IsAuditory(region string) bool {
	return strings.EqualFold(region, "auditory") || strings.EqualFold(region, "AC")
}

// ShareOf gives scores in per cent of a ceiling, nil without one.
func (s *ModelScore) ShareOf(ceiling *ModelScore) *CCNorm {
	if ceiling == nil {
		return nil
	}
	out := &CCNorm{ROIs: map[string]float64{}}
	if ceiling.MeanR > 0 {
		all := 100 * s.MeanR / ceiling.MeanR
		out.MeanR = &all
	}
	for name, r := range s.ROIs {
		if most := ceiling.ROIs[name]; most > 0 {
			out.ROIs[name] = 100 * r / most
		}
	}
	return out
}
