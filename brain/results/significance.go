package results

// Significance is the result of a paired test: how often swapping the predictions of the two systems in
// random blocks of rows makes one as large, either way.
type Significance struct {
	P float64 `json:"p"`
	Q float64 `json:"q"` // false discovery rate over all lines of the table (Benjamini and Hochberg)
}

// CCNorm is a score in per cent of the ceiling; a region without a ceiling above 0 has none.
type CCNorm struct {
	MeanR *float64           `json:"mean_r"`
	ROIs  map[string]float64 `json:"rois"`
}
