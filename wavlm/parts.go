package wavlm

// The parts of a pass by which a torch.Profile books time. Those of a layer have its number.
const (
	PartFrontEnd    = "front end"
	PartEmbedding   = "projection and position" // features to hidden state 0, and the table of relative positions
	PartAttention   = "attention"               // with its four projections, their adapters, and the gate
	PartFeedForward = "feed-forward"
	PartNorms       = "norms and residuals" // of a layer
)
