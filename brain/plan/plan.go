package plan

import "github.com/brainwavlm/bwlm/brain/stats"

// Plan holds the estimated cost of a training and its evaluation, and the sensitivity of the test rows.
type Plan struct {
	Schema      int     `json:"schema"`
	Seconds     float64 `json:"seconds"`                      // from opening the study to the scores
	PeakMB      float64 `json:"peak_mb"`                      // peak memory of the process; on a GPU, its host memory
	DiskMB      float64 `json:"disk_mb"`                      // of the finished run directory
	FreeMB      float64 `json:"free_disk_mb,omitempty"`       // where the run directory will be
	CacheMB     float64 `json:"cache_disk_mb,omitempty"`      // that the activation cache will take on disk at most
	CacheFreeMB float64 `json:"free_cache_disk_mb,omitempty"` // in its folder
	Device      string  `json:"device"`                       // of the measurement
	Threads     int     `json:"threads"`

	Folds           int     `json:"folds,omitempty"` // of eval.folds: time and disk are of all, steps of one
	Subjects        int     `json:"subjects"`
	Models          string  `json:"models"` // one for all subjects or one each, as a phrase
	Epochs          int     `json:"epochs"`
	StepsPerEpoch   int     `json:"steps_per_epoch"`
	Steps           int     `json:"steps"`
	WindowsPerStep  float64 `json:"windows_per_step"`  // mean over an epoch
	WindowsPerEpoch int     `json:"windows_per_epoch"` // of the steps of an epoch
	// extracted after each epoch without gradients, for statistics and validation
	WindowsRead     int     `json:"windows_read"`
	CachedShare     float64 `json:"cached_share"` // fraction of the activations of frozen layers that fits in the cache
	ModelParameters int     `json:"trainable_model_parameters"`
	Parameters      int     `json:"trainable_parameters"` // with the readouts of all subjects

	Phases      []Phase       `json:"phases"`
	Sensitivity []Sensitivity `json:"sensitivity"`
	Ways        []Way         `json:"ways"` // to extract features, that of the experiment first, then cheaper ones
	Compared    Compared      `json:"compared"`
	Intervals   Intervals     `json:"intervals"`
	Notes       []string      `json:"notes,omitempty"`

	CacheBytes int64 `json:"-"` // that an activation cache on disk would take at most
}

// Way is a way to extract features, with the cost of the run and the agreement with the experiment's own way. Numbers
// that could not be measured are nil; Compared has the reason.
type Way struct {
	Extraction string  `json:"extraction"`
	Stride     float64 `json:"stride_seconds"`
	Chunk      float64 `json:"chunk_seconds,omitempty"`
	Refused    string  `json:"refused,omitempty"` // why the experiment cannot be run so

	Seconds float64 `json:"seconds"`      // of the run, on this machine
	PeakMB  float64 `json:"peak_mb"`      // of the process
	TFLOP   float64 `json:"tflop"`        // of matrix products; backward passes are estimated
	Hours   float64 `json:"tflops_hours"` // of a machine that sustains one TFLOP/s

	// FeatureR is the correlation across rows with the features of the experiment, mean over channels, and LowR that of
	// the worst tenth; RowR is the correlation across channels, of standardised features, mean over rows.
	FeatureR *float64 `json:"feature_r,omitempty"`
	LowR     *float64 `json:"feature_r_lowest_tenth,omitempty"`
	RowR     *float64 `json:"row_r,omitempty"`

	// r of a ridge on features of the untuned model, mean over voxels and subjects: cross-validated within the training
	// rows, and on the validation rows.
	TrainR *float64 `json:"base_train_r,omitempty"`
	ValR   *float64 `json:"base_val_r,omitempty"`
	// ValR less that of the experiment's way, with an interval over blocks of rows
	Delta *stats.Score `json:"base_val_delta,omitempty"`
}

// Compared is the data from which ways are compared: pieces of training and validation rows, never test rows.
type Compared struct {
	Pieces    int     `json:"pieces"`
	TrainRows int     `json:"train_rows"`
	ValRows   int     `json:"val_rows"`
	Subjects  int     `json:"subjects"`
	Voxels    int     `json:"voxels"`  // of these subjects
	Seconds   float64 `json:"seconds"` // that the comparison took
	Reason    string  `json:"incomplete_because,omitempty"`
}

// Phase is one kind of work.
type Phase struct {
	Name    string  `json:"name"`
	Times   float64 `json:"times"` // number of times
	Each    float64 `json:"seconds_each"`
	Seconds float64 `json:"seconds"`
}

// Intervals are the confidence intervals that the test rows will allow.
type Intervals struct {
	BlockRows int     `json:"block_rows"` // least rows of a block of the bootstrap
	Blocks    int     `json:"blocks"`     // of all test rows
	Reason    string  `json:"no_interval_because,omitempty"`
	Minutes   float64 `json:"minutes_needed,omitempty"` // of test rows for an interval, if there is none
	Stories   int     `json:"test_stories"`             // intervals over stories need three
}

// Fidelity compares the vectors of extraction by chunks with those of single windows, and the cost
// of both, for the untuned model.
type Fidelity struct {
	Windows int       `json:"windows"` // compared
	Layers  []int     `json:"layers"`
	R       []float64 `json:"r"` // by layer: mean over channels of the correlation across windows

	ChunksCost  float64 `json:"chunks_cost"` // seconds of computing per second of audio
	WindowsCost float64 `json:"windows_cost"`
}
