package experiment

import (
	"math"
	"strconv"
	"strings"
)

// Experiment is a whole experiment file with every default filled in. A program may take Default, change fields and
// Validate; a file comes through Load.
type Experiment struct {
	Model   Model
	Adapter Adapter
	Data    Data
	Readout Readout
	Train   Train
	Eval    Eval
	Compat  Compat
	Device  string // "auto", "cpu", "cuda" or "cuda:N"
	DType   string // "f32", "bf16" or "auto": the dtype in which linear layers multiply
	Out     string // the run directory, absolute when read from a file

	MaxMemory string // of the process, such as "8GiB", or "none"

	name   string            // the file's name as the user gave it, for messages
	origin map[string]Origin // by key; absent means FromDefault
	where  map[string]string // by key: "exp.yaml:3:9" or "setting train.lr=1"
	given  map[string]string // by key: a relative path before it was made absolute
}

// Model holds the speech model, its hidden state, and how its frames become one vector per TR.
type Model struct {
	Path          string     // Hugging Face directory, absolute when read from a file
	Layer         int        // index into hidden_states; 0 is the input of the first block
	WindowSeconds float64    // seconds of audio behind one feature vector
	StrideSeconds float64    // seconds from one window's end to the next
	Extraction    Extraction // window by window, or from longer chunks
	ChunkSeconds  float64    // of a chunk
	Pooling       Pooling    // from the frames of a window to its vector
	Normalise     Normalise  // of the waveform
	Context       Context    // what a window or chunk is heard in
	Downsample    Downsample // from windows to TRs
	ReinitLayers  []int      // encoder layers that tuning starts at random
	ClipWindow    []float64  // design event: seconds of each clip that are read, from and to; empty: all
}

// Adapter describes the low-rank adapters that are tuned in mode lora.
type Adapter struct {
	Type    string   // "lora" (scale alpha/r) or "rslora" (scale alpha/sqrt(r))
	R       int      // rank
	Alpha   float64  // scale's numerator
	Dropout float64  // on the adapter's input, 0 to 1
	Targets []string // "auto", "attention" or "all-linear" alone, or names of linear layers
	Layers  []int    // encoder layers; nil means every layer below Model.Layer
	Init    string   // folder of an adapter in PEFT's format that gives the initial values; "": drawn
}

// Data holds the subjects and stories and the preprocessing of responses.
type Data struct {
	Path       string   // data-set directory or its dataset.yaml, absolute when read from a file
	Subjects   []string // names, globs, or "all"
	Train      []string // stories, or rows of one: "alice[10:200]"
	Val        []string // as Train; chooses the epoch
	Test       []string // as Train; scored once
	ROI        []string // ROIs that are tuned on; empty means every voxel
	ROIBalance []string // ROIs that have the same total weight in the loss; empty means that every voxel has the same
	Detrend    string   // "none" or "legendre:N"
	ZScore     ZScore   // whose statistics standardise the responses
	Trim       [2]int   // rows dropped from the start and the end of a whole story
	AllowLeak  bool     // true: splits may share audio

	UseTestRepeats bool // true: train.reliability may be test

	AllowTruncated bool     // true: recordings that end early are read as far as they go
	AllowShared    []string // pairs of stories that may share audio, "a:b"; globs
}

// Readout maps features to voxels.
type Readout struct {
	Mode          ReadoutMode
	RefitSteps    int          // optimizer steps between refits of a ridge readout within an epoch; 0: only at its end
	LayerWeights  LayerWeights // what has a learned weighted sum of hidden states
	Bias          string       // initial biases: "zeros", or "uniform" in ±1/√inputs as PyTorch's Linear
	Init          string       // safetensors file of the initial values; {subject} stands for the name; "": drawn
	Bottleneck    int          // width of the hidden linear map; 0 is one direct linear map
	DelaysSeconds []float64    // FIR delays in seconds, rising
	LagsMS        []float64    // design series: lags in milliseconds, rising
	LagWindows    []string     // design series: windows of lags, "NAME=FROM:TO" in milliseconds; see [Readout.Windows]
}

