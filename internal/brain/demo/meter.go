package demo

import "github.com/brainwavlm/bwlm/brain/progress"

// Event is the progress of the demo.
type Event struct {
	Arm         string // current arm or phase
	Detail      string
	Done, Total int // in passes of one story through the model; a training step counts as three
	Warning     string
}

const stepPasses = 3

// meter sums the work of all phases.
type meter struct {
	to          func(Event)
	done, total int
	phase       progress.Phase
	last        int
}

// newMeter computes the number of passes of all arms.
func newMeter(opt Options, tune, val, test, probes int) *meter {
	m := &meter{to: opt.Progress, total: tune + val + test + probes*(len(arms)+1)}
	for _, a := range arms {
		epochs := opt.epochsOf(a)
		m.total += (epochs+1)*(tune+val) + epochs*tune*stepPasses + tune + test
	}
	return m
}

// passesOf is the number of passes through the model of each story or step, by phase.
var passesOf = map[progress.Phase]int{
	progress.Read("base"): 1, progress.Validate: 1, progress.Read("tuned"): 1, progress.Tune: stepPasses,
}

// watch returns the function that receives the events of one arm.
func (m *meter) watch(arm string) func(progress.Event) {
	return func(e progress.Event) {
		if e.Phase == progress.Warning {
			m.to(Event{Arm: arm, Done: m.done, Total: m.total, Warning: e.Note})
			return
		}
		each := passesOf[e.Phase]
		if e.Phase != m.phase || e.Done < m.last {
			m.phase, m.last = e.Phase, 0
			if e.Phase == progress.Tune {
				m.last = e.Done - 1
			}
		}
		m.done += each * (e.Done - m.last)
		m.last = e.Done
		m.to(Event{Arm: arm, Detail: string(e.Phase), Done: min(m.done, m.total), Total: m.total})
	}
}

// passed counts passes outside the phases of a study.
func (m *meter) passed(arm string, n int) {
	m.done += n
	m.to(Event{Arm: arm, Done: min(m.done, m.total), Total: m.total})
}
