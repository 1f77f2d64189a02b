package serve

import "github.com/brainwavlm/bwlm/internal/openinference"

// Request asks one model about one recording: a file in Audio, or Samples.
type Request = openinference.Call

// Response is the answer to a request.
type Response = openinference.Answer

// Tensor is an array in row-major order. Values is a []float32, []float64 or []int64.
type Tensor = openinference.Array

// TensorSpec describes an input or output. A dimension of -1 is any number.
type TensorSpec = openinference.TensorSpec

// Metadata describes a model.
type Metadata = openinference.Metadata

// inputs are those of every model.
var inputs = []TensorSpec{
	{Name: openinference.InputAudio, Datatype: "BYTES", Shape: []int64{1}},
	{Name: openinference.InputSamples, Datatype: "FP32", Shape: []int64{-1}},
}
