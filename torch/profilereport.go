package torch

import (
	"cmp"
	"slices"
)

// ProfileReport has the times of a profile, in seconds.
type ProfileReport struct {
	Phases  []PhaseTime  `json:"phases"`  // in the order of their first ends
	Kernels []KernelTime `json:"kernels"` // called outside backward passes, the longest first
}

// PhaseTime has the times of the outermost parts of one name.
type PhaseTime struct {
	Name    string     `json:"name"`
	Times   int        `json:"times"`
	Seconds float64    `json:"seconds"`
	Parts   []PartTime `json:"parts"` // in the order of their first ends
	Other   float64    `json:"other"` // in no part
}

// PartTime has the time of one part of a phase, without that of nested parts.
type PartTime struct {
	Name     string       `json:"name"`
	Seconds  float64      `json:"seconds"`
	Forward  float64      `json:"forward"`
	Backward float64      `json:"backward"`
	Numbers  []NumberTime `json:"numbers,omitempty"` // the times by number, for parts that have numbers
}

// NumberTime has the times of a part with one number.
type NumberTime struct {
	Number   int     `json:"number"`
	Forward  float64 `json:"forward"`
	Backward float64 `json:"backward"`
}

// KernelTime has the time of a kernel on operands of certain shapes, in one part.
type KernelTime struct {
	Phase   string  `json:"phase"`
	Part    string  `json:"part"`
	Kernel  string  `json:"kernel"`
	Shapes  string  `json:"shapes"`
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"`
	GFLOP   float64 `json:"gflop,omitempty"` // of all calls; counted for products only
}

// Report sums the times of the parts and kernels that have ended.
func (p *Profile) Report() *ProfileReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &ProfileReport{Phases: []PhaseTime{}, Kernels: p.kernelTimes()}
	for _, at := range p.order {
		out.phase(at.phase).add(at, p.spent[at])
	}
	for i := range out.Phases {
		for k := range out.Phases[i].Parts {
			part := &out.Phases[i].Parts[k]
			slices.SortFunc(part.Numbers, func(a, b NumberTime) int { return cmp.Compare(a.Number, b.Number) })
		}
	}
	return out
}

func (r *ProfileReport) phase(name string) *PhaseTime {
	i := slices.IndexFunc(r.Phases, func(p PhaseTime) bool { return p.Name == name })
	if i < 0 {
		i = len(r.Phases)
		r.Phases = append(r.Phases, PhaseTime{Name: name})
	}
	return &r.Phases[i]
}

func (p *PhaseTime) add(at place, s *spent) {
	seconds := s.took.Seconds()
	p.Seconds += seconds
	if at.part == at.phase {
		p.Other += seconds
		if at.pass != backwardPass {
			p.Times += s.times
		}
		return
	}
	i := slices.IndexFunc(p.Parts, func(x PartTime) bool { return x.Name == at.part })
	if i < 0 {
		i = len(p.Parts)
		p.Parts = append(p.Parts, PartTime{Name: at.part})
	}
	part := &p.Parts[i]
	part.Seconds += seconds
	if at.pass == noPass {
		return
	}
	var forward, backward float64
	if forward = seconds; at.pass == backwardPass {
		forward, backward = 0, seconds
	}
	part.Forward += forward
	part.Backward += backward
	if at.number == noNumber {
		return
	}
	i = slices.IndexFunc(part.Numbers, func(n NumberTime) bool { return n.Number == at.number })
	if i < 0 {
		i = len(part.Numbers)
		part.Numbers = append(part.Numbers, NumberTime{Number: at.number})
	}
	part.Numbers[i].Forward += forward
	part.Numbers[i].Backward += backward
}

// kernelTimes sums the times of kernels over the numbers of a part and sorts them, the longest
// first.
func (p *Profile) kernelTimes() []KernelTime {
	sum := map[KernelTime]KernelTime{} // by the fields that identify one
	for at, k := range p.kernels {
		name := KernelTime{Phase: at.phase, Part: at.part, Kernel: at.kernel, Shapes: at.shapes}
		t, ok := sum[name]
		if !ok {
			t = name
		}
		t.Calls += k.times
		t.Seconds += k.took.Seconds()
		t.GFLOP += k.flop * float64(k.times) / 1e9
		sum[name] = t
	}
	out := []KernelTime{}
	for _, t := range sum {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b KernelTime) int {
		return cmp.Or(-cmp.Compare(a.Seconds, b.Seconds), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Part, b.Part),
			cmp.Compare(a.Kernel, b.Kernel), cmp.Compare(a.Shapes, b.Shapes))
	})
	return out
}
