package experiment

import (
	"strconv"
	"strings"
)

// The enumerations of the file. The YAML spelling of a value is the constant's text.
type (
	// Pooling is the rule by which the frames of a window become its vector (model.pooling).
	Pooling string
	// Extraction is what goes through the speech model at once (model.extraction).
	Extraction string
	// Normalise is the span over which a waveform is standardised to mean 0 and SD 1 (model.normalise).
	Normalise string
	// Context is what a clip is heard in by the model (model.context).
	Context string
	// Downsample is the rule by which vectors of windows become one vector per TR (model.downsample).
	Downsample string
	// ZScore is the set of rows whose statistics standardise the responses (data.zscore).
	ZScore string
	// ReadoutMode is the way in which readouts are fitted (readout.mode).
	ReadoutMode string
	// LayerWeights is the unit that has its own weighted sum of hidden states (readout.layer_weights).
	LayerWeights string
	// TrainMode is the set of parameters that are tuned (train.mode).
	TrainMode string
	// Loss is the name of a loss (train.loss).
	Loss string
	// Joint is the way in which several subjects share an optimizer step (train.joint).
	Joint string
	// EvalLayer is the choice of hidden states that are scored (eval.layer).
	EvalLayer string
)

// The values of Pooling.
const (
	PoolLast  Pooling = "last"
	PoolFirst Pooling = "first"
	PoolMean  Pooling = "mean"
)

// poolIndex begins the Pooling of one frame by its number: index:N.
const poolIndex = "index:"

// poolIndexOf returns the Pooling that takes frame n, from 0; a negative n counts from the end.
func poolIndexOf(n int) Pooling { return Pooling(poolIndex + strconv.Itoa(n)) }

// Index returns the frame of index:N.
func (p Pooling) Index() (n int, ok bool) {
	digits, ok := strings.CutPrefix(string(p), poolIndex)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > -1_000_000 && n < 1_000_000 && p == poolIndexOf(n)
}

// The values of Extraction.
const (
	ExtractWindows Extraction = "windows" // each window goes through the model by itself
	ExtractChunks  Extraction = "chunks"  // windows are read from longer chunks, which overlap by a window
	ExtractClip    Extraction = "clip"    // design series: bins are read from one pass over their whole clip: acausal
)

// The values of Context.
const (
	ContextAuto   Context = "auto" // 30s for a Whisper
	Context30s    Context = "30s"  // padded to 30 s, as a Whisper was trained
	ContextWindow Context = "window"
)

// The values of Normalise.
const (
	NormaliseAuto   Normalise = "auto" // over the story if the model was made for it, else not at all
	NormaliseStory  Normalise = "story"
	NormaliseWindow Normalise = "window"
	NormaliseNone   Normalise = "none"
)

// The values of Downsample.
const (
	DownsampleLanczos Downsample = "lanczos"
	DownsampleAverage Downsample = "average"
)

// The values of ZScore.
const (
	ZScoreStory ZScore = "story"
	ZScoreTrain ZScore = "train"
	ZScoreNone  ZScore = "none"
)

// The values of ReadoutMode.
const (
	ReadoutTrained ReadoutMode = "trained" // by gradient, with the model
	ReadoutRidge   ReadoutMode = "ridge"   // in closed form on the features as they are
)

// The values of LayerWeights.
const (
	LayerWeightsNone  LayerWeights = "none"
	LayerWeightsVoxel LayerWeights = "voxel"
	LayerWeightsROI   LayerWeights = "roi"
)

// The values of TrainMode.
const (
	TrainLoRA    TrainMode = "lora"
	TrainFull    TrainMode = "full"
	TrainReadout TrainMode = "readout"
)

// The values of Loss.
const (
	LossAuto     Loss = "auto"
	LossSpatial  Loss = "spatial"
	LossTemporal Loss = "temporal"
	LossMSE      Loss = "mse"
	LossCosineL2 Loss = "cosine_l2"
	LossNTXent   Loss = "nt_xent"
)

// The values of Joint.
const (
	JointShared     Joint = "shared"
	JointSequential Joint = "sequential"
)

// The values of EvalLayer.
const (
	EvalLayerModel EvalLayer = "model" // all voxels from Model.Layer
	EvalLayerVoxel EvalLayer = "voxel" // each from its own, up to Model.Layer
	EvalLayerStack EvalLayer = "stack" // each from all up to Model.Layer: a weighted sum of their predictions
)