// Train holds the settings of tuning.
type Train struct {
	Mode        TrainMode
	Loss        Loss
	CosineShare float64 // of the cosine in cosine_l2, 0 to 1; the rest is the mean square
	Temperature float64 // of nt_xent
	// "none", or the split whose repeats give the weights CC_max squared: "train", "val" or "test"
	Reliability       string
	Weights           string   // .npy file with a weight for each voxel, absolute when read from a file; "": none
	RetainROI         []string // ROIs of the retention constraint; empty means none
	RetainWeight      float64  // weight of its penalty, in units of the loss per r
	RetainMargin      float64  // loss of r that it allows
	Joint             Joint
	Epochs            int     // passes over the training rows
	EpochBy           string  // the score that chooses the epoch: "pooled" or "story_mean"
	Order             string  // of the blocks of an epoch: "shuffled" anew, or "listed" by story
	BlockRows         int     // rows of one optimizer step
	LastBlock         string  // what becomes of a rest of fewer rows: "merge" or "keep"
	ContextRows       int     // rows of features before a block, without loss
	UnitWindows       int     // windows that are computed at once, whatever memory allows
	LR                float64 // of the adapter, or of the model in mode full
	ReadoutLR         float64 // of the readout
	LayerWeightsLR    float64 // of the readout's layer weights
	Dropout           float64 // inside the model, 0 to 1
	LayerDrop         float64 // probability that a layer is skipped, 0 to 1
	SpecAugment       float64 // share of frames in masked spans, 0 to 1
	Convolutions      bool    // mode full trains the front end, too
	CheckpointMinutes float64 // minutes after which a checkpoint is due within an epoch; 0: none
	KeepEpochs        bool    // what finish writes is written at the end of each epoch, too
	SaveFeatures      string  // hidden states whose features at rows each epoch leaves: "none", "layer" or "all"
	Seed              uint64
}

// Eval holds the settings of the ridge that scores features.
type Eval struct {
	Alphas    []float64 // candidate alphas, rising; the penalty is alpha squared
	Boots     int       // bootstrap folds
	ChunkRows int       // rows of one bootstrap chunk
	Layer     EvalLayer // hidden states that are scored
	Folds     string    // "none", "stories" or "label:COLUMN": each is tested once, with a tuning of its own
	Features  []string  // features of the data set that are scored beside the model
	HeldOut   float64   // share of the training chunks held out in each fold

	HeldOutChunks string // JSON file with the numbers of the chunks that each fold holds out; "": drawn
	Chunks        string // that a fold may hold out: "all" or "whole"
	Metric        string // by which an alpha wins: "r", "r2" or "signed_root"
	Ties          string // alpha of equal scores: "larger" or "smaller"
	Intercept     bool   // of the ridge
	ReuseAlphas   bool   // epochs are compared with the alphas of epoch 0
	ZScore        string // rows that standardise responses in the ridge alone: "none" or "story"
}

// Default gives every key its default; the required ones are empty.
func Default() *Experiment {
	return &Experiment{
		Model: Model{
			Layer: 9, WindowSeconds: 4, StrideSeconds: .25, Extraction: ExtractWindows, ChunkSeconds: 32,
			Pooling:   PoolLast,
			Normalise: NormaliseAuto, Context: ContextAuto, Downsample: DownsampleLanczos, ReinitLayers: []int{},
		},
		Adapter: Adapter{
			Type: "lora", R: 4, Alpha: 4, Targets: []string{"auto"},
		},
		Data: Data{Detrend: "none", ZScore: ZScoreStory, Trim: [2]int{10, 5}},
		Readout: Readout{Mode: ReadoutTrained, LayerWeights: LayerWeightsNone, Bias: "zeros", Bottleneck: 100,
			DelaysSeconds: []float64{2, 4, 6, 8}, LagsMS: []float64{0, 80, 160, 240}},
		Train: Train{
			Mode: TrainLoRA, Loss: LossAuto, CosineShare: .5, Temperature: .1, Reliability: "none", RetainWeight: 1,
			Joint: JointShared, Epochs: 20, BlockRows: 10, ContextRows: 4, UnitWindows: 16,
			LR: 1e-4, ReadoutLR: 1e-4, LayerWeightsLR: 1e-2,
			EpochBy: "pooled", Order: "shuffled", LastBlock: "merge", SaveFeatures: "none", CheckpointMinutes: 15,
		},
		Eval: Eval{
			Alphas: logspace(1, 4, 10), Boots: 3, ChunkRows: 40, HeldOut: .25, Layer: EvalLayerModel, Folds: "none",
			Chunks: "all", Metric: "r", Ties: "larger", Intercept: true, ZScore: "none",
		},
		Device: "auto",
		DType:  "f32",

		MaxMemory: "none",
	}
}

// foldLabel begins eval.folds where folds are the labels of a column.
const foldLabel = "label:"

// Label returns the column whose labels are the folds of eval.folds; "" where these are stories, or there are none.
func (e Eval) Label() string {
	column, _ := strings.CutPrefix(e.Folds, foldLabel)
	if column == e.Folds {
		return ""
	}
	return column
}

// HasFolds reports whether eval.folds makes a training of each of several folds.
func (e Eval) HasFolds() bool { return e.Folds != "" && e.Folds != "none" }

// LegendreDegree gives the degree N of a detrend "legendre:N", or -1 for "none".
func (d Data) LegendreDegree() int {
	degree, ok := strings.CutPrefix(d.Detrend, "legendre:")
	n, err := strconv.Atoi(degree)
	if !ok || err != nil {
		return -1
	}
	return n
}

// logspace gives n numbers from 10^from to 10^to, evenly apart in the logarithm, as numpy.logspace does.
func logspace(from, to float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Pow(10, from)
		if n > 1 {
			out[i] = math.Pow(10, from+(to-from)*float64(i)/float64(n-1))
		}
	}
	return out
}
