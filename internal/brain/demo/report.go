package demo

import (
	"context"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/probing"
	"github.com/brainwavlm/bwlm/internal/sim"
)

// Report is the result of the demo.
type Report struct {
	Schema         int       `json:"schema"`
	Seed           uint64    `json:"seed"`
	Null           bool      `json:"null"`
	WholeCortex    Arm       `json:"whole_cortex"`
	AuditoryCortex Arm       `json:"auditory_cortex"`
	Shuffled       Arm       `json:"shuffled"`
	Controls       Controls  `json:"controls"`
	Probes         Probes    `json:"probes"`
	Transfer       Transfers `json:"transfer"`
}

// Arm is one way to tune, scored on the listener's test rows.
type Arm struct {
	Test   results.Scores  `json:"test"`
	Epochs []results.Epoch `json:"epochs"`
	Chosen int             `json:"chosen_epoch"`
}

// Controls are scores without a speech model, of the listener's test rows.
type Controls struct {
	Spectrum     *results.ModelScore `json:"spectrum"`      // loudness and 8 bands
	WordRate     *results.ModelScore `json:"word_rate"`     // words a second
	WordIdentity *results.ModelScore `json:"word_identity"` // an oracle: which word is heard
}

// Probes are scores of linear probes on stories and a voice that were not used in tuning: mean r over the targets.
type Probes struct {
	Lexical        map[string]float64 `json:"lexical"`         // the components that drive semantic voxels
	LexicalControl map[string]float64 `json:"lexical_control"` // other components of the same words
	Acoustic       map[string]float64 `json:"acoustic"`        // loudness and 8 bands
}

// Transfers are the scores of other subjects with the whole-cortex adapter; each has a ridge of their own.
type Transfers struct {
	Related   Transfer `json:"related"`
	Unrelated Transfer `json:"unrelated"`
}

// Transfer is one of them.
type Transfer struct {
	Base  float64         `json:"base"`
	Tuned float64         `json:"tuned"`
	CI95  *stats.Interval `json:"ci95"` // of tuned − base
	Test  results.Scores  `json:"test"`
}

func (r *Report) arm(name string, a Arm) {
	*map[string]*Arm{"whole_cortex": &r.WholeCortex, "auditory_cortex": &r.AuditoryCortex,
		"shuffled": &r.Shuffled}[name] = a
}

func (r *Report) transfer(subject string, t Transfer) {
	*map[string]*Transfer{sim.Related: &r.Transfer.Related, sim.Unrelated: &r.Transfer.Unrelated}[subject] = t
}

// write writes the report to the run directory.
func (r *Report) write(dir string) error {
	return jsonfile.Write(filepath.Join(dir, marker), r)
}

// controls scores regressors without a speech model.
func (d *demo) controls(ctx context.Context) error {
	for _, c := range []struct {
		name string
		into *(*results.ModelScore)
		of   func(*sim.Regressors) []float32
	}{
		{"spectrum", &d.report.Controls.Spectrum, func(r *sim.Regressors) []float32 { return r.Spectrum }},
		{"word rate", &d.report.Controls.WordRate, func(r *sim.Regressors) []float32 { return r.WordRate }},
		{"word identity", &d.report.Controls.WordIdentity, func(r *sim.Regressors) []float32 { return r.Identity }},
	} {
		e, err := d.baseline.Control(ctx, c.name, func(_ context.Context, _, story string) ([]float32, int, error) {
			x := c.of(d.sim.Regressors(story))
			return x, len(x) / d.sim.Options.Rows, nil
		})
		if err != nil {
			return err
		}
		scores, err := e.Scores(ctx, sim.Listener)
		if err != nil {
			return err
		}
		*c.into = scores.Tuned
	}
	return nil
}

// probes fits linear probes to the untuned and each tuned model on the probe stories.
func (d *demo) probes(ctx context.Context) error {
	p := &d.report.Probes
	p.Lexical, p.LexicalControl, p.Acoustic = map[string]float64{}, map[string]float64{}, map[string]float64{}
	if err := d.probe(ctx, "base", nil); err != nil {
		return err
	}
	for _, a := range arms {
		if err := d.probe(ctx, a.name, d.tuned[a.name]); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) probe(ctx context.Context, name string, t *study.Tuned) error {
	var stories []probing.Story
	widths := make([]int, 3) // of planted, control and spectrum
	for _, story := range d.sim.ProbeStories {
		x, channels, err := encoding.Represent(ctx, d.study, t, story)
		if err != nil {
			return err
		}
		r := d.sim.Regressors(story)
		rows := len(x) / channels
		s := probing.Story{Rows: rows, Features: x}
		for k := range rows {
			for i, y := range [][]float32{r.Planted, r.Control, r.Spectrum} {
				widths[i] = len(y) / d.sim.Options.Rows
				s.Targets = append(s.Targets, y[k*widths[i]:(k+1)*widths[i]]...)
			}
		}
		stories = append(stories, s)
		d.meter.passed("probe "+name, 1)
	}
	r, err := probing.Linear(ctx, stories, d.opt.Seed)
	if err != nil {
		return err
	}
	for i, into := range []map[string]float64{d.report.Probes.Lexical, d.report.Probes.LexicalControl,
		d.report.Probes.Acoustic} {
		mean, _ := stats.Mean(r[:widths[i]], make([]bool, widths[i]), nil)
		into[name] = mean
		r = r[widths[i]:]
	}
	return nil
}
