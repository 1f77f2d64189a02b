package evaluate

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// SubjectScore is the score on one subject's test rows of a ridge fitted to a share of its training rows.
type SubjectScore struct {
	Subject string             `json:"subject"`
	Rows    int                `json:"training_rows"`
	Minutes float64            `json:"minutes"` // of training rows
	MeanR   float64            `json:"mean_r"`
	ROIs    map[string]float64 `json:"rois"`
}

// ScoreSubjects scores a tuned model (nil: the study's own, untuned) on the test rows of the named
// subjects (none: all), each by a ridge on a share of their training rows, as if less had been
// recorded: stories in an order that train.seed draws for each subject, the last one cut. Responses
// are standardised by the remaining rows. Features are standardised by all training rows, which
// uses no response. With share 1 the scores are those of [Study.Evaluate].
//
// The result is indexed by share, then by subject in the study's order.
func ScoreSubjects(ctx context.Context, st *study.Study, tuned *study.Tuned, shares []float64,
	names ...string) ([][]SubjectScore, error) {
	var subjects []*study.Subject
	var places []int
	for i, p := range st.Subjects {
		if len(names) == 0 || slices.Contains(names, p.Name) {
			subjects, places = append(subjects, p), append(places, i)
		}
	}
	groups, err := st.Groups(ctx)
	if err != nil {
		return nil, err
	}
	groups = study.GroupsOf(groups, places)
	model, name := st.Model, "base"
	if tuned != nil {
		model, name = tuned.Model, "tuned"
	}
	if _, err := recordTestRead(st, "subjects, "+name, subjects, groups); err != nil {
		return nil, err
	}
	features, err := encoding.Read(ctx, st, st.Reader(model), progress.Read(name), st.StoriesIn(subjects, study.Train,
		study.Test),
		st.ScoredLayers()...)
	if err != nil {
		return nil, err
	}
	out := make([][]SubjectScore, len(shares))
	for k, share := range shares {
		st.Options.Progress(progress.Event{Phase: progress.Score, Done: k, Total: len(shares)})
		some := make([]*study.Subject, len(subjects))
		for i, p := range subjects {
			some[i] = p.Begun(share, st.Experiment)
		}
		predicted, err := encoding.Predict(ctx, st, some, features, study.Test)
		if err != nil {
			return nil, err
		}
		for i, p := range some {
			s, err := scoreOf(ctx, some[i:i+1], predicted[i:i+1], study.GroupsOf(groups, []int{i}))
			if err != nil {
				return nil, err
			}
			_, rows := features[0].Stack(p, study.Train)
			out[k] = append(out[k], SubjectScore{p.Name, rows, float64(rows) * st.Data.TR() / 60, s.MeanR, s.ROIs})
		}
	}
	st.Options.Progress(progress.Event{Phase: progress.Score, Done: len(shares), Total: len(shares)})
	return out, nil
}

// Unmet returns a subject's stories that share no stimulus with the training and validation rows of
// the sources, nor with the subject's own validation and test rows.
func Unmet(ctx context.Context, st *study.Study, target string, sources ...string) ([]string, error) {
	var met []design.Use
	for _, p := range st.Subjects {
		for _, split := range study.Splits {
			if !(split != study.Test && slices.Contains(sources, p.Name) || split != study.Train && p.Name == target) {
				continue
			}
			for _, r := range p.Parts[split] {
				met = append(met, design.Use{Split: "met", Subject: p.Name, Rows: r})
			}
		}
	}
	var unmet []string
	for _, story := range st.Data.StoriesOf(target) {
		m, err := st.Data.OpenResponses(ctx, target, story)
		if err != nil {
			return nil, err
		}
		trim := study.Trim(st.Experiment, st.Data)
		if m.Rows <= trim[0]+trim[1] {
			continue
		}
		own := design.Use{Split: "unmet", Subject: target,
			Rows: design.Rows{Story: story, From: trim[0], To: m.Rows - trim[1]}}
		report, err := design.Audit(st.StimulusWindow(), st.Data.AuditStories(), append(slices.Clone(met), own))
		if err != nil {
			return nil, err
		}
		if len(report.Leaks) == 0 {
			if err := st.FindCopies(ctx, report); err != nil {
				return nil, err
			}
		}
		copied := slices.ContainsFunc(report.Copies, func(c design.Copy) bool { return c.Refused })
		if len(report.Leaks) == 0 && !copied {
			unmet = append(unmet, story)
		}
	}
	return unmet, nil
}

// ScoreOn scores the untuned and a tuned model for one subject by a ridge that is fitted to the
// given stories instead of the study's training rows.
func ScoreOn(ctx context.Context, st *study.Study, tuned *study.Tuned, subject string, stories []string) (base,
	after *SubjectScore, err error) {
	exp := *st.Experiment
	exp.Data.Subjects, exp.Data.Train = []string{subject}, stories
	exp.Train.Loss, exp.Train.Reliability, exp.Train.Weights = "auto", "none", ""
	exp.Out = "" // the plan is locked for the study's rows, whose evaluation counts this read
	v, err := st.Vary(ctx, &exp)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range []struct {
		model *study.Tuned
		into  **SubjectScore
	}{{nil, &base}, {tuned, &after}} {
		scores, err := ScoreSubjects(ctx, v, s.model, []float64{1})
		if err != nil {
			return nil, nil, err
		}
		*s.into = &scores[0][0]
	}
	return base, after, nil
}
