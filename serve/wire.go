package serve

import (
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
)

// requestOf reads a request of the protocol.
func requestOf(wire *openinference.Request, name, version string) (*Request, error) {
	q := &Request{Model: name, Version: version, ID: wire.ID}
	if len(wire.ID) > 256 {
		return nil, fault.New(fault.Usage, inferring, "id", "it has more than 256 bytes")
	}
	if adapter, given := wire.Parameters[openinference.ParamAdapter]; given {
		text, ok := adapter.(string)
		if !ok {
			return nil, fault.New(fault.Usage, inferring, openinference.ParamAdapter, "it is no text")
		}
		q.Adapter = text
	}
	rate, given := wire.Parameters[openinference.ParamRate]
	for _, in := range wire.Inputs {
		if err := q.add(in); err != nil {
			return nil, err
		}
		if own, ok := in.Parameters[openinference.ParamRate]; ok {
			rate, given = own, true
		}
	}
	if given {
		hz, ok := rate.(float64)
		if !ok || hz != math.Trunc(hz) || hz < 1 || hz > math.MaxInt32 {
			return nil, fault.New(fault.Usage, inferring, openinference.ParamRate, "it is no whole number of Hz")
		}
		q.SampleRate = int(hz)
	}
	for _, o := range wire.Outputs {
		q.Outputs = append(q.Outputs, o.Name)
	}
	return q, nil
}

// add takes an input of a request.
func (q *Request) add(in openinference.Tensor) error {
	wrong := func(want string) error {
		return fault.New(fault.Usage, inferring, in.Name, "want %s", want)
	}
	switch in.Name {
	case openinference.InputAudio:
		files, ok := in.Data.([][]byte)
		if !ok || len(files) != 1 || q.Audio != nil {
			return wrong("one element of BYTES, once")
		}
		q.Audio = files[0]
	case openinference.InputSamples:
		x, ok := in.Data.([]float32)
		if d := in.Shape; !ok || q.Samples != nil || len(d) == 0 || len(d) > 2 || len(d) == 2 && d[0] != 1 {
			return wrong("FP32 of shape [T] or [1, T], once")
		}
		q.Samples = x
	default:
		return fault.New(fault.Usage, inferring, "", "an input is neither %s nor %s", openinference.InputAudio,
			openinference.InputSamples)
	}
	return nil
}

// responseOf returns an answer in the form that a request wants: in its order, if it names outputs.
func responseOf(r *Response, wire *openinference.Request) *openinference.Response {
	out := &openinference.Response{Model: r.Model, Version: r.Version, ID: r.ID}
	add := func(x Tensor, binary bool) {
		t := openinference.NewTensor(x.Name, nil, x.Values)
		for _, d := range x.Shape {
			t.Shape = append(t.Shape, int64(d))
		}
		t.Binary = binary
		out.Outputs = append(out.Outputs, t)
	}
	if len(wire.Outputs) == 0 {
		for _, x := range r.Outputs {
			add(x, wire.Binary)
		}
	}
	for _, o := range wire.Outputs {
		for _, x := range r.Outputs {
			if x.Name == o.Name {
				add(x, o.Binary)
			}
		}
	}
	return out
}
