package torch

import (
	"fmt"
	"strings"
	"time"
)

// kernelPlace is the key of the times of a kernel: with operands of certain shapes, in a part.
type kernelPlace struct {
	place
	kernel, shapes string
}

type kernelSpent struct {
	spent
	flop float64 // number of operations of one call
}

// timed calls a kernel. It returns the start of the call, since that of the profile, and its
// duration.
func (l *line) timed(o op, a args, out []handle) (err *Error, since, took time.Duration) {
	since = l.p.now()
	err = o.call(a, out)
	if l.device >= 0 && err == nil {
		err = synchronize.call(args{i: []int64{l.device}}, nil)
	}
	return err, since, l.p.now() - since
}

// kernel runs a kernel on operands and records its time, which counts for the open part as well.
func (l *line) kernel(o op, a args, out []handle, ts []*Tensor) *Error {
	err, since, took := l.timed(o, a, out)
	if err != nil {
		return err
	}
	shapes := make([][]int, len(ts))
	for i, t := range ts {
		if t != nil {
			shapes[i] = t.must().dims
		}
	}
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	at := kernelPlace{l.here(), o.name, shapesText(shapes)}
	k := l.p.kernels[at]
	if k == nil {
		k = &kernelSpent{flop: flopOf(o.name, shapes, a.i)}
		l.p.kernels[at] = k
	}
	k.times++
	k.took += took
	l.p.trace(traceEvent{line: l.id, kind: "kernel", name: o.name, place: at.place, since: since, took: took,
		shapes: at.shapes})
	return nil
}

// backward runs the backward pass of t and records the times of its nodes.
func (l *line) backward(s *Scope, t *Tensor) *Error {
	var out [1]handle
	a := args{flags: s.flags(), worker: s.worker, t: []handle{t.live(backward)}, i: []int64{l.device}}
	err, since, took := l.timed(backwardProfiled, a, out[:])
	if err != nil {
		err.Op = backward.name
		return err
	}
	nodes := (&Tensor{h: out[0]}).nodes()
	free(out[:])
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.took(took)
	at := l.here() // before the first node
	from := time.Duration(0)
	book := func(to time.Duration) {
		at.pass = backwardPass
		l.p.add(at, to-from)
		l.p.trace(traceEvent{line: l.id, kind: "part", name: at.part, place: at, since: since + from, took: to - from})
		from = to
	}
	for _, n := range nodes {
		made := at
		if n.sequence >= 0 { // a negative node adds the gradient of the node before it to a leaf
			made = l.madeIn(n.sequence)
		}
		if made.pass = backwardPass; made != at {
			book(n.begin)
			at = made
		}
		l.p.trace(traceEvent{line: l.id, kind: "node", name: n.name, place: at, since: since + n.begin,
			took: n.end - n.begin})
	}
	book(took)
	return nil
}

// node is a node of a backward pass, as in profile.cc.
type node struct {
	sequence   int64
	begin, end time.Duration // since the start of the pass
	name       string
}

// nodes reads the result of the kernel backward_profiled.
func (t *Tensor) nodes() (out []node) {
	const columns, name = 8, 3
	raw := t.int64s()
	for ; len(raw) > 0; raw = raw[columns:] {
		text, _, _ := strings.Cut(string(bytesOf(raw[name:columns])), "\x00")
		out = append(out, node{raw[0], time.Duration(raw[1]), time.Duration(raw[2]), text})
	}
	return out
}

func shapesText(shapes [][]int) string {
	var b strings.Builder
	for i, dims := range shapes {
		if i > 0 {
			b.WriteByte(' ')
		}
		if dims == nil {
			b.WriteByte('-')
			continue
		}
		b.WriteString(strings.ReplaceAll(fmt.Sprint(dims), " ", ","))
	}
	return b.String()
}

// flopOf returns the number of floating-point operations of a product, two for a multiplication
// with its addition. Other kernels count 0, since memory bandwidth limits them.
func flopOf(kernel string, shapes [][]int, i []int64) float64 {
	switch kernel {
	case "linear": // (..., in), (out, in)
		return 2 * volume(shapes[0]) * float64(shapes[1][0])
	case "matmul": // (..., m, k), (..., k, n)
		a, b := shapes[0], shapes[1]
		n := 1
		if len(b) > 1 {
			n = b[len(b)-1]
		}
		if len(b) > len(a) { // a is broadcast
			return 2 * volume(b) * float64(a[max(0, len(a)-2)])
		}
		return 2 * volume(a) * float64(n)
	case "conv1d": // (B, Cin, T), (Cout, Cin/groups, K)
		x, w := shapes[0], shapes[1]
		stride, padding := int(i[0]), int(i[1])
		return 2 * volume(w) * float64(x[0]) * float64((x[2]+2*padding-w[2])/stride+1)
	case "gated_attention": // q (B, H, T, D), k (B, H, S, D): q·k' and the weighted sum of v
		return 4 * volume(shapes[0]) * float64(shapes[1][2])
	}
	return 0
}

func volume(dims []int) float64 {
	n := 1.
	for _, d := range dims {
		n *= float64(d)
	}
	return n
}
