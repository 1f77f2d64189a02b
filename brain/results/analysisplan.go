package results

import "time"

// Endpoints are what a study will be judged by.
type Endpoints struct {
	ROIs  []string `json:"rois"`  // in the order of their importance; none: all voxels
	Test  string   `json:"test"`  // how, in words
	Sides int      `json:"sides"` // 1: tuned is better; 2: tuned differs
	Delta float64  `json:"delta"` // non-inferiority margin, as a fraction of the base score
}

// Margin is the non-inferiority margin of an ROI, in r: Delta times the untuned score there on the
// validation rows. The test rows stay unseen, so the number is fixed before anything of them is.
type Margin struct {
	BaseR float64 `json:"base_validation_r"`
	Delta float64 `json:"delta_r"`
}

// AnalysisPlan is the content of OUT.analysis_plan.json: what an analysis was locked to before the training.
type AnalysisPlan struct {
	Schema    int               `json:"schema"`
	Time      time.Time         `json:"time"`
	Splits    map[string]string `json:"splits_sha256"` // by subject: of the rows of each split
	Masks     map[string]string `json:"masks_sha256"`  // by subject/ROI: of the columns
	Endpoints Endpoints         `json:"endpoints"`
	// by ROI: endpoints and auditory cortex, where the untuned model scores above 0
	Margins map[string]Margin `json:"margins,omitempty"`
	SHA256  string            `json:"sha256"` // of all of the above but the time
}

// PlanStatus is the part of a summary about the locked plan of its analysis.
type PlanStatus struct {
	Time      time.Time `json:"time"`
	SHA256    string    `json:"sha256"`
	Endpoints Endpoints `json:"endpoints"`
	TestReads int       `json:"test_reads"` // of test rows since then, this one included
	Refused   int       `json:"refused,omitempty"`

	Margins map[string]Margin `json:"margins,omitempty"` // the locked ones, if the scores are of the same subjects
}
