package speech

// Pass holds the options of one pass through an encoder's layers. The zero value is plain
// inference.
type Pass struct {
	// Lengths are the real frames of each clip, at least 1, where a batch is padded on the right.
	// nil: all frames are real.
	Lengths []int
	// MaskTime are the frames (B, T) to be replaced by the learnt mask vector, with or without
	// dropout in the scope. nil: as Regularise.Time draws them.
	MaskTime   [][]bool
	Regularise Regularise
	Final      Final
	// Last are the wanted frames of the last hidden state, in order; nil for all. The last layer
	// then computes no others. It attends to all frames of the state below, but most of its
	// arithmetic is saved.
	Last []int
}

// Final chooses the form of hidden state N in models that have a norm after the last layer.
type Final int

// The values of Final.
const (
	PreNorm  Final = iota // before the final norm, as transformers 5 returns it
	PostNorm              // after it: last_hidden_state
)

// Regularise holds the random disturbances of training. All are off in the zero value, and without
// effect where the scope has no dropout.
type Regularise struct {
	Hidden     float64 // dropout of each sub-layer's output
	Attention  float64 // dropout of attention weights
	Activation float64 // dropout inside the feed-forward part
	Projection float64 // dropout of the projected features
	LayerDrop  float64 // probability of skipping a layer
	Time       Spans   // of frames, replaced by a learnt vector (SpecAugment)
	Channels   Spans   // of hidden channels, set to 0 for all frames of a clip
}

// Spans controls masking: about the fraction Prob of the elements, in at least Min spans of Length,
// which may overlap. Nothing is masked where Prob is 0.
type Spans struct {
	Prob   float64
	Length int
	Min    int
}

// Parts of a pass by which a torch.Profile books time. Those of a layer have its number.
const (
	PartFrontEnd    = "front end"
	PartEmbedding   = "projection and position" // front end's output to hidden state 0, and positions
	PartAttention   = "attention"               // with its projections and their adapters
	PartFeedForward = "feed-forward"
	PartNorms       = "norms and residuals" // of a layer
)
