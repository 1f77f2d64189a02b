package tune

import (
	"context"
	"math"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/calibration"
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// calibrate writes what the validation rows say about predictions of the readouts: calibration/SUBJECT.safetensors. The
// trainer is at the chosen epoch, of which z are the statistics of features by story. There is none of readouts that
// do not predict new audio: of clips, of series, and random ones.
func (t *Trainer) calibrate(ctx context.Context, run *rundir.Run, z map[string]design.ZScore) error {
	p := &t.Progress
	data := t.Study.Data
	if data.IsEvents() || data.IsSeries() || p.Epochs[p.Best].Epoch == 0 && !t.ridgeReadouts() {
		if run.Follows() {
			return nil
		}
		return rundir.Discard(filepath.Join(run.Dir, calibration.Folder))
	}
	own, raw, err := t.validationRows(ctx)
	if err != nil {
		return err
	}
	all := make([]*calibration.Calibration, len(t.Study.Subjects))
	for i, p := range t.Study.Subjects {
		c := &calibration.Calibration{Columns: p.Tuned, Statistics: t.trainingStatistics(p, z)}
		trained := *raw
		trained.Rows = map[string][]float32{}
		for _, part := range p.Parts[study.Val] {
			if trained.Rows[part.Story] == nil {
				trained.Rows[part.Story] = c.Statistics.Apply(raw.Rows[part.Story])
			}
		}
		if err := t.measureIntervals(ctx, run, i, c, own, &trained); err != nil {
			return err
		}
		all[i] = c
	}
	if run.Follows() {
		return nil
	}
	return rundir.ReplaceDir(filepath.Join(run.Dir, calibration.Folder), func(dir string) error {
		for i, p := range t.Study.Subjects {
			if err := all[i].Write(filepath.Join(dir, p.Name+".safetensors")); err != nil {
				return err
			}
		}
		return nil
	})
}

// measureIntervals predicts the validation rows of subject i from features that are standardised in both ways, and
// compares them with the responses.
func (t *Trainer) measureIntervals(ctx context.Context, run *rundir.Run, i int, c *calibration.Calibration, own,
	trained *encoding.RowFeatures) error {
	p := t.Study.Subjects[i]
	var want []float32
	var parts []int
	for _, part := range p.Parts[study.Val] {
		parts = append(parts, part.Len())
	}
	for _, f := range []*encoding.RowFeatures{own, trained} {
		pred, err := t.predictAll(ctx, i, f) // which all ranks do together
		if err != nil {
			return err
		}
		if run.Follows() {
			continue
		}
		if f == trained {
			c.Training = calibration.Fit(pred, want, len(p.Tuned), parts)
			break
		}
		if want, err = p.Read(ctx, p.Tuned, p.Parts[study.Val]...); err != nil {
			return err
		}
		var constant []bool
		c.R, constant = stats.Correlation(pred, want, p.RowsOf(study.Val), len(p.Tuned))
		for v, none := range constant {
			if none {
				c.R[v] = math.NaN()
			}
		}
		c.Clip = calibration.Fit(pred, want, len(p.Tuned), parts)
	}
	return nil
}

// validationRows reads the validation stories as predictions of clips read them: standardised by the story's own
// statistics, and not standardised.
func (t *Trainer) validationRows(ctx context.Context) (own, raw *encoding.RowFeatures, err error) {
	layers, stories := t.ReadLayers(), t.Study.StoriesOf(study.Val)
	of := layers[len(layers)-t.states():]
	owns, raws := make([]encoding.RowFeatures, len(of)), make([]encoding.RowFeatures, len(of))
	for i := range of {
		owns[i].Rows, raws[i].Rows = map[string][]float32{}, map[string][]float32{}
	}
	for n, story := range stories {
		t.Study.Options.Progress(progress.Event{Phase: progress.Validate, Done: n, Total: len(stories)})
		stim := t.Study.Stimuli[story]
		vectors, err := t.Reader.Features(ctx, stim, layers)
		if err != nil {
			return nil, nil, err
		}
		for i, x := range vectors[len(layers)-len(of):] {
			channels := len(x) / len(stim.Windows)
			for _, f := range []*encoding.RowFeatures{&owns[i], &raws[i]} {
				f.Width, f.Delays = stim.Tuning.Width(channels), stim.Tuning.Delays
			}
			owns[i].Rows[story], _ = stim.Tuning.Undelayed(x, channels)
			raws[i].Rows[story] = stim.Tuning.Resample(x, channels)
		}
	}
	t.Study.Options.Progress(progress.Event{Phase: progress.Validate, Done: len(stories), Total: len(stories)})
	return encoding.Joined(owns), encoding.Joined(raws), nil
}

// trainingStatistics returns the statistics of features over a subject's training stories together.
func (t *Trainer) trainingStatistics(p *study.Subject, z map[string]design.ZScore) design.ZScore {
	var zs []design.ZScore
	var rows []int
	var seen []string
	for _, part := range p.Parts[study.Train] {
		if slices.Contains(seen, part.Story) {
			continue
		}
		n := 0
		for _, r := range t.Study.Stimuli[part.Story].Tuning.Statistics {
			n += r.Len()
		}
		seen, zs, rows = append(seen, part.Story), append(zs, z[part.Story]), append(rows, n)
	}
	return calibration.Pooled(zs, rows)
}

// predictAll predicts the validation rows of subject i with its readout, of which each rank has a part: (rows, voxels).
func (t *Trainer) predictAll(ctx context.Context, i int, f *encoding.RowFeatures) ([]float32, error) {
	p, mine := t.Study.Subjects[i], len(t.tunedHere(i))
	x, rows := f.Stack(p, study.Val)
	var pred []float32
	if mine > 0 {
		err := t.Session.Infer(ctx, func(s *torch.Scope) error {
			pred = t.Readouts[i].Forward(s.FromFloat32(x, rows, f.Width)).Float32s()
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	g := t.Study.Options.Ranks
	if g == nil || t.whole() {
		return pred, nil
	}
	lengths := make([]int, g.World())
	for rank := range lengths {
		from, to := columns.Span(t.columns[rank], i)
		lengths[rank] = rows * (to - from)
	}
	parts, err := dist.Gather(g, "predictions of "+p.Name, pred, lengths)
	if err != nil {
		return nil, err
	}
	out := make([]float32, 0, rows*len(p.Tuned))
	for k := range rows {
		for rank, part := range parts {
			n := lengths[rank] / rows
			out = append(out, part[k*n:(k+1)*n]...)
		}
	}
	return out, nil
}
