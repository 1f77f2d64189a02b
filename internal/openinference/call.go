package openinference

import (
	"math"

	"github.com/brainwavlm/bwlm/fault"
)

// Call asks one model about one recording. Packages serve and serve/client call it a Request.
type Call struct {
	Model   string
	Version string // the model must have; "" for any
	Adapter string // of the model; "" for the model as it is
	ID      string // returned with the answer

	Audio      []byte    // a WAV, FLAC or MP3 file; or
	Samples    []float32 // of one channel
	SampleRate int       // of Samples, in Hz; 0: 16000

	Outputs []string // names of tensors; none: all but those that are computed on request
	Level   float64  // of prediction intervals; 0: .9
}

// Answer is the answer to a call. Packages serve and serve/client call it a Response.
type Answer struct {
	Model, Version, ID string
	Outputs            []Array
}

// Array is an array in row-major order. Values is a []float32, []float64 or []int64. Packages serve and serve/client
// call it a Tensor.
type Array struct {
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

const calling = "infer"

// maxID is the length of the longest id of a request.
const maxID = 256

// CallOf reads a request to a model.
func CallOf(wire *Request, model, version string) (*Call, error) {
	c := &Call{Model: model, Version: version, ID: wire.ID}
	if len(wire.ID) > maxID {
		return nil, fault.New(fault.Usage, calling, "id", "it has more than %d bytes", maxID)
	}
	if adapter, given := wire.Parameters[ParamAdapter]; given {
		text, ok := adapter.(string)
		if !ok {
			return nil, fault.New(fault.Usage, calling, ParamAdapter, "it is no text")
		}
		c.Adapter = text
	}
	rate, given := wire.Parameters[ParamRate]
	for _, in := range wire.Inputs {
		if err := c.add(in); err != nil {
			return nil, err
		}
		if own, ok := in.Parameters[ParamRate]; ok {
			rate, given = own, true
		}
	}
	if given {
		hz, ok := rate.(float64)
		if !ok || hz != math.Trunc(hz) || hz < 1 || hz > math.MaxInt32 {
			return nil, fault.New(fault.Usage, calling, ParamRate, "it is no whole number of Hz")
		}
		c.SampleRate = int(hz)
	}
	if level, given := wire.Parameters[ParamLevel]; given {
		share, ok := level.(float64)
		if !ok || !(share > 0 && share < 1) {
			return nil, fault.New(fault.Usage, calling, ParamLevel, "it is no number between 0 and 1")
		}
		c.Level = share
	}
	for _, o := range wire.Outputs {
		c.Outputs = append(c.Outputs, o.Name)
	}
	return c, nil
}

// add takes an input of a request.
func (c *Call) add(in Tensor) error {
	wrong := func(want string) error { return fault.New(fault.Usage, calling, in.Name, "want %s", want) }
	switch in.Name {
	case InputAudio:
		files, ok := in.Data.([][]byte)
		if !ok || len(files) != 1 || c.Audio != nil {
			return wrong("one element of BYTES, once")
		}
		c.Audio = files[0]
	case InputSamples:
		x, ok := in.Data.([]float32)
		if d := in.Shape; !ok || c.Samples != nil || len(d) == 0 || len(d) > 2 || len(d) == 2 && d[0] != 1 {
			return wrong("FP32 of shape [T] or [1, T], once")
		}
		c.Samples = x
	default:
		return fault.New(fault.Usage, calling, "", "an input is neither %s nor %s", InputAudio, InputSamples)
	}
	return nil
}

// Request returns a call in the form of the protocol, with tensors in binary form.
func (c *Call) Request() *Request {
	q := &Request{ID: c.ID, Parameters: map[string]any{}, Binary: true}
	if c.Adapter != "" {
		q.Parameters[ParamAdapter] = c.Adapter
	}
	add := func(t Tensor) {
		t.Binary = true
		q.Inputs = append(q.Inputs, t)
	}
	if c.Audio != nil {
		add(NewTensor(InputAudio, []int64{1}, [][]byte{c.Audio}))
	}
	if c.Samples != nil {
		add(NewTensor(InputSamples, []int64{int64(len(c.Samples))}, c.Samples))
	}
	if c.SampleRate != 0 {
		q.Parameters[ParamRate] = c.SampleRate
	}
	if c.Level != 0 {
		q.Parameters[ParamLevel] = c.Level
	}
	for _, name := range c.Outputs {
		q.Outputs = append(q.Outputs, Wanted{name, true})
	}
	return q
}

// ResponseOf returns an answer in the form that a request wants: in its order, if it names outputs.
func ResponseOf(a *Answer, wire *Request) *Response {
	out := &Response{Model: a.Model, Version: a.Version, ID: a.ID}
	add := func(x Array, binary bool) {
		t := NewTensor(x.Name, nil, x.Values)
		for _, d := range x.Shape {
			t.Shape = append(t.Shape, int64(d))
		}
		t.Binary = binary
		out.Outputs = append(out.Outputs, t)
	}
	if len(wire.Outputs) == 0 {
		for _, x := range a.Outputs {
			add(x, wire.Binary)
		}
	}
	for _, o := range wire.Outputs {
		for _, x := range a.Outputs {
			if x.Name == o.Name {
				add(x, o.Binary)
			}
		}
	}
	return out
}

// Answer returns a response of a server.
func (r *Response) Answer() *Answer {
	a := &Answer{Model: r.Model, Version: r.Version, ID: r.ID}
	for _, t := range r.Outputs {
		x := Array{Name: t.Name, Values: t.Data}
		for _, d := range t.Shape {
			x.Shape = append(x.Shape, int(d))
		}
		a.Outputs = append(a.Outputs, x)
	}
	return a
}
