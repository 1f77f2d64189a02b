package results

// WeightedAdapter is an adapter with a factor in a sum of adapters.
type WeightedAdapter struct {
	Factor float64
	Run    string // run directory with adapter/
}

// AdapterScores is what sums of adapters score: what bwlm eval prints under --scale, --add, --subtract and --average.
type AdapterScores struct {
	Schema  int           `json:"schema"`
	Formula string        `json:"formula"` // of what is scaled
	Base    ModelScore    `json:"base"`
	Points  []ScaledScore `json:"points"`
	Notes   []string      `json:"notes,omitempty"`
}

// ScaledScore is the score of a sum of adapters times a scale.
type ScaledScore struct {
	Scale float64 `json:"scale"`
	Test  Scores  `json:"test"`
}
