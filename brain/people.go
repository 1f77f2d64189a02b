package brain

import (
	"cmp"
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/torch"
)

// PersonScore is the score of one person's test rows by a ridge on so much of that person's training rows.
type PersonScore struct {
	Person  string             `json:"person"`
	Rows    int                `json:"training_rows"`
	Minutes float64            `json:"minutes"` // of training rows
	MeanR   float64            `json:"mean_r"`
	ROIs    map[string]float64 `json:"rois"`
}

// ScorePeople scores a tuned model (nil: the study's own, untuned) on the test rows of the named people (none: all), each
// by a ridge on a share of their training rows, as if less had been recorded: stories in an order that train.seed draws
// for each person, the last one cut. Responses are standardised by the rows that are left; features always by all
// training rows, which tells nothing of any response. Share 1 is what [Study.Evaluate] scores.
//
// The result has a line for each share, in each line the people in the study's order.
func (st *Study) ScorePeople(ctx context.Context, tuned *Tuned, shares []float64, names ...string) ([][]PersonScore, error) {
	var subjects []*person
	var places []int
	for i, p := range st.people {
		if len(names) == 0 || slices.Contains(names, p.name) {
			subjects, places = append(subjects, p), append(places, i)
		}
	}
	groups, err := st.groups(ctx)
	if err != nil {
		return nil, err
	}
	groups = groupsOf(groups, places)
	model, phase := st.Model, "read base"
	if tuned != nil {
		model, phase = tuned.Model, "read tuned"
	}
	if _, err := st.look("people, "+phase[len("read "):], subjects, groups); err != nil {
		return nil, err
	}
	features, err := st.read(ctx, st.reader(model), phase, st.storiesIn(subjects, Train, Test), st.scoredLayers()...)
	if err != nil {
		return nil, err
	}
	out := make([][]PersonScore, len(shares))
	for k, share := range shares {
		st.opt.Progress(Event{Phase: "score", Done: k, Total: len(shares)})
		some := make([]*person, len(subjects))
		for i, p := range subjects {
			some[i] = p.begun(share, st.Experiment)
		}
		predicted, err := st.predict(ctx, some, features, Test)
		if err != nil {
			return nil, err
		}
		for i, p := range some {
			s := system(some[i:i+1], predicted[i:i+1], groupsOf(groups, []int{i}))
			_, rows := features[0].stack(p, Train)
			out[k] = append(out[k], PersonScore{p.name, rows, float64(rows) * st.Data.TR() / 60, s.MeanR, s.ROIs})
		}
	}
	st.opt.Progress(Event{Phase: "score", Done: len(shares), Total: len(shares)})
	return out, nil
}

// begun is the person after a share of the training rows was recorded.
func (p *person) begun(share float64, exp *experiment.Experiment) *person {
	if share >= 1 {
		return p
	}
	all := slices.Clone(p.parts[Train])
	total := 0
	for _, r := range all {
		total += r.To - r.From
	}
	name := fnv.New64a()
	name.Write([]byte(p.name))
	rand.New(rand.NewPCG(torch.Seed(exp.Train.Seed, name.Sum64()), 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	out := *p
	out.parts[Train] = nil
	left := int(math.Round(share * float64(total)))
	for _, r := range all {
		if take := min(left, r.To-r.From); take > 0 {
			r.To = r.From + take
			left -= take
			out.parts[Train] = append(out.parts[Train], r)
		}
	}
	place := func(r design.Rows) int {
		return slices.IndexFunc(p.parts[Train], func(q design.Rows) bool { return q.Story == r.Story && q.From == r.From })
	}
	slices.SortFunc(out.parts[Train], func(a, b design.Rows) int { return cmp.Compare(place(a), place(b)) })
	out.responses = map[string]*response{}
	for story, r := range p.responses {
		out.responses[story] = &response{rows: r.rows, repeats: r.repeats}
	}
	out.standardise(exp.Data.ZScore)
	return &out
}

// Unmet lists the stories that a person of the study has answered and of which the sources met nothing in tuning, nor in
// the choice of its epoch, and that share nothing with the person's own validation and test rows.
func (st *Study) Unmet(ctx context.Context, target string, sources ...string) ([]string, error) {
	var met []design.Use
	for _, p := range st.people {
		for _, split := range Splits {
			if !(split != Test && slices.Contains(sources, p.name) || split != Train && p.name == target) {
				continue
			}
			for _, r := range p.parts[split] {
				met = append(met, design.Use{Split: "met", Subject: p.name, Rows: r})
			}
		}
	}
	var unmet []string
	for _, story := range st.Data.StoriesOf(target) {
		m, err := st.Data.Responses(ctx, target, story)
		if err != nil {
			return nil, err
		}
		trim := st.Experiment.Data.Trim
		if m.Rows <= trim[0]+trim[1] {
			continue
		}
		own := design.Use{Split: "unmet", Subject: target,
			Rows: design.Rows{Story: story, From: trim[0], To: m.Rows - trim[1]}}
		report, err := design.Audit(st.stimulusWindow(), st.Data.AuditStories(), append(slices.Clone(met), own))
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(report.Leaks, func(l design.Leak) bool { return l.A.Split != l.B.Split }) {
			unmet = append(unmet, story)
		}
	}
	return unmet, nil
}

// ScoreOn scores the untuned and a tuned model for one person by a ridge on other stories than the study's training rows.
func (st *Study) ScoreOn(ctx context.Context, tuned *Tuned, person string, stories []string) (base, after *PersonScore, err error) {
	exp := *st.Experiment
	exp.Data.Subjects, exp.Data.Train = []string{person}, stories
	exp.Train.Loss, exp.Train.Reliability, exp.Train.Weights = "auto", "none", ""
	exp.Out = "" // a seal is of the study's rows; the look at this person's test rows is counted with those
	v, err := st.Vary(ctx, &exp)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range []struct {
		model *Tuned
		into  **PersonScore
	}{{nil, &base}, {tuned, &after}} {
		scores, err := v.ScorePeople(ctx, s.model, []float64{1})
		if err != nil {
			return nil, nil, err
		}
		*s.into = &scores[0][0]
	}
	return base, after, nil
}
