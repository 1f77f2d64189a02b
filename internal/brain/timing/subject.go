package timing

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/responses"
)

// maxVoxels is the largest number of voxels of a subject that are used, evenly spaced among all.
const maxVoxels = 500

// subject is a subject with the recordings that are scanned.
type subject struct {
	name       string
	voxels     int // number that is used
	recordings []recording
	fit        [][]float64 // (lags, scanned rows of all recordings): see heldOut
}

// recording is the responses of a subject to a story.
type recording struct {
	story *story
	raw   *dataset.Matrix // used columns, one repeat
	rows  design.Rows     // the scanned rows
	y     []float32       // (rows, voxels), detrended and standardised
}

// loadSubjects loads the responses of all subjects and predicts them at every lag.
func (d *check) loadSubjects(ctx context.Context) error {
	for i, name := range d.names {
		d.opt.Progress(len(d.opt.Stories)+i, len(d.opt.Stories)+len(d.names))
		p, err := d.loadSubject(ctx, name)
		if err != nil {
			return err
		}
		if len(p.recordings) == 0 {
			continue
		}
		if err := p.predict(ctx, d.lags, len(d.report.Features)); err != nil {
			return err
		}
		d.subjects = append(d.subjects, p)
	}
	d.opt.Progress(len(d.opt.Stories)+len(d.names), len(d.opt.Stories)+len(d.names))
	return nil
}

// loadSubject loads the responses of one subject. A matrix that cannot be read is already a finding
// of checkData.
func (d *check) loadSubject(ctx context.Context, name string) (*subject, error) {
	p := &subject{name: name}
	var columns []int
	heard := d.data.StoriesOf(name)
	for _, s := range d.stories {
		if !slices.Contains(heard, s.name) {
			continue
		}
		r, err := d.measure(ctx, name, s.name)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			continue
		}
		if columns == nil {
			if columns, err = d.columns(ctx, name, s.name, r); err != nil {
				return nil, err
			}
		}
		if len(columns) == 0 || slices.Max(columns) >= r.Columns {
			continue
		}
		n := r.Rows(s.name)
		if s.rows[0] == 0 || n < s.rows[0] {
			s.rows[0] = n
		}
		s.rows[1] = max(s.rows[1], n)
		x, err := r.Select(design.Rows{Story: s.name, To: n}).Of(columns).ReadAll(ctx)
		if err != nil {
			return nil, err
		}
		mean := dataset.NewMatrix(n, len(columns), x)
		rows := s.scannedRows(n, d.lags)
		if rows.To-rows.From < minRows {
			continue
		}
		a := recording{story: s, raw: mean, rows: rows}
		a.y = standardise(mean.Data[rows.From*mean.Voxels:rows.To*mean.Voxels], rows.To-rows.From, mean.Voxels,
			s.clock.TR)
		p.recordings, p.voxels = append(p.recordings, a), mean.Voxels
	}
	return p, nil
}

// measure returns the responses of a subject to a story without preprocessing, averaged over
// repeats.
func (d *check) measure(ctx context.Context, subject, story string) (*responses.SubjectResponses, error) {
	r, err := d.data.OpenResponses(ctx, subject, story)
	if err != nil {
		return nil, err
	}
	s, err := responses.Standardise([]*dataset.Responses{r}, nil,
		responses.Standardisation{ZScore: responses.ZScoreNone, Frugal: true})
	if err != nil {
		return nil, err
	}
	return s, s.Measure(ctx)
}

// columns returns the voxels that are used, among those that vary in a story.
func (d *check) columns(ctx context.Context, subject, story string, r *responses.SubjectResponses) ([]int, error) {
	var all []int
	if own := d.opt.Columns[subject]; own != nil {
		all = slices.DeleteFunc(slices.Clone(own), func(c int) bool { return c >= r.Columns })
	} else if d.opt.ROI != "" {
		var err error
		if all, err = d.data.ROI(ctx, d.opt.ROI, subject, r.Columns); err != nil {
			return nil, err
		}
	} else {
		for v := range r.Columns {
			all = append(all, v)
		}
	}
	constant := r.Constant(story)
	all = slices.DeleteFunc(all, func(v int) bool { _, yes := slices.BinarySearch(constant, v); return yes })
	if len(all) <= maxVoxels {
		return all, nil
	}
	out := make([]int, maxVoxels)
	for i := range out {
		out[i] = all[i*len(all)/maxVoxels]
	}
	return out, nil
}

// tau returns the autocorrelation time of the responses, in rows.
func (p *subject) tau() float64 {
	var x []float32
	var lengths []int
	for _, a := range p.recordings {
		x, lengths = append(x, a.y...), append(lengths, a.rows.To-a.rows.From)
	}
	return stats.MedianAutocorrelationTime(x, lengths, p.voxels)
}
