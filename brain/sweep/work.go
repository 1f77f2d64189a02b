package sweep

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"

	"github.com/brainwavlm/bwlm/internal/brain/analysisplan"
	"github.com/brainwavlm/bwlm/internal/brain/subrun"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// readsFile has a line for each run whose test rows were scored in the sweep.
const readsFile = "test_reads.jsonl"

// work tunes all runs, then scores the test rows of those that the ranks of all call for.
func (s *sweep) work(ctx context.Context) (err error) {
	var dirs []string
	for _, r := range s.runs {
		dirs = append(dirs, r.exp.Out)
	}
	if s.failures, err = subrun.NewFailures(op, dirs); err != nil {
		return err
	}
	if err := subrun.Work(ctx, s.jobs(s.runs, false), s.opt.Begin); err != nil {
		return err
	}
	r, err := s.table()
	if err != nil {
		return err
	}
	return subrun.Work(ctx, s.jobs(s.shown(r), true), s.opt.Begin)
}

// jobs returns the jobs of tuning runs, or of scoring their test rows.
func (s *sweep) jobs(runs []*member, scores bool) (jobs []subrun.Job) {
	done, do := s.tuned, s.tune
	if scores {
		done, do = s.scored, s.score
	}
	for _, r := range runs {
		jobs = append(jobs, subrun.Job{Name: r.name, Dir: r.exp.Out, Scores: scores,
			Done: func() (bool, error) {
				if done(r) {
					return true, nil
				}
				return s.failures.Final(r.exp.Out)
			},
			Do: func(ctx context.Context, begin func()) error {
				run, err := s.claim(r)
				if run == nil || err != nil {
					return err
				}
				defer run.Close()
				if done(r) { // by another process, until a moment ago
					return nil
				}
				if final, err := s.failures.Final(r.exp.Out); final || err != nil {
					return err
				}
				begin()
				return s.failures.Try(ctx, run, scores, func() error { return do(ctx, r, run) })
			}})
	}
	return jobs
}

// claim locks a run; nil if it cannot be opened, which is noted as its failure.
func (s *sweep) claim(r *member) (*rundir.Run, error) {
	run, err := subrun.Claim(op, r.exp)
	if err == nil || errors.Is(err, rundir.ErrLocked) {
		return run, err
	}
	s.failures.Refuse(r.exp.Out, err)
	return nil, nil
}

// tuned reports whether the training of a run has come to its end. A file that cannot be read is its failure.
func (s *sweep) tuned(r *member) bool {
	t, err := rundir.ReadTuning(op, r.exp.Out)
	if err != nil {
		s.failures.Refuse(r.exp.Out, err)
	}
	return t != nil
}

func (s *sweep) tune(ctx context.Context, r *member, run *rundir.Run) error {
	return subrun.Tune(ctx, r.exp, run, s.study)
}

// scored reports whether the test rows of a run have been scored.
func (s *sweep) scored(r *member) bool {
	scores, err := rundir.Scores(op, r.exp.Out)
	if err != nil {
		s.failures.Refuse(r.exp.Out, err)
	}
	return scores != nil
}

// score scores the test rows of a run and records that they were read.
func (s *sweep) score(ctx context.Context, r *member, run *rundir.Run) error {
	st, end, err := s.study(ctx, r.exp)
	if err != nil {
		return err
	}
	defer end()
	st.Internal().PlanOut = r.planOut
	read := analysisplan.TestRead{By: cmp.Or(s.opt.Study.Purpose, op), What: "tuned model of " + r.name,
		Subjects: st.Internal().SubjectNames()}
	if err := analysisplan.Append(filepath.Join(s.opt.Out, readsFile), read); err != nil {
		return err
	}
	_, err = st.EvaluateRun(ctx, run)
	return err
}
