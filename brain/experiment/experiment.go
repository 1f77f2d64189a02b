package experiment

import (
	"math"
	"strconv"
	"strings"
)

// Experiment is a whole experiment file with every default filled in. A program may take Default, change fields and
// Validate; a file comes through Read or Load.
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
	where  map[string]string // by key: "exp.yaml:3:9" or "--set train.lr=1"
}

// Model says which speech model is read, where, and how its frames become one vector per TR.
type Model struct {
	Path          string  // Hugging Face directory, absolute when read from a file
	Layer         int     // index into hidden_states; 0 is the input of the first block
	WindowSeconds float64 // seconds of audio behind one feature vector
	StrideSeconds float64 // seconds from one window's end to the next
	Mode          string  // "windows" (each goes through the model by itself) or "block" (many are read from one clip)
	BlockSeconds  float64 // of a clip in mode block
	Token         string  // "first", "last" or "mean" frame of the window
	Normalise     string  // "auto", "story", "window" or "none"
	Downsample    string  // "lanczos" or "average"
}

// Adapter describes the low-rank adapters that are tuned in mode lora.
type Adapter struct {
	Type    string   // "lora" (scale alpha/r) or "rslora" (scale alpha/sqrt(r))
	R       int      // rank
	Alpha   float64  // scale's numerator
	Dropout float64  // on the adapter's input, 0 to 1
	Targets []string // names of linear modules, or the one word "all-linear"
	Layers  []int    // encoder layers; nil means every layer below Model.Layer
}

// Data says whose responses to which stories, and how they are prepared.
type Data struct {
	Path       string   // data-set directory or its dataset.yaml, absolute when read from a file
	Subjects   []string // names, globs, or "all"
	Train      []string // stories, or rows of one: "alice[10:200]"
	Val        []string // as Train; chooses the epoch
	Test       []string // as Train; touched once
	ROI        []string // regions that are tuned; empty means every column
	ROIBalance []string // regions that weigh the same in the loss; empty means every voxel does
	Detrend    string   // "none" or "legendre:N"
	ZScore     string   // "story", "train" or "none": whose statistics standardise the responses
	Trim       [2]int   // rows dropped from the start and the end of a whole story
	AllowLeak  bool     // go on where splits share audio
}

// Readout maps features to voxels.
type Readout struct {
	Mode          string    // "trained" with the model, or "pinned": the ridge on the features as they are
	RefreshSteps  int       // a pinned readout is fitted anew every so many steps of an epoch; 0: at its end
	LayerMix      string    // "none", "voxel" or "region": who has a soft choice of hidden states of its own
	Bottleneck    int       // width of the hidden linear map; 0 is one direct linear map
	DelaysSeconds []float64 // FIR delays in seconds, rising
}

// Train says what is tuned and how.
type Train struct {
	Mode        string   // "lora", "full" or "readout"
	Loss        string   // "auto", "spatial", "temporal", "mse", "cosine_l2" or "nt_xent"
	CosineShare float64  // of the cosine in cosine_l2, 0 to 1; the rest is the mean square
	Temperature float64  // of nt_xent
	Reliability string   // "none", or the split whose repeats weigh voxels in the loss, by their CC_max squared: "train", "val" or "test"
	Weights     string   // file with a weight for each voxel, absolute when read from a file; "{subject}" stands for the name; "": none
	GuardROI    []string // regions that must not get worse; empty means none
	GuardWeight float64  // of the penalty, in units of the loss per r
	GuardMargin float64  // how much r they may lose
	Joint       string   // "shared" or "sequential": how several subjects meet in one block
	Epochs      int      // passes over the training rows
	BlockTRs    int      // rows of one optimizer step
	HaloTRs     int      // rows of features before a block, without loss
	LR          float64  // of the adapter, or of the model in mode full
	ReadoutLR   float64  // of the readout
	MixLR       float64  // of the readout's layer mix
	Dropout     float64  // inside the model, 0 to 1
	LayerDrop   float64  // probability that a layer is passed over, 0 to 1
	SpecAugment float64  // probability that a frame starts a masked span, 0 to 1
	Seed        uint64
}

// Eval says how the ridge that scores the features is fitted.
type Eval struct {
	Alphas   []float64 // candidate alphas, rising; the penalty is alpha squared
	Boots    int       // bootstrap folds
	ChunkTRs int       // rows of one bootstrap chunk
	Layer    string    // "model": Model.Layer for all voxels; "voxel": each its own, up to that
	HeldOut  float64   // share of the training chunks held out in each fold
}

// Default gives every key its default; the required ones are empty.
func Default() *Experiment {
	return &Experiment{
		Model: Model{Layer: 9, WindowSeconds: 4, StrideSeconds: .25, Mode: "windows", BlockSeconds: 32, Token: "last", Normalise: "auto", Downsample: "lanczos"},
		Adapter: Adapter{
			Type: "lora", R: 4, Alpha: 4, Targets: []string{"q_proj", "k_proj", "v_proj"},
		},
		Data:    Data{Detrend: "none", ZScore: "story", Trim: [2]int{10, 5}},
		Readout: Readout{Mode: "trained", LayerMix: "none", Bottleneck: 100, DelaysSeconds: []float64{2, 4, 6, 8}},
		Train: Train{
			Mode: "lora", Loss: "auto", CosineShare: .5, Temperature: .1, Reliability: "none", Joint: "shared", Epochs: 20, BlockTRs: 10, HaloTRs: 4, LR: 1e-4, ReadoutLR: 1e-4, MixLR: 1e-2,
			GuardWeight: 1,
		},
		Eval:   Eval{Alphas: logspace(1, 4, 10), Boots: 3, ChunkTRs: 40, HeldOut: .25, Layer: "model"},
		Device: "auto",
		DType:  "f32",

		MaxMemory: "none",
	}
}

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
