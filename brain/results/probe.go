package results

// Probes are the scores of linear probes of a model's hidden states. Lists by layer are in the order of
// Layers.
type Probes struct {
	Schema  int               `json:"schema"`
	Layers  []int             `json:"layers"` // hidden states; 0 is the input of the first block
	Stories []string          `json:"stories"`
	Frames  int               `json:"frames"` // that were read
	Words   int               `json:"words"`
	Probes  map[string]*Probe `json:"probes"` // by name of the probe

	CKA                []float64            `json:"cka,omitempty"`                 // linear CKA of tuned and base
	IntrinsicDimension map[string][]float64 `json:"intrinsic_dimension,omitempty"` // by model
	// mean r of a ridge on the test rows
	ROIs  map[string]*LayerScores `json:"rois,omitempty"`
	Notes []string                `json:"notes,omitempty"`
}

// LayerScores holds one number per layer for each model. A model that was not probed has none.
type LayerScores struct {
	Base      []float64 `json:"base,omitempty"`
	Tuned     []float64 `json:"tuned,omitempty"`
	Untrained []float64 `json:"untrained,omitempty"` // random weights
}

// Probe is the outcome of one probe.
type Probe struct {
	Skipped string  `json:"skipped,omitempty"` // why the probe was left out
	Score   string  `json:"score,omitempty"`   // "r", the mean over dimensions, or "accuracy"
	Items   int     `json:"items,omitempty"`
	Classes int     `json:"classes,omitempty"`
	Chance  float64 `json:"chance"` // accuracy of the most frequent class; 0 for r
	LayerScores

	Selectivity *LayerScores `json:"selectivity,omitempty"` // score minus the score with permuted labels
	PCA         *ProbePCA    `json:"pca,omitempty"`
	// by model and layer: r of each of several dimensions
	ByDimension map[string][][]float64 `json:"by_dimension,omitempty"`
}

// ProbePCA are the scores on the first Dims principal components. Dims is the same for all layers and
// models: the least number of components that hold 95 % of the variance in any of them.
type ProbePCA struct {
	Dims int `json:"dims"`
	LayerScores
}
