package plan

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
	Fidelity    *Fidelity     `json:"fidelity,omitempty"`            // with extraction by chunks
	WithChunks  *float64      `json:"seconds_with_chunks,omitempty"` // instead of Seconds; nil if it is so
	Intervals   Intervals     `json:"intervals"`
	Notes       []string      `json:"notes,omitempty"`

	CacheBytes int64 `json:"-"` // that an activation cache on disk would take at most
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
