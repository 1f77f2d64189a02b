package openinference

// Names of the inputs, and of parameters of a request.
const (
	InputAudio     = "audio"        // BYTES [1]: a file
	InputSamples   = "samples"      // FP32 [T]
	ParamRate      = "sample_rate"  // of samples, in Hz
	ParamAdapter   = "adapter"      // name of an adapter of the model
	ParamLevel     = "level"        // of prediction intervals
	OutputTimes    = "times"        // FP64 [T]: the second of the audio that each row belongs to
	OutputColumns  = "columns"      // INT64 [V]: the voxels, columns of the subject's responses
	OutputResponse = "predictions"  // FP32 [T, V]
	OutputLower    = "lower"        // FP32 [T, V]: the lower bounds of prediction intervals
	OutputUpper    = "upper"        // FP32 [T, V]
	OutputCeiling  = "ceiling"      // FP32 [V]: noise ceilings
	OutputR        = "validation_r" // FP32 [V]
	OutputFeatures = "features."    // FP32 [T, C], followed by the number of a hidden state
)
