package predict

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// Stream predicts a recording while it comes in. A row leaves when the audio that it depends on has arrived, and the
// first row not before MinSeconds. All rows together are bit-identical to Predict of the whole recording without a
// Batcher, however the audio is cut. Memory is bounded by the stimulus window of a row and by what one Write brings.
//
// A Stream is used by one goroutine at a time. It needs no Close: one that is left holds memory alone.
type Stream struct {
	p     *Predictor
	rows  *rowStream
	ended bool
	err   error
}

// errEnded is the error of a stream after Finish.
var errEnded = fault.New(fault.Usage, rundir.Predicting, "", "the stream has ended").WithHint("open another one")

// Stream begins a recording. Errors have kind Usage: the features of the run cannot be computed while audio comes in.
func (p *Predictor) Stream() (*Stream, error) {
	if err := p.streams(); err != nil {
		return nil, err
	}
	return &Stream{p: p, rows: p.newRowStream(p.alone)}, nil
}

// Write takes the next samples (T, 16 kHz), any number of them, and returns the rows that are complete now, which may
// be none. Errors are those of Predict; after one, the stream returns it again.
func (s *Stream) Write(ctx context.Context, samples []float32) (*Prediction, error) {
	return s.add(ctx, samples, false)
}

// Finish ends the recording and returns its last rows, those that depend on audio after its end. It returns an error of
// kind BadData if the recording is shorter than MinSeconds.
func (s *Stream) Finish(ctx context.Context) (*Prediction, error) { return s.add(ctx, nil, true) }

// Latency returns the seconds from the end of a row's TR until the audio for the row has arrived, at most. The time to
// compute the windows of one TR comes on top. It is 0 where vectors are averaged within TRs; Lanczos interpolation
// reaches 3 TRs ahead, of which the shortest delay is taken off.
func (s *Stream) Latency() float64 {
	after := s.rows.bold.StimulusWindow(s.p.clock, design.StimulusWindow{}).After
	return max(0, after+s.p.clock.Time(0)-s.p.TR)
}

func (s *Stream) add(ctx context.Context, samples []float32, final bool) (*Prediction, error) {
	switch {
	case s.err != nil:
		return nil, s.err
	case s.ended:
		return nil, errEnded
	}
	ctx, done, err := s.p.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	out, err := s.p.next(ctx, s.rows, samples, final)
	s.err, s.ended = err, final
	return out, err
}

// streams returns an error if the features of the run need the whole recording.
func (p *Predictor) streams() error {
	bad := func(why, hint string) error {
		return fault.New(fault.Usage, rundir.Predicting, "stream", "%s", why).WithHint("%s", hint)
	}
	switch {
	case !p.training:
		return bad("features are standardised over the whole recording",
			"choose the statistics of the training stories (statistics: training in the configuration of a server)")
	case p.exp.Model.Extraction != experiment.ExtractWindows:
		return bad("vectors are read from "+string(p.exp.Model.Extraction)+", which depend on audio that comes later",
			"train with extraction: windows, or predict whole recordings")
	case p.exp.Model.Normalise == experiment.NormaliseStory:
		return bad("samples are normalised over the whole recording",
			"train with normalise: window or none, or predict whole recordings")
	}
	return nil
}

// places is the number of rows in a pass of the readout. A row has the same place whatever other rows are there, since
// its last bits depend on the place and on the shape of a pass.
const places = 8

// next adds samples to a recording and returns the rows that leave.
func (p *Predictor) next(ctx context.Context, s *rowStream, samples []float32, final bool) (*Prediction, error) {
	from := s.next
	x, err := s.add(ctx, samples, final)
	if err != nil {
		return nil, err
	}
	out := &Prediction{Rows: s.next - from, Voxels: p.Voxels(), Times: p.clock.Times(from, s.next)}
	for at := from; at < s.next; {
		place, width := at%places, len(x)/out.Rows
		n := min(places-place, s.next-at)
		pass := make([]float32, places*width)
		copy(pass[place*width:], x[(at-from)*width:(at-from+n)*width])
		values, err := p.respond(ctx, pass, places)
		if err != nil {
			return nil, err
		}
		out.Values = append(out.Values, values[place*out.Voxels:(place+n)*out.Voxels]...)
		at += n
	}
	return out, nil
}
