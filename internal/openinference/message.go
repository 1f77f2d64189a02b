package openinference

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
)

// Request asks for outputs of a model.
type Request struct {
	ID         string
	Parameters map[string]any
	Inputs     []Tensor
	Outputs    []Wanted // none: all
	Binary     bool     // outputs that are not named come in binary form
}

// Wanted is an output that a request names.
type Wanted struct {
	Name   string
	Binary bool
}

// Response is the answer to a request.
type Response struct {
	Model, Version, ID string
	Parameters         map[string]any
	Outputs            []Tensor
}

type wireRequest struct {
	ID         string         `json:"id,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Inputs     []wire         `json:"inputs"`
	Outputs    []wireWanted   `json:"outputs,omitempty"`
}

type wireWanted struct {
	Name       string         `json:"name"`
	Parameters map[string]any `json:"parameters,omitempty"`
}

type wireResponse struct {
	Model      string         `json:"model_name"`
	Version    string         `json:"model_version,omitempty"`
	ID         string         `json:"id,omitempty"`
	Parameters map[string]any `json:"parameters,omitempty"`
	Outputs    []wire         `json:"outputs"`
}

// maxTensors bounds the inputs and the outputs of a message.
const maxTensors = 256

// parts divides a body into JSON and what follows. length is the value of the header HeaderLength, "" if there is none.
func parts(body []byte, length string) (text, rest []byte, err error) {
	if length == "" {
		return body, nil, nil
	}
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > len(body) {
		return nil, nil, bad(HeaderLength, "it is no number of bytes of the body")
	}
	return body[:n], body[n:], nil
}

// unmarshal reads JSON, whose errors do not repeat it.
func unmarshal(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return bad("body", "it is not the JSON of the protocol")
	}
	return nil
}

// decodeAll reads all tensors of a message, which use up all bytes that follow the JSON.
func decodeAll(list []wire, rest []byte) (out []Tensor, err error) {
	if len(list) > maxTensors {
		return nil, bad("body", "%d tensors, want at most %d", len(list), maxTensors)
	}
	for i := range list {
		var t Tensor
		if t, rest, err = decode(&list[i], rest); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	if len(rest) > 0 {
		return nil, bad("body", "%d bytes belong to no tensor", len(rest))
	}
	return out, nil
}

// DecodeRequest reads the body of a request. length is its header HeaderLength, or "". Bytes of tensors are not copied.
func DecodeRequest(body []byte, length string) (*Request, error) {
	text, rest, err := parts(body, length)
	if err != nil {
		return nil, err
	}
	var w wireRequest
	if err := unmarshal(text, &w); err != nil {
		return nil, err
	}
	r := &Request{ID: w.ID, Parameters: w.Parameters}
	r.Binary, _ = w.Parameters[binaryOutput].(bool)
	if len(w.Outputs) > maxTensors {
		return nil, bad("outputs", "%d outputs, want at most %d", len(w.Outputs), maxTensors)
	}
	for _, o := range w.Outputs {
		binary, given := o.Parameters[binaryData].(bool)
		r.Outputs = append(r.Outputs, Wanted{o.Name, binary || !given && r.Binary})
	}
	r.Inputs, err = decodeAll(w.Inputs, rest)
	return r, err
}

// Encode returns the body of a request and its header HeaderLength, "" where no tensor is in binary form.
func (r *Request) Encode() (body []byte, length string, err error) {
	w := wireRequest{ID: r.ID, Parameters: map[string]any{}}
	for k, v := range r.Parameters {
		w.Parameters[k] = v
	}
	if r.Binary {
		w.Parameters[binaryOutput] = true
	}
	for _, o := range r.Outputs {
		w.Outputs = append(w.Outputs, wireWanted{o.Name, map[string]any{binaryData: o.Binary}})
	}
	for i := range r.Inputs {
		w.Inputs = append(w.Inputs, r.Inputs[i].wire())
	}
	var out bytes.Buffer
	length, err = encode(&out, w, r.Inputs)
	return out.Bytes(), length, err
}

// encode writes JSON, and what follows it.
func encode(w io.Writer, message any, tensors []Tensor) (length string, err error) {
	text, err := json.Marshal(message)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(text); err != nil {
		return "", err
	}
	for i := range tensors {
		if tensors[i].Binary {
			length = strconv.Itoa(len(text))
			if err := tensors[i].writeBinary(w); err != nil {
				return "", err
			}
		}
	}
	return length, nil
}

// Body is an encoded response.
type Body struct {
	Length string // header HeaderLength, "" where no tensor is in binary form
	Size   int    // bytes

	text    []byte
	tensors []Tensor
}

// Encode returns the body of a response. Binary tensors are not copied.
func (r *Response) Encode() (*Body, error) {
	w := wireResponse{Model: r.Model, Version: r.Version, ID: r.ID, Parameters: r.Parameters, Outputs: []wire{}}
	for i := range r.Outputs {
		w.Outputs = append(w.Outputs, r.Outputs[i].wire())
	}
	text, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	b := &Body{text: text, tensors: r.Outputs, Size: len(text)}
	for i := range r.Outputs {
		if r.Outputs[i].Binary {
			b.Length = strconv.Itoa(len(text))
			b.Size += r.Outputs[i].size()
		}
	}
	return b, nil
}

// Write writes the body.
func (b *Body) Write(w io.Writer) error {
	if _, err := w.Write(b.text); err != nil {
		return err
	}
	for i := range b.tensors {
		if b.tensors[i].Binary {
			if err := b.tensors[i].writeBinary(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// DecodeResponse reads the body of a response.
func DecodeResponse(body []byte, length string) (*Response, error) {
	text, rest, err := parts(body, length)
	if err != nil {
		return nil, err
	}
	var w wireResponse
	if err := unmarshal(text, &w); err != nil {
		return nil, err
	}
	r := &Response{Model: w.Model, Version: w.Version, ID: w.ID, Parameters: w.Parameters}
	r.Outputs, err = decodeAll(w.Outputs, rest)
	return r, err
}
