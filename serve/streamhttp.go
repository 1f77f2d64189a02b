package serve

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
)

// streamHTTP answers POST /v2/models/NAME/stream: the body is PCM of one channel at 16 kHz, and the answer has a line
// of JSON for each part of the audio that completes rows: a response of the protocol, or at last {"error": …}.
func (s *Server) streamHTTP(w http.ResponseWriter, r *http.Request) {
	q, width, err := streamRequest(r)
	if err != nil {
		s.report(r.PathValue("model"), err)
		fail(w, err)
		return
	}
	c := http.NewResponseController(w)
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close") // what is left of the body is no request
	}
	_ = c.EnableFullDuplex() // HTTP/2 is so anyway
	begun := false
	line := func(write func(io.Writer) error) error {
		if !begun {
			w.Header().Set("Content-Type", "application/x-ndjson")
			w.WriteHeader(http.StatusOK)
		}
		begun = true
		_ = c.SetWriteDeadline(time.Now().Add(s.cfg.Limits.Streams.Idle))
		err := write(w)
		if err == nil {
			_, err = io.WriteString(w, "\n")
		}
		if err = errors.Join(err, c.Flush()); err != nil {
			return fault.Wrap(fault.Interrupted, inferring, streaming, err)
		}
		return nil
	}
	wire := &openinference.Request{}
	for _, name := range q.Outputs {
		wire.Outputs = append(wire.Outputs, openinference.Wanted{Name: name})
	}
	err = s.Stream(r.Context(), q, pcm(r.Body, width), func(a *Response) error {
		body, err := openinference.ResponseOf(a, wire).Encode()
		if err != nil {
			return err
		}
		return line(body.Write)
	})
	if err != nil { // a read may be left
		_ = c.SetReadDeadline(time.Now().Add(-time.Hour))
	}
	switch { // a recording without rows is an error
	case err == nil:
	case begun:
		text, _ := json.Marshal(map[string]string{"error": textOf(err)})
		_ = line(func(w io.Writer) error { _, err := w.Write(text); return err })
	default:
		fail(w, err)
	}
}

// streamRequest reads the query of a stream, and returns the bytes of a sample.
func streamRequest(r *http.Request) (q *Request, width int, err error) {
	bad := func(key, want string) (*Request, int, error) {
		return nil, 0, fault.New(fault.Usage, inferring, key, "want %s", want)
	}
	q = &Request{Model: r.PathValue("model"), Version: r.PathValue("version")}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, 0, &status{http.StatusUnsupportedMediaType, "compressed bodies are not read"}
	}
	width = 4
	for key, values := range r.URL.Query() {
		value := values[0]
		switch key {
		case "encoding":
			switch value {
			case "f32le":
			case "s16le":
				width = 2
			default:
				return bad(key, "f32le or s16le")
			}
		case "outputs":
			q.Outputs = strings.Split(value, ",")
		case openinference.ParamLevel:
			if q.Level, err = strconv.ParseFloat(value, 64); err != nil || !(q.Level > 0 && q.Level < 1) {
				return bad(key, "a number between 0 and 1")
			}
		default:
			return bad("query", "encoding, outputs or level")
		}
	}
	return q, width, nil
}

// pcm returns a function that reads samples of 2 or 4 bytes as they come.
func pcm(body io.Reader, width int) func() ([]float32, error) {
	buffer, kept := make([]byte, 1<<16), 0
	return func() ([]float32, error) {
		n, err := body.Read(buffer[kept:])
		n += kept
		kept = n % width
		samples := make([]float32, n/width)
		for i := range samples {
			b := buffer[i*width:]
			if width == 2 {
				samples[i] = float32(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
			} else {
				samples[i] = math.Float32frombits(binary.LittleEndian.Uint32(b))
			}
		}
		copy(buffer, buffer[n-kept:n])
		if errors.Is(err, io.EOF) && kept > 0 {
			err = fault.New(fault.BadData, inferring, streaming, "the body ends within a sample of %d bytes", width)
		}
		return samples, err
	}
}
