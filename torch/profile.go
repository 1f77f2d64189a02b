package torch

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Profile measures the time of closures: of named parts, forward and backward, and of single
// kernels. A context from [Profile.Context] passes it to closures and to [Part]. With other
// contexts nothing is measured.
//
// Time is counted for the innermost open part, so that the times of the parts of a phase sum to
// that of the phase. A node of the backward pass counts for the part in which its operation was
// recorded, up to the start of the next node, since the engine accumulates gradients in between. On
// a CUDA device a profile waits for each kernel, which makes the whole slower.
type Profile struct {
	mu      sync.Mutex
	start   time.Time
	lines   int
	spent   map[place]*spent
	order   []place // in which they first ended
	kernels map[kernelPlace]*kernelSpent
	events  []traceEvent
	left    int // number of events beyond the limit of the trace
}

// NewProfile returns an empty profile and starts its clock.
func NewProfile() *Profile {
	return &Profile{start: time.Now(), spent: map[place]*spent{}, kernels: map[kernelPlace]*kernelSpent{}}
}

// pass is the pass through a model to which a time belongs.
type pass int

const (
	noPass       pass = iota // data, optimizer
	forwardPass              // of a model
	backwardPass             // of a model
)

// place is a key of the times of a profile.
type place struct {
	phase, part string
	number      int // of the layer, or noNumber
	pass        pass
}

const noNumber = -1

type spent struct {
	times int
	took  time.Duration
}

// line is one thread of execution, in which parts are nested.
type line struct {
	p      *Profile
	id     int
	open   []span // innermost last
	inside bool   // a closure is running
	device int64  // of the closure
	marks  []mark
}

// span is an open part.
type span struct {
	place
	since, within time.Duration // start, since that of the profile; time in nested parts
}

// mark assigns the operations recorded from number seq on to a place.
type mark struct {
	seq int64
	place
}

type lineKey struct{}

// Context returns a context whose parts and closures are measured. Goroutines that run at the same
// time need a context each.
func (p *Profile) Context(ctx context.Context) context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines++
	return context.WithValue(ctx, lineKey{}, &line{p: p, id: p.lines})
}

func lineOf(ctx context.Context) *line {
	l, _ := ctx.Value(lineKey{}).(*line)
	return l
}

// Part opens a part and returns the function that ends it. That function also ends nested parts
// that a panic left open. The outermost part is a phase. Without a profile in the context, Part
// does nothing.
//
//	defer torch.Part(ctx, "data")()
func Part(ctx context.Context, name string) (end func()) {
	return lineOf(ctx).begin(noPass, name, nil)
}

// Part opens a part of the forward pass and returns the function that ends it. The backward pass of
// the operations in it is counted for the part as well. A number, such as that of a layer,
// separates parts of one name and holds for nested parts.
//
//	defer s.Part("attention", layer)()
func (s *Scope) Part(name string, number ...int) (end func()) {
	return s.line.begin(forwardPass, name, number)
}

func nothing() {}

func (l *line) begin(why pass, name string, number []int) (end func()) {
	if l == nil {
		return nothing
	}
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	at := l.here()
	at.part, at.pass = name, why
	if at.phase == "" {
		at.phase = name
	}
	if len(number) > 0 {
		at.number = number[0]
	}
	depth := len(l.open)
	l.open = append(l.open, span{place: at, since: l.p.now()})
	l.mark()
	return func() { l.end(depth) }
}

// here returns the place of the innermost open part.
func (l *line) here() place {
	if len(l.open) == 0 {
		return place{number: noNumber}
	}
	return l.open[len(l.open)-1].place
}

// end ends all parts but the outermost n = depth.
func (l *line) end(depth int) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	for len(l.open) > depth {
		sp := l.open[len(l.open)-1]
		l.open = l.open[:len(l.open)-1]
		took := l.p.now() - sp.since
		l.p.add(sp.place, took-sp.within)
		l.took(took)
		l.p.trace(traceEvent{line: l.id, kind: "part", name: sp.part, place: sp.place, since: sp.since, took: took})
	}
	l.mark()
}

// took subtracts a time that counts for another place from the innermost open part.
func (l *line) took(d time.Duration) {
	if n := len(l.open); n > 0 {
		l.open[n-1].within += d
	}
}

func (p *Profile) now() time.Duration { return time.Since(p.start) }

func (p *Profile) add(at place, d time.Duration) {
	s := p.spent[at]
	if s == nil {
		s = &spent{}
		p.spent[at] = s
		p.order = append(p.order, at)
	}
	s.times++
	s.took += d
}

// enter begins an outermost closure, whose graph is new.
func (l *line) enter(device Device) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.inside, l.device, l.marks = true, device.index(), nil
	l.mark()
}

func (l *line) leave() {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.inside = false
}

// mark assigns the next operations to the current place.
func (l *line) mark() {
	if !l.inside {
		return
	}
	var seq [1]int64
	if err := sequenceNumber.call(args{buf: bytesOf(seq[:])}, nil); err != nil {
		panic(err)
	}
	l.marks = append(l.marks, mark{seq[0], l.here()})
}

// madeIn returns the place in which operation number seq was recorded.
func (l *line) madeIn(seq int64) place {
	i, _ := slices.BinarySearchFunc(l.marks, seq, func(m mark, seq int64) int {
		if m.seq <= seq { // the last of equal marks counts
			return -1
		}
		return 1
	})
	if i == 0 {
		return l.here()
	}
	return l.marks[i-1].place
}

var (
	sequenceNumber   = kernel("sequence_number")
	backwardProfiled = kernel("backward_profiled")
)
