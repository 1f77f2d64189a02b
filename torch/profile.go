package torch

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Profile gathers where the time of closures goes: of named parts, forward and backward, and of single kernels. A
// context from [Profile.Context] carries it to the closures and to [Part]; without one nothing is measured.
//
// Time belongs to the innermost open part, so that the parts of a phase add up to it. A node of a backward pass belongs
// to the part in which its operation was recorded, with what the engine does until the next node begins (it adds up
// gradients that meet). On a CUDA device a profile waits for each kernel, so that the times are those of the work and
// not of its order; the whole takes longer so.
type Profile struct {
	mu      sync.Mutex
	start   time.Time
	lines   int
	spent   map[place]*spent
	order   []place // in which they first ended
	kernels map[kernelPlace]*kernelSpent
	events  []traceEvent
	left    int // events that the trace has no room for
}

// NewProfile is an empty profile; its clock starts.
func NewProfile() *Profile {
	return &Profile{start: time.Now(), spent: map[place]*spent{}, kernels: map[kernelPlace]*kernelSpent{}}
}

// pass is what a part's time was spent on.
type pass int

const (
	around  pass = iota // neither of the others: data, optimizer
	ahead               // through the model
	reverse             // back through it, for gradients
)

// place is where time is booked.
type place struct {
	phase, part string
	number      int // of the layer; noNumber
	pass        pass
}

const noNumber = -1

type spent struct {
	times int
	took  time.Duration
}

// line is one line of execution: parts open and close on it like brackets.
type line struct {
	p      *Profile
	id     int
	open   []span // innermost last
	inside bool   // in a closure
	device int64  // of that closure
	marks  []mark
}

// span is an open part.
type span struct {
	place
	since, within time.Duration // since the profile's start; of that in parts inside it
}

// mark says that operations recorded from number seq on belong to a place.
type mark struct {
	seq int64
	place
}

type lineKey struct{}

// Context gives a context whose parts and closures are measured, as one line of execution: what runs at the same time
// needs a context of its own.
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

// Part opens a part until the function that it returns is called, which also ends parts inside it that a panic left
// open. The outermost part is a phase. Without a profile in the context it does nothing.
//
//	defer torch.Part(ctx, "data")()
func Part(ctx context.Context, name string) (end func()) {
	return lineOf(ctx).begin(around, name, nil)
}

// Part opens a part of the forward pass, to which the backward pass of what is recorded in it will belong. A number
// tells the parts of one name apart, and holds for parts inside it, too.
//
//	defer s.Part("attention", layer)()
func (s *Scope) Part(name string, number ...int) (end func()) {
	return s.line.begin(ahead, name, number)
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

// here is the innermost open place.
func (l *line) here() place {
	if len(l.open) == 0 {
		return place{number: noNumber}
	}
	return l.open[len(l.open)-1].place
}

// end closes all parts but the outer depth ones.
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

// took says that so much of the innermost open part has been booked elsewhere.
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

// enter begins an outermost closure: its graph is new, and so are the numbers of its operations.
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

// mark notes which place the next operations belong to.
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

// madeIn is the place where operation number seq was recorded.
func (l *line) madeIn(seq int64) place {
	i, _ := slices.BinarySearchFunc(l.marks, seq, func(m mark, seq int64) int {
		if m.seq <= seq { // of marks at one number the last holds
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
