package rundir

const (
	Predicting     = "predict"
	OpenPredictor  = "open predictor"
	ReadoutColumns = "columns"
	ReadoutKey     = "readout" // of the metadata
)

// ReadoutNote travels in the metadata of a readout's file: what of the data set is needed to use it.
type ReadoutNote struct {
	TR      float64 `json:"tr_seconds"`
	RowTime float64 `json:"row_time"`
	Delays  []int   `json:"delays_trs"`
	Epoch   int     `json:"epoch"`
	Ridge   bool    `json:"ridge,omitempty"` // the readout is a ridge, which is sound before training too
}
