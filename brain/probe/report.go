package probe

// Report is what [Run] found, as bwlm probe --json prints it. Lists are by layer, in the order of Layers.
type Report struct {
	Schema             int                  `json:"schema"`
	Layers             []int                `json:"layers"`
	Stories            []string             `json:"stories"`
	Frames             int                  `json:"frames"` // that were looked at
	Words              int                  `json:"words"`
	Probes             map[string]*Result   `json:"probes"`
	CKA                []float64            `json:"cka,omitempty"`                 // tuned to base
	IntrinsicDimension map[string][]float64 `json:"intrinsic_dimension,omitempty"` // by model
	Regions            map[string]*ByModel  `json:"regions,omitempty"`             // ridge scores on test rows: mean r of each region's voxels
	Notes              []string             `json:"notes,omitempty"`
}

// ByModel holds one number for each layer of each model.
type ByModel struct {
	Base      []float64 `json:"base,omitempty"`
	Tuned     []float64 `json:"tuned,omitempty"`
	Untrained []float64 `json:"untrained,omitempty"`
}

// Result is the outcome of one probe.
type Result struct {
	Skipped string  `json:"skipped,omitempty"` // why there is no outcome
	Score   string  `json:"score,omitempty"`   // "r", the mean over dimensions, or "accuracy"
	Items   int     `json:"items,omitempty"`
	Classes int     `json:"classes,omitempty"`
	Chance  float64 `json:"chance"` // of always saying the commonest class; 0 for r
	ByModel
	Selectivity *ByModel               `json:"selectivity,omitempty"` // score less that with labels dealt out at random
	PCA         *Matched               `json:"pca,omitempty"`
	ByDimension map[string][][]float64 `json:"by_dimension,omitempty"` // model → layer → r of each dimension, where there are several
}

// Matched are scores on so many principal components, equally many in all layers and models: the fewest that hold 95 % of
// the variance in any of them.
type Matched struct {
	Dims int `json:"dims"`
	ByModel
}

// add appends the score of the next layer of a model.
func (m *ByModel) append(model string, score float64) {
	to := map[string]*[]float64{base: &m.Base, tuned: &m.Tuned, untrained: &m.Untrained}[model]
	*to = append(*to, score)
}

// The models that are asked.
const (
	base      = "base"
	tuned     = "tuned"
	untrained = "untrained"
)
