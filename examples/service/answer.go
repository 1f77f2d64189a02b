package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// Answer is a matrix with a row for each point in time of a clip.
type Answer struct {
	Seconds []float64 // of each row
	Columns []int     // what each column stands for: a voxel of the subject's responses, or a channel
	Values  []float32 // (rows, columns)
}

const octets = "application/octet-stream"

// write sends the answer in the form that the client asked for. A client that is gone cannot be told.
func (a *Answer) write(w http.ResponseWriter, accept string) {
	if accept == octets {
		w.Header().Set("Content-Type", octets)
		_ = a.safetensors(w)
		return
	}
	rows := make([][]float32, len(a.Seconds))
	for k := range rows {
		rows[k] = a.Values[k*len(a.Columns):][:len(a.Columns)]
	}
	reply(w, http.StatusOK, map[string]any{"seconds": a.Seconds, "columns": a.Columns, "values": rows})
}

// safetensors writes the length of a JSON header, the header, and the elements of its tensors.
func (a *Answer) safetensors(w io.Writer) error {
	columns := make([]int64, len(a.Columns))
	for i, c := range a.Columns {
		columns[i] = int64(c)
	}
	type tensor struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	t, n := len(a.Seconds), len(columns)
	header, err := json.Marshal(map[string]tensor{
		"seconds": {"F64", []int{t}, [2]int{0, 8 * t}},
		"columns": {"I64", []int{n}, [2]int{8 * t, 8 * (t + n)}},
		"values":  {"F32", []int{t, n}, [2]int{8 * (t + n), 8*(t+n) + 4*t*n}},
	})
	if err != nil {
		return err
	}
	header = append(header, strings.Repeat(" ", -len(header)&7)...) // data begin at a multiple of 8 bytes
	for _, part := range []any{uint64(len(header)), header, a.Seconds, columns, a.Values} {
		if err := binary.Write(w, binary.LittleEndian, part); err != nil {
			return err
		}
	}
	return nil
}

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	status := statusOf(err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	reply(w, status, map[string]string{"error": err.Error()})
}

// statusClientClosed is nginx's status of a request whose client left before the answer. Logs have it; no one reads it.
const statusClientClosed = 499

// statusOf returns the HTTP status of an error: 4xx for the client's, 5xx for the server's.
func statusOf(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return http.StatusRequestTimeout
	}
	switch fault.KindOf(err) {
	case fault.Interrupted: // the client has left, or the service ends
		return statusClientClosed
	case fault.BadData:
		return http.StatusUnprocessableEntity
	case fault.Temporary, fault.Memory:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
