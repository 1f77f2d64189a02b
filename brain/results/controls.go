package results

// Controls are the scores of control analyses of a tuned model.
type Controls struct {
	Schema   int                 `json:"schema"`
	Rows     int                 `json:"rows"` // test rows of the subject with most
	Subjects []string            `json:"subjects"`
	Base     ModelScore          `json:"base"`
	Controls map[string]*Control `json:"controls"` // by name
}

// Control is the score of one control analysis on the test rows.
type Control struct {
	Skipped string             `json:"skipped,omitempty"` // why the control was left out
	MeanR   float64            `json:"mean_r"`
	ROIs    map[string]float64 `json:"rois,omitempty"`
	Delta   *Delta             `json:"delta,omitempty"`        // control − base
	Epoch   *int               `json:"chosen_epoch,omitempty"` // nil if the control trains nothing
}

// VariancePartition splits the difference in R² of a tuned and the untuned model. All numbers except
// Variance are differences of R² on the test rows, averaged over runs. With B and T the features of the
// untuned and the tuned model and X the features of components,
//
//	ΔR²(X) = R²(T∪X) - R²(B∪X)
//
// is the difference that remains if both models are given X as well.
type VariancePartition struct {
	Schema      int                  `json:"schema"`
	Runs        []string             `json:"runs"`
	Base        float64              `json:"base_r2"`
	Tuned       float64              `json:"tuned_r2"`
	DeltaR2     float64              `json:"delta_r2"` // ΔR²(∅)
	Components  []PartitionComponent `json:"components"`
	Unexplained float64              `json:"unexplained"`  // ΔR²(X), X all components
	UniqueBase  float64              `json:"unique_base"`  // R²(B∪X) - R²(X), X all components
	UniqueTuned float64              `json:"unique_tuned"` // R²(T∪X) - R²(X): UniqueBase + Unexplained
	Variance    VarianceComponents   `json:"variance"`
}

// PartitionComponent is an explanation of the difference other than the tuning on responses.
type PartitionComponent struct {
	Name string `json:"name"`
	// Sequential is ΔR²(the components before) - ΔR²(those and this one). The sum over components and
	// Unexplained is the whole difference.
	Sequential float64 `json:"sequential"`
	// Alone is ΔR²(∅) - ΔR²(this one). It does not depend on the order of the components; the parts of
	// several components may overlap.
	Alone   float64 `json:"alone"`
	Skipped string  `json:"skipped,omitempty"` // why the component was left out
}

// VarianceComponents are the variance components of a difference between seeds, stories and subjects.
type VarianceComponents struct {
	Seeds    VarianceSource `json:"seeds"`
	Stories  VarianceSource `json:"stories"`
	Subjects VarianceSource `json:"subjects"`
	Residual *float64       `json:"residual_sd"` // within all three; nil: cannot be estimated
}

// VarianceSource is one source of variance.
type VarianceSource struct {
	N  int      `json:"n"`
	SD *float64 `json:"sd"` // of the effect; nil: cannot be estimated
	// Needed is the number of levels at which the difference would be 2.8 standard errors (80 % power at
	// .05, two-sided) if this were the only source; nil: cannot be estimated.
	Needed *int   `json:"needed"`
	Why    string `json:"why,omitempty"` // SD or Needed is nil
}
