package results

import "github.com/brainwavlm/bwlm/brain/stats"

// Folds are the scores of k-fold cross-validation over stories, or over labels of clips, with the tuning repeated in
// each fold. Means are over folds, with intervals over stories or labels.
type Folds struct {
	Schema        int                 `json:"schema"`
	Label         string              `json:"label,omitempty"` // column whose labels are the folds; "": stories are
	Subjects      []string            `json:"subjects"`
	Folds         []Fold              `json:"folds"`
	Base          FoldMean            `json:"base"`
	BaseBestLayer *FoldMean           `json:"base_best_layer,omitempty"`
	Tuned         *FoldMean           `json:"tuned,omitempty"`
	Delta         map[string]FoldMean `json:"delta,omitempty"` // tuned − base, by ROI; "[all voxels]" is one

	// Features are the scores of eval.features, by name.
	Features map[string]FoldMean `json:"features,omitempty"`
}

// Fold is the score of one story, or of the clips of one label, that was not in the tuning.
type Fold struct {
	Story         string             `json:"story"` // or the label
	Validation    []string           `json:"validation_stories"`
	Run           string             `json:"run"`  // its directory, relative to that of folds.json
	Rows          int                `json:"rows"` // of the subject with most
	Base          float64            `json:"base"`
	BaseBestLayer *float64           `json:"base_best_layer,omitempty"`
	Tuned         *float64           `json:"tuned,omitempty"`
	Chosen        int                `json:"chosen_epoch"`
	Delta         map[string]float64 `json:"delta,omitempty"` // tuned − base, by ROI
	Features      map[string]float64 `json:"features,omitempty"`
}

// FoldMean is a mean over folds.
type FoldMean struct {
	stats.Score
	Reason string `json:"no_interval_because,omitempty"`
}
