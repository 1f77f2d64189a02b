package results

import (
	"errors"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
)

// RunSchema is the version of the JSON files of a run directory: manifest.json, eval/summary.json
// and eval/test/layout.json.
const RunSchema = 2

// CheckSchema reports a file of a run directory that another version wrote, as a fault of kind BadData.
func CheckSchema(path string, schema int) error {
	switch {
	case schema == RunSchema:
		return nil
	case schema < RunSchema:
		return fault.New(fault.BadData, "read run", path, "an earlier version of bwlm wrote this run").
			WithHint("repeat the run from its experiment file")
	}
	return fault.New(fault.BadData, "read run", path, "schema %d, this version reads %d", schema, RunSchema)
}

// Summary is what an evaluation found, as bwlm eval prints it.
type Summary struct {
	Schema int      `json:"schema"`
	Test   Scores   `json:"test"`
	Epochs []Epoch  `json:"epochs,omitempty"` // of the training, if there was one
	Chosen int      `json:"chosen_epoch,omitempty"`
	Notes  []string `json:"notes,omitempty"`

	// if the experiment was sealed before its training
	AnalysisPlan *PlanStatus `json:"analysis_plan,omitempty"`

	Provenance *Provenance `json:"provenance,omitempty"` // of a run, as in its manifest
}

// Scores are the scores of one split.
type Scores struct {
	Rows          int         `json:"rows"` // of the subject with most
	Subjects      []string    `json:"subjects"`
	Stories       []string    `json:"stories,omitempty"`      // of the test rows
	TestRepeats   string      `json:"test_repeats,omitempty"` // how repeats of the test rows had a part in the tuning
	Base          ModelScore  `json:"base"`
	BaseBestLayer *ModelScore `json:"base_best_layer,omitempty"`
	Tuned         *ModelScore `json:"tuned,omitempty"`
	Delta         *Delta      `json:"delta,omitempty"`            // tuned − base
	DeltaBest     *Delta      `json:"delta_best_layer,omitempty"` // tuned − base at its best layer
	Ceiling       *ModelScore `json:"ceiling,omitempty"`

	// Features are those of eval.features, in its order.
	Features []FeatureScore `json:"features,omitempty"`

	// Lags are those of the untuned model in each window of readout.lag_windows, then at each of readout.lags_ms alone.
	Lags []LagScore `json:"lags,omitempty"`

	StoryScores   []StoryScore   `json:"story_scores,omitempty"`   // r over the rows of each story alone
	SubjectScores []SubjectScore `json:"subject_scores,omitempty"` // of each subject alone, if there are several
}

// SubjectScore is the score of one subject: the mean r of the voxels that vary. What belongs to a tuned model is nil
// where there is none.
type SubjectScore struct {
	Subject string          `json:"subject"`
	Rows    int             `json:"rows"` // test rows
	Base    float64         `json:"base"`
	Tuned   *float64        `json:"tuned,omitempty"`
	Delta   *float64        `json:"delta,omitempty"` // tuned − base
	CI95    *stats.Interval `json:"delta_ci95,omitempty"`
	Ceiling *float64        `json:"ceiling,omitempty"`
}

// StoryScore is the score of the rows of one story: the mean over subjects who have it of the mean r of their voxels
// that vary. Tuned and Delta are nil if there is no tuned model.
type StoryScore struct {
	Story string   `json:"story"`
	Base  float64  `json:"base"`
	Tuned *float64 `json:"tuned,omitempty"`
	Delta *float64 `json:"delta,omitempty"` // tuned - base
}

// ModelScore is the score of one way to predict: the mean over subjects of the mean r of their voxels that vary.
type ModelScore struct {
	Layer *int               `json:"layer,omitempty"`
	MeanR float64            `json:"mean_r"`
	CI95  *stats.Interval    `json:"ci95"`
	ROIs  map[string]float64 `json:"rois"`

	CI95Stories *stats.Interval `json:"ci95_stories,omitempty"` // over stories; nil with fewer than three

	OfCeiling *CCNorm `json:"percent_of_ceiling,omitempty"`
}

