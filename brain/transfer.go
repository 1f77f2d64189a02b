package brain

import (
	"context"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
)

// Transfer asks whether what a run learnt from its people helps to predict others: the targets get a ridge on their own
// training rows, on the features of the untuned model and of the run's, and nothing else is fitted to them. The scores
// are of their test rows, as from [Study.Evaluate]; they are written to transfer/TARGET in the run directory too.
//
// What is made from people, such as an average, is refused on both sides: it may hold the target. Stimulus that was met
// in tuning must not be in the targets' test rows.
func Transfer(ctx context.Context, run *Run, opt Options, targets ...string) (*Summary, error) {
	exp, err := run.Experiment()
	if err != nil {
		return nil, err
	}
	st, err := Open(ctx, exp, opt)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	return st.Transfer(ctx, run, targets...)
}

// Transfer is the function of that name for a run of this study.
func (st *Study) Transfer(ctx context.Context, run *Run, targets ...string) (*Summary, error) {
	refuse := func(kind fault.Kind, where, why string, args ...any) (*Summary, error) {
		return nil, fault.New(kind, "transfer", where, why, args...)
	}
	if st.Experiment.Train.Mode == experiment.TrainReadout {
		return refuse(fault.Usage, run.Dir, "the run tuned readouts only, which belong to one person each")
	}
	p, err := st.finished(run)
	if err != nil {
		return nil, err
	}
	for _, source := range st.people {
		if st.Data.IsDerived(source.name) {
			return refuse(fault.Usage, source.name, "is made from people: the run may have learnt from the target")
		}
	}
	for _, name := range targets {
		if st.Data.IsDerived(name) {
			return refuse(fault.Usage, name, "is made from people, among them perhaps those that the run learnt from")
		}
	}
	names, err := st.Data.Subjects(targets...)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return refuse(fault.Usage, run.Dir, "no target is named")
	}
	exp := *st.Experiment
	exp.Data.Subjects, exp.Train.Loss = names, "auto"
	exp.Train.Reliability, exp.Train.Weights = "none", "" // of the people who were tuned on
	v, err := st.Vary(ctx, &exp)
	if err != nil {
		return nil, err
	}
	if err := v.auditAgainst(st.people); err != nil {
		return nil, err
	}
	for _, source := range st.people {
		if slices.Contains(names, source.name) {
			v.note("%s is a source of the run: its scores are no transfer", source.name)
		}
	}
	return v.scoreRun(ctx, run, p, "transfer/"+strings.Join(names, "+"))
}

// auditAgainst refuses stimulus that the people of a tuning met in tuning, or in the choice of its epoch, and that these
// people are tested on.
func (st *Study) auditAgainst(sources []*person) error {
	var met []*person
	for _, p := range sources {
		seen := *p
		seen.parts[Test] = nil
		met = append(met, &seen)
	}
	for _, p := range st.people {
		tested := *p
		tested.parts = [3][]design.Rows{Test: p.parts[Test]}
		met = append(met, &tested)
	}
	report, err := audit(st.stimulusWindow(), st.Data, met)
	if err != nil {
		return err
	}
	return st.refuse(report)
}
