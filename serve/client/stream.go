package client

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
)

// Stream has a recording predicted while it comes in. The request names model, version, outputs and level. next returns
// the next samples, any number of them at 16 kHz, and io.EOF at the end; it is called from another goroutine. give is
// called with each response: the rows that audio completed. An *Error of Status 200 is what the server says of a stream
// that it ended after the first rows. A call of next may be left when Stream returns; its result is not used.
func (c *Client) Stream(ctx context.Context, q *Request, next func() ([]float32, error),
	give func(*Response) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	query := url.Values{"encoding": {"f32le"}}
	if len(q.Outputs) > 0 {
		query.Set("outputs", strings.Join(q.Outputs, ","))
	}
	if q.Level != 0 {
		query.Set(openinference.ParamLevel, strconv.FormatFloat(q.Level, 'g', -1, 64))
	}
	body, audio := io.Pipe()
	defer body.Close()
	go func() {
		for {
			samples, err := next()
			bytes := make([]byte, 0, 4*len(samples))
			for _, x := range samples {
				bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(x))
			}
			if _, left := audio.Write(bytes); left != nil || err != nil {
				_ = audio.CloseWithError(err) // io.EOF ends the body
				return
			}
		}
	}()
	path := pathOf(q) + "/stream?" + query.Encode()
	answer, err := c.open(ctx, http.MethodPost, path, body, "application/octet-stream", "")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	for lines := bufio.NewReader(answer.Body); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil {
			return fault.Wrap(fault.Unavailable, "infer", c.URL, err)
		}
		var said struct{ Error string }
		if json.Unmarshal(line, &said) == nil && said.Error != "" {
			return &Error{Status: answer.StatusCode, Text: said.Error}
		}
		r, err := openinference.DecodeResponse(line, "")
		if err == nil {
			err = give(r.Answer())
		}
		if err != nil {
			return err
		}
	}
}