// FeatureScore is the score of features of the data set in place of the model's, on the same rows by the same ridge.
type FeatureScore struct {
	Name string `json:"name"`
	ModelScore
	Model string `json:"model"`         // what Less is of: "tuned" or, without a tuned model, "base"
	Less  *Delta `json:"model_less_it"` // model − features
}

// LagScore is the score at some lags alone, in milliseconds.
type LagScore struct {
	Window string             `json:"window,omitempty"` // "": one lag
	LagsMS []float64          `json:"lags_ms"`
	MeanR  float64            `json:"mean_r"`
	ROIs   map[string]float64 `json:"rois"`
}

// Delta is the difference of two systems with a paired interval.
type Delta struct {
	MeanR float64         `json:"mean_r"`
	CI95  *stats.Interval `json:"ci95"`
	Significance
	Reason string `json:"no_interval_because,omitempty"`

	CI95Stories *stats.Interval `json:"ci95_stories,omitempty"` // over stories; nil with fewer than three

	ROIs   map[string]DeltaROI `json:"rois"`
	Voxels *MovedVoxels        `json:"voxels,omitempty"` // of tuned − base
	// of 5 % of the other system's r, if a region is auditory cortex
	AuditoryNonInferiority *stats.NonInferiority `json:"auditory_non_inferiority,omitempty"`

	// Sealed are the losses that were sealed before the tuning as the largest that count as none, by region.
	NonInferiority map[string]*stats.NonInferiority `json:"non_inferiority,omitempty"`
}

// DeltaROI is a Delta of one region.
type DeltaROI struct {
	MeanR float64         `json:"mean_r"`
	CI95  *stats.Interval `json:"ci95"`
	Significance
	CI95Stories *stats.Interval `json:"ci95_stories,omitempty"`
}

// MovedVoxels counts the voxels of all subjects by what tuning did to them.
type MovedVoxels struct {
	Scored     int `json:"scored"`
	Unresolved int `json:"unresolved"` // predictions are the same within the resolution of the arithmetic
	Unmoved    int `json:"unmoved"`    // these, and those whose Δr rounds to 0.000
}

// hardlyMoved reports whether tuning left at least half of the voxels as they were.
func (d *Delta) hardlyMoved() bool {
	return d != nil && d.Voxels != nil && d.Voxels.Scored > 0 && 2*d.Voxels.Unmoved >= d.Voxels.Scored
}

// Unmoved says that tuning hardly moved the model and what to do about it; "" if it did move.
func (d *Delta) Unmoved() string {
	if !d.hardlyMoved() {
		return ""
	}
	return fmt.Sprintf("Tuning hardly moved the model: Δr rounds to 0.000 in %d of %d voxels, and in %d of them the "+
		"predictions are the same within the resolution of the arithmetic (p 1). Raise train.lr or train.epochs, and "+
		"see in metrics.jsonl whether the loss falls.", d.Voxels.Unmoved, d.Voxels.Scored, d.Voxels.Unresolved)
}

// AfterNoEpoch is what to do where no epoch was better than the untuned model.
const AfterNoEpoch = "Try a smaller train.lr if the training loss falls while the validation r does too, a larger " +
	"one if neither moves, or more training rows."

// ErrTestRepeats marks the refusal to tune on repeats of the test rows.
var ErrTestRepeats = errors.New("repeats of the test rows")

// How repeats of the test rows had a part in the tuning.
const (
	TestRepeatsShared = "Voxels were weighted by repeats of the test rows, from which the scores come, too: the " +
		"scores are NOT INDEPENDENT of the tuning (data.use_test_repeats)."
	TestRepeatsSplit = "Voxels were weighted by odd repeats of the test rows, which give the ceilings, too; the " +
		"scores come from even repeats (data.use_test_repeats)."
)

// OneStory says that the scores are about one story; "" where there are several, or an earlier version counted none.
func (s *Scores) OneStory() string {
	if len(s.Stories) != 1 {
		return ""
	}
	return fmt.Sprintf("Test rows are of one story, %s: intervals and p are about this story only.", s.Stories[0])
}
