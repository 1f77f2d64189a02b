package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/brainwavlm/bwlm/ckpt"
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

func (a *Answer) safetensors(w io.Writer) error {
	columns := make([]int64, len(a.Columns))
	for i, c := range a.Columns {
		columns[i] = int64(c)
	}
	return ckpt.WriteTo(w, []ckpt.Tensor{
		ckpt.NewTensor("seconds", []int{len(a.Seconds)}, a.Seconds),
		ckpt.NewTensor("columns", []int{len(columns)}, columns),
		ckpt.NewTensor("values", []int{len(a.Seconds), len(columns)}, a.Values),
	}, nil)
}

// fail says what went wrong.
func fail(w http.ResponseWriter, err error) {
	status := statusOf(err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	reply(w, status, map[string]string{"error": err.Error()})
}

// statusOf says whose fault an error is. The status of a request whose client has left is read by nobody.
func statusOf(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return http.StatusRequestTimeout
	}
	switch fault.KindOf(err) {
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
