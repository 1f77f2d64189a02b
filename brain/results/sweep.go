package results

import "github.com/brainwavlm/bwlm/internal/roikeys"

// Sweep is the outcome of a sweep over settings. Its settings are ranked by their scores on the validation rows.
type Sweep struct {
	Schema int         `json:"schema"`
	Axes   []SweepAxis `json:"axes"`

	// Configurations is the number of settings that were tried, whatever their seeds; the best of many is better on
	// the validation rows than it is.
	Configurations int  `json:"configurations"`
	TestScored     int  `json:"test_scored_runs"` // runs whose test rows have been scored
	Revealed       bool `json:"revealed"`         // test scores of all runs are shown, not of the best setting's alone

	Settings []SweepSetting `json:"settings"` // in the order of their ranks
	Runs     []SweepRun     `json:"runs"`     // in the order of the axes
}

// SweepAxis is a key of the experiment and the values that it takes.
type SweepAxis struct {
	Key    string   `json:"key"`
	Values []string `json:"values"` // YAML
}

// SweepRun is one run of a sweep.
type SweepRun struct {
	Name     string   `json:"run"`        // its folder
	Values   []string `json:"values"`     // in the order of the axes
	ValR     *float64 `json:"val_r"`      // r on the validation rows at the best epoch; nil if the training failed
	ValDelta *float64 `json:"val_delta"`  // the same, tuned − base
	Best     int      `json:"best_epoch"` // 0: no epoch scored above the untuned model on the validation rows
	Epochs   int      `json:"epochs"`
	// epochs whose validation r is below that of the untuned model
	Below    int    `json:"epochs_below_base"`
	Diverged bool   `json:"diverged"` // the loss was not finite
	Error    string `json:"error,omitempty"`
	Code     int    `json:"exit_code,omitempty"` // of a command that had made this run alone

	// On the test rows, where they are shown.
	BaseR *float64           `json:"base_r,omitempty"`
	Delta map[string]float64 `json:"delta,omitempty"` // tuned − base, by ROI
}

// SweepSetting summarises the runs that differ in nothing but the seed.
type SweepSetting struct {
	Values map[string]string `json:"values"` // by key, without the seed

	// Rank is the place by ValR among the settings that are scored on the same validation responses, 1 for the best;
	// 0: not all seeds have a score.
	Rank     int     `json:"rank"`
	Seeds    int     `json:"seeds"` // runs that were trained to the end
	ValR     *Spread `json:"val_r"`
	ValDelta *Spread `json:"val_delta"`
	Best     []int   `json:"best_epochs"` // one per run
	Below    float64 `json:"share_of_epochs_below_base"`
	Diverged int     `json:"diverged"`
	Failed   int     `json:"failed"` // for other reasons

	Delta map[string]Spread `json:"delta,omitempty"` // tuned − base on the test rows, by ROI, where they are shown
}

// Spread is a mean over seeds with the sample SD (n−1); SD is nil for a single seed.
type Spread struct {
	Mean float64  `json:"mean"`
	SD   *float64 `json:"sd"`
}

// ROIs returns the ROIs that have a score in any run: [AllVoxels] first, then by name.
func (s *Sweep) ROIs() []string {
	found := map[string]bool{}
	for _, run := range s.Runs {
		for roi := range run.Delta {
			found[roi] = true
		}
	}
	return roikeys.Sorted(found)
}
