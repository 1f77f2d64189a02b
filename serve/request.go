package serve

import "github.com/brainwavlm/bwlm/internal/openinference"

// Request asks one model about one recording.
type Request struct {
	Model   string
	Version string // the model must have; "" for any
	Adapter string // of the model; "" for the model as it is
	ID      string // returned with the answer

	Audio      []byte    // a WAV, FLAC or MP3 file; or
	Samples    []float32 // of one channel
	SampleRate int       // of Samples, in Hz; 0: 16000

	Outputs []string // names of tensors; none: all
}

// Response is the answer to a request.
type Response struct {
	Model, Version, ID string
	Outputs            []Tensor
}

// Tensor is an array in row-major order. Values is a []float32, []float64 or []int64.
type Tensor struct {
	Name   string
	Shape  []int
	Values any
}

// TensorSpec describes an input or output. A dimension of -1 is any number.
type TensorSpec struct {
	Name     string  `json:"name"`
	Datatype string  `json:"datatype"` // of the protocol: FP32, FP64, INT64 or BYTES
	Shape    []int64 `json:"shape"`
}

// Metadata describes a model.
type Metadata struct {
	Name       string            `json:"name"`
	Versions   []string          `json:"versions"`
	Platform   string            `json:"platform"`
	Inputs     []TensorSpec      `json:"inputs"` // one of which a request has
	Outputs    []TensorSpec      `json:"outputs"`
	Properties map[string]string `json:"properties,omitempty"`
}

// inputs are those of every model.
var inputs = []TensorSpec{
	{openinference.InputAudio, "BYTES", []int64{1}},
	{openinference.InputSamples, "FP32", []int64{-1}},
}
