package torch

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// traceEvent is a bar of the trace.
type traceEvent struct {
	line        int
	kind        string // part, kernel or node
	name        string
	shapes      string
	since, took time.Duration
	place
}

const (
	mostEvents = 200_000               // in a trace: about 40 MB
	shortest   = 20 * time.Microsecond // kernel or node in a trace; shorter ones are in the report only
)

func (p *Profile) trace(e traceEvent) {
	switch {
	case e.kind != "part" && e.took < shortest:
	case len(p.events) >= mostEvents:
		p.left++
	default:
		p.events = append(p.events, e)
	}
}

// jsonEvent is an event of the trace event format: complete ("X"), or metadata ("M"). Times are in
// microseconds.
type jsonEvent struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"`
	Since float64        `json:"ts"`
	Took  float64        `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	Args  map[string]any `json:"args,omitempty"`
}

// WriteTrace writes parts, kernels and backward nodes in the trace event format of chrome://tracing
// and Perfetto. It writes the first 200,000 of them, and the number of the others to otherData.
// Kernels and nodes shorter than 20 µs are left out.
func (p *Profile) WriteTrace(w io.Writer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, `{"displayTimeUnit":"ms","otherData":{"left_out":"%d"},"traceEvents":[`, p.left)
	enc := func(first bool, e jsonEvent) error {
		if !first {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		text, err := json.Marshal(e)
		if err == nil {
			_, err = b.Write(text)
		}
		return err
	}
	process := jsonEvent{Name: "process_name", Phase: "M", PID: 1, Args: map[string]any{"name": "bwlm"}}
	if err := enc(true, process); err != nil {
		return err
	}
	for _, e := range p.events {
		if err := enc(false, e.json()); err != nil {
			return err
		}
	}
	b.WriteString("\n]}\n")
	return b.Flush()
}

func (e traceEvent) json() jsonEvent {
	out := jsonEvent{Name: e.name, Cat: e.kind, Phase: "X", Since: micro(e.since), Took: micro(e.took), PID: 1,
		TID: e.line, Args: map[string]any{}}
	if e.kind == "part" && e.number != noNumber {
		out.Name = fmt.Sprintf("%s %d", e.name, e.number)
	}
	if e.kind == "part" && e.pass == backwardPass {
		out.Name += " backward"
	}
	if e.kind != "part" {
		out.Args["part"] = e.part
	}
	if e.number != noNumber {
		out.Args["number"] = e.number
	}
	if e.shapes != "" {
		out.Args["shapes"] = e.shapes
	}
	return out
}

func micro(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
