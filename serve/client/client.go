// Package client calls servers of the Open Inference Protocol v2 over HTTP, such as bwlm serve. It needs neither
// libtorch
// nor any other part of this module at run time.
//
//	c := &client.Client{URL: "http://localhost:8080"}
//	answer, err := c.Infer(ctx, &client.Request{Model: "ada", Audio: wav, Outputs: []string{"predictions"}})
//	var refused *client.Error
//	if errors.As(err, &refused) && refused.After > 0 {
//		... // try again after that time
//	}
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
)

// Client calls one server. It may be used by many goroutines.
type Client struct {
	URL   string       // such as http://localhost:8080
	Token string       // "" for none
	HTTP  *http.Client // nil: http.DefaultClient
}

// Request asks one model about one recording: a file in Audio, or Samples.
type Request = openinference.Call

// Response is the answer to a request.
type Response = openinference.Answer

// Tensor is an array in row-major order. Values is a []float32, []float64 or []int64.
type Tensor = openinference.Array

// Metadata describes a model.
type Metadata = openinference.Metadata

// Error is an answer other than 200, or the end that a server makes to a stream.
type Error struct {
	Status int           // of HTTP
	Text   string        // what the server says
	After  time.Duration // when to try again; 0 if the server does not say
}

func (e *Error) Error() string { return fmt.Sprintf("infer: the server says %d: %s", e.Status, e.Text) }

// Infer asks for an answer. Errors are *Error where the server answered, and of kind Unavailable where it did not.
func (c *Client) Infer(ctx context.Context, q *Request) (*Response, error) {
	body, length, err := q.Request().Encode()
	if err != nil {
		return nil, err
	}
	answer, header, err := c.do(ctx, http.MethodPost, pathOf(q)+"/infer", body, length)
	if err != nil {
		return nil, err
	}
	r, err := openinference.DecodeResponse(answer, header.Get(openinference.HeaderLength))
	if err != nil {
		return nil, err
	}
	return r.Answer(), nil
}

// pathOf returns the path of the model of a request.
func pathOf(q *Request) string {
	path := "/v2/models/" + url.PathEscape(q.Model)
	if q.Version != "" {
		path += "/versions/" + url.PathEscape(q.Version)
	}
	return path
}

// Metadata describes a model.
func (c *Client) Metadata(ctx context.Context, model string) (*Metadata, error) {
	var m Metadata
	return &m, c.get(ctx, http.MethodGet, "/v2/models/"+url.PathEscape(model), &m)
}

// Models returns the names of the models.
func (c *Client) Models(ctx context.Context) (names []string, err error) {
	var index []struct{ Name string }
	err = c.get(ctx, http.MethodPost, "/v2/repository/index", &index)
	for _, m := range index {
		names = append(names, m.Name)
	}
	return names, err
}

// Ready reports whether the server accepts requests. It is false where the server does not answer.
func (c *Client) Ready(ctx context.Context) bool {
	var r struct{ Ready bool }
	return c.get(ctx, http.MethodGet, "/v2/health/ready", &r) == nil && r.Ready
}

// get reads the JSON of an answer.
func (c *Client) get(ctx context.Context, method, path string, into any) error {
	body, _, err := c.do(ctx, method, path, nil, "")
	if err == nil && json.Unmarshal(body, into) != nil {
		err = fault.New(fault.BadData, "infer", path, "the answer is not the JSON of the protocol")
	}
	return err
}

// do sends a request.
func (c *Client) do(ctx context.Context, method, path string, body []byte, length string) ([]byte, http.Header, error) {
	kind := ""
	if length != "" {
		kind = "application/octet-stream"
	}
	answer, err := c.open(ctx, method, path, bytes.NewReader(body), kind, length)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, "infer", c.URL, err)
	}
	return text, answer.Header, nil
}

// open sends a request, and returns an answer of 200, whose body is to be closed.
func (c *Client) open(ctx context.Context, method, path string, body io.Reader, kind, length string) (*http.Response,
	error) {
	r, err := http.NewRequestWithContext(ctx, method, c.URL+path, body)
	if err != nil {
		return nil, fault.Wrap(fault.Usage, "infer", c.URL, err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if length != "" {
		r.Header.Set(openinference.HeaderLength, length)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	over := c.HTTP
	if over == nil {
		over = http.DefaultClient
	}
	answer, err := over.Do(r)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "infer", c.URL, err)
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, "infer", c.URL, err)
		}
		e := &Error{Status: answer.StatusCode}
		var said struct{ Error string }
		if json.Unmarshal(text, &said) == nil {
			e.Text = said.Error
		}
		if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
			e.After = time.Duration(seconds) * time.Second
		}
		return nil, e
	}
	return answer, nil
}
