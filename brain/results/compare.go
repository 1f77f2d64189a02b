package results

import (
	"github.com/brainwavlm/bwlm/brain/stats"
)

// CompareOptions say how runs are compared. The zero value is useful.
type CompareOptions struct {
	Seed         uint64     // of the bootstrap and of the paired test
	Resamples    int        // 0: 2000
	Permutations int        // 0: 1000
	Unit         stats.Unit // what the paired test swaps: blocks of rows, stories or subjects
}

// Comparison is what bwlm compare prints: runs on the same test rows of the same subjects.
type Comparison struct {
	Schema   int           `json:"schema"`
	Subjects []string      `json:"subjects"`
	Rows     int           `json:"rows"` // of the subject with most
	Runs     []ComparedRun `json:"runs"`
	Units    int           `json:"units"` // that the paired test can swap, of all voxels: with n no p is below 2/2ⁿ
	ROIs     []ComparedROI `json:"rois"`  // all voxels first, with the name ""
	Notes    []string      `json:"notes,omitempty"`
}

// ComparedRun is one run.
type ComparedRun struct {
	Dir    string `json:"dir"`
	Chosen int    `json:"chosen_epoch"`
}

// ComparedROI is the scores of one region; Scores has a place for each run.
type ComparedROI struct {
	Name   string          `json:"name"`
	Voxels int             `json:"voxels"` // scored, over all subjects
	Base   stats.Score     `json:"base"`   // the untuned model, as the first run scored it
	Scores []ComparedScore `json:"scores"`
	Reason string          `json:"no_interval_because,omitempty"`
}

// ComparedScore is one run in one region. The differences are paired: from the same draws of test rows.
type ComparedScore struct {
	Tuned      stats.Score    `json:"tuned"`
	Delta      ComparedDelta  `json:"delta"`                 // less the untuned model as this run scored it
	DeltaFirst *ComparedDelta `json:"delta_first,omitempty"` // less the first run; absent for that
}

// ComparedDelta is a difference. Q counts every difference of the comparison as one family.
type ComparedDelta struct {
	stats.Score
	Significance
}
