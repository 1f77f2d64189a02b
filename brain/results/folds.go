package results

import "github.com/brainwavlm/bwlm/brain/stats"

// Folds are the scores of k-fold cross-validation over stories with the tuning repeated in each fold. Means are over
// folds, with intervals over stories.
type Folds struct {
	Schema        int                 `json:"schema"`
	Subjects      []string            `json:"subjects"`
	Folds         []Fold              `json:"folds"`
	Base          FoldMean            `json:"base"`
	BaseBestLayer *FoldMean           `json:"base_best_layer,omitempty"`
	Tuned         *FoldMean           `json:"tuned,omitempty"`
	Delta         map[string]FoldMean `json:"delta,omitempty"` // tuned − base, by ROI; "[all voxels]" is one
}

// Fold is the score of one story that was not in the tuning.
type Fold struct {
	Story         string             `json:"story"`
	Validation    []string           `json:"validation_stories"`
	Run           string             `json:"run"`  // its directory, relative to that of folds.json
	Rows          int                `json:"rows"` // of the subject with most
	Base          float64            `json:"base"`
	BaseBestLayer *float64           `json:"base_best_layer,omitempty"`
	Tuned         *float64           `json:"tuned,omitempty"`
	Chosen        int                `json:"chosen_epoch"`
	Delta         map[string]float64 `json:"delta,omitempty"` // tuned − base, by ROI
}

// FoldMean is a mean over folds.
type FoldMean struct {
	stats.Score
	Reason string `json:"no_interval_because,omitempty"`
}
