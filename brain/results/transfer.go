package results

import "github.com/brainwavlm/bwlm/brain/stats"

// Transfer is the outcome of a transfer study. Lists by subject are in the order of Subjects.
type Transfer struct {
	Schema   int       `json:"schema"`
	Subjects []string  `json:"subjects"`
	Minutes  []float64 `json:"minutes"` // of each subject's training rows
	Base     []float64 `json:"base"`    // r of the untuned model, by subject

	// Matrix is r by the subject tuned on and the subject tested; a tuning that failed has no row (nil). On the
	// diagonal the two are the same, which is no transfer.
	Matrix [][]float64  `json:"matrix,omitempty"`
	Chosen []*int       `json:"chosen_epochs,omitempty"` // of the tunings of the matrix; nil: it failed
	Within *SubjectMean `json:"within,omitempty"`        // tuned − base on the diagonal
	// tuned − base off the diagonal, averaged over sources per subject
	Between *SubjectMean `json:"between,omitempty"`

	LeaveOneOut *LeaveOneOut   `json:"leave_one_out,omitempty"`
	Curve       *TransferCurve `json:"curve,omitempty"`
	Failed      []FailedRun    `json:"failed,omitempty"` // means are over the others
	Notes       []string       `json:"notes,omitempty"`
}

// FailedRun is a run without an outcome.
type FailedRun struct {
	Name  string `json:"run"` // its folder
	Error string `json:"error"`
	Code  int    `json:"exit_code"` // of a command that had made this run alone
}

// SubjectMean is a mean over subjects with its interval over subjects.
type SubjectMean struct {
	stats.Score
	Reason string `json:"no_interval_because,omitempty"`
}

// LeaveOneOut holds the scores of models that were tuned on all subjects but one.
type LeaveOneOut struct {
	Tuned  []*float64 `json:"tuned"` // r of each subject with the model of the others; nil: the tuning failed
	Chosen []*int     `json:"chosen_epochs"`

	Delta *SubjectMean `json:"delta"` // tuned − base: unseen subject, unseen stories
	// of subjects in the tuning, on the same unseen stories
	DeltaSeen *SubjectMean            `json:"delta_seen"`
	Cost      *SubjectMean            `json:"seen_minus_unseen"` // Seen − Gain
	ROIs      map[string]*SubjectMean `json:"delta_rois"`        // Gain by ROI

	UnseenStories UnseenStories `json:"ridge_on_unmet_stories"`
}

// UnseenStories holds the unseen subject's scores by a ridge that, too, is fitted on stories which no
// tuning contained. The lists are in the order of its own Subjects.
type UnseenStories struct {
	Subjects []string            `json:"subjects"` // those with such stories
	Stories  map[string][]string `json:"stories,omitempty"`
	Base     []float64           `json:"base"`
	Tuned    []float64           `json:"tuned"`
	Delta    *SubjectMean        `json:"delta"`
	Skipped  map[string]string   `json:"skipped,omitempty"` // by subject: why there is no score
}

// TransferCurve is score against minutes of a new subject's data: means over subjects, each left out of
// the tuning. Lists by subject are in the order of its own Subjects.
type TransferCurve struct {
	Subjects []string     `json:"subjects"` // those whose tuning did not fail
	Points   []CurvePoint `json:"points"`
	Goal     float64      `json:"goal"`         // r of the untuned model with all training rows
	Full     float64      `json:"full_minutes"` // of training rows, mean over subjects
	// by the tuned model at the goal; nil if the goal is not reached
	Saved     *float64        `json:"minutes_saved"`
	AtLeast   bool            `json:"at_least,omitempty"` // the first point already reaches the goal
	NotThere  string          `json:"not_reached,omitempty"`
	SavedCI95 *stats.Interval `json:"minutes_saved_ci95"`
	Reason    string          `json:"no_interval_because,omitempty"`
}

// CurvePoint is one point of a [TransferCurve].
type CurvePoint struct {
	Share     float64     `json:"share"`   // of the training rows
	Minutes   float64     `json:"minutes"` // mean over subjects
	Base      []float64   `json:"base"`
	Tuned     []float64   `json:"tuned"`
	BaseMean  SubjectMean `json:"base_mean"`
	TunedMean SubjectMean `json:"tuned_mean"`
	Delta     SubjectMean `json:"delta"`
}
