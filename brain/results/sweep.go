package results

import "github.com/brainwavlm/bwlm/internal/roikeys"

// Sweep is the outcome of a sweep over settings.
type Sweep struct {
	Schema   int            `json:"schema"`
	Axes     []SweepAxis    `json:"axes"`
	Settings []SweepSetting `json:"settings"`
	Runs     []SweepRun     `json:"runs"`
}

// SweepAxis is a key of the experiment and the values that it takes.
type SweepAxis struct {
	Key    string   `json:"key"`
	Values []string `json:"values"` // YAML
}

// SweepRun is one run of a sweep.
type SweepRun struct {
	Name     string             `json:"run"`    // its folder
	Values   []string           `json:"values"` // in the order of the axes
	BaseR    *float64           `json:"base_r"` // nil if the run failed
	Delta    map[string]float64 `json:"delta"`  // tuned − base on the test rows, by ROI
	ValDelta float64            `json:"val_delta"`
	Best     int                `json:"best_epoch"` // 0: no epoch scored above the untuned model on the validation rows
	Epochs   int                `json:"epochs"`
	// epochs whose validation r is below that of the untuned model
	Below    int    `json:"epochs_below_base"`
	Diverged bool   `json:"diverged"` // the loss was not finite
	Error    string `json:"error,omitempty"`
}

// SweepSetting summarises the runs that differ in nothing but the seed.
type SweepSetting struct {
	Values   map[string]string `json:"values"` // by key, without the seed
	Seeds    int               `json:"seeds"`  // runs with scores
	Delta    map[string]Spread `json:"delta"`  // tuned − base on the test rows, by ROI
	ValDelta Spread            `json:"val_delta"`
	Best     []int             `json:"best_epochs"` // one per run
	Below    float64           `json:"share_of_epochs_below_base"`
	Diverged int               `json:"diverged"`
	Failed   int               `json:"failed"` // for other reasons
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
