package predict

import (
	"context"
	"slices"
	"sort"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
)

// rowStream makes rows of features while audio comes in: a row of the readout's input when its stimulus has arrived.
// The windows that complete a row are read together, so that their last bits do not depend on how the audio is cut.
type rowStream struct {
	p      *Predictor
	bold   design.BOLD
	reader windowReader
	layers []int

	samples []float32
	first   int // the number of samples[0] in the recording
	arrived int // samples of the recording

	windows []design.Window // from the first that the next undelayed row needs, some of which have not arrived
	number  int             // of the next window
	vectors [][]float32     // of each layer: (windows that are read, E), of the first of windows

	undelayed []float32 // (rows, layers·E), standardised, the last of which is the newest
	next      int       // the row that leaves next
	due       int       // samples before which it cannot
}

func (p *Predictor) newRowStream(reader windowReader) *rowStream {
	layers := p.layers()
	bold := windows.BOLD(p.exp, p.Delays)
	bold.ClipNegative = p.exp.Compat.ClipLanczos
	return &rowStream{p: p, bold: bold, reader: reader, layers: layers, number: 1,
		vectors: make([][]float32, len(layers))}
}

// add takes samples and returns the rows (n, F) that are complete, or all that are left.
func (s *rowStream) add(ctx context.Context, samples []float32, final bool) (out []float32, err error) {
	if err := windows.Finite(samples, s.arrived); err != nil {
		return nil, err
	}
	s.samples = append(s.samples, samples...)
	s.arrived += len(samples)
	rows, err := s.p.rows(s.arrived)
	if err != nil { // too short yet
		if !final {
			err = nil
		}
		return nil, err
	}
	for s.next < rows && (final || s.arrived >= s.due) {
		row := s.next - slices.Min(s.p.Delays) // the newest that it depends on
		if row >= 0 {
			weights, ready := s.weights(row, final)
			if !ready {
				break
			}
			if err := s.resample(ctx, weights); err != nil {
				return nil, err
			}
		}
		out = append(out, s.delayed()...)
		s.next++
	}
	return out, nil
}

// weights returns those of an undelayed row over windows, and whether all that they belong to have arrived. At the end
// of the recording, there are no others.
func (s *rowStream) weights(row int, final bool) (*design.Weights, bool) {
	reach := design.BOLD{Average: s.bold.Average}.StimulusWindow(s.p.clock, design.StimulusWindow{}).After
	beyond := s.p.clock.Time(row) + reach + s.bold.Stride
	for n := len(s.windows); n == 0 || s.windows[n-1].Time <= beyond; n = len(s.windows) {
		if w, ok := s.bold.WindowAt(s.number, speech.SampleRate); ok {
			s.windows = append(s.windows, w)
		}
		s.number++
	}
	of := s.windows
	if final {
		of = of[:s.has()]
	}
	w := s.bold.Weights(s.p.clock, row, row+1, design.FeatureTimes(of))
	end := w.First[0] + len(w.Runs[0])
	if final || end <= s.has() {
		return w, true
	}
	s.due = of[end-1].End
	return nil, false
}

// has returns how many of windows have arrived.
func (s *rowStream) has() int {
	return sort.Search(len(s.windows), func(i int) bool { return s.windows[i].End > s.arrived })
}

// resample appends a row to undelayed, and forgets windows and audio that later ones do not need.
func (s *rowStream) resample(ctx context.Context, w *design.Weights) error {
	channels, from, run := s.p.model.Model.Architecture().Width, w.First[0], w.Runs[0]
	if err := s.read(ctx, from+len(run), channels); err != nil {
		return err
	}
	alone := design.Weights{Rows: 1, Cols: len(run), First: []int{0}, Runs: [][]float64{run}}
	for i, x := range s.vectors {
		row := alone.Apply(x[from*channels:(from+len(run))*channels], channels)
		s.undelayed = append(s.undelayed, s.p.statistics(i, channels).Apply(row)...)
		s.vectors[i] = slices.Delete(x, 0, min(from*channels, len(x)))
	}
	s.windows = slices.Delete(s.windows, 0, from)
	unread := min(s.windows[len(s.vectors[0])/channels].Start, s.arrived)
	s.samples, s.first = slices.Delete(s.samples, 0, unread-s.first), unread
	keep := slices.Max(s.p.Delays) * channels * len(s.layers)
	s.undelayed = slices.Delete(s.undelayed, 0, max(0, len(s.undelayed)-keep))
	return nil
}

// read reads the vectors of windows before one, those that are not read yet.
func (s *rowStream) read(ctx context.Context, to, channels int) error {
	from := len(s.vectors[0]) / channels
	if from >= to {
		return nil
	}
	clip := &windows.Stimulus{Name: "clip", Samples: windows.InMemory(s.samples)}
	for _, w := range s.windows[from:to] {
		clip.Windows = append(clip.Windows, design.Window{Start: w.Start - s.first, End: w.End - s.first, Time: w.Time})
	}
	clip.Own(s.p.exp.Model)
	vectors, err := s.reader(ctx, clip, s.layers)
	for i, x := range vectors {
		s.vectors[i] = append(s.vectors[i], x...)
	}
	return err
}

// delayed returns the row that leaves next, (delays × layers·E), from the newest undelayed ones.
func (s *rowStream) delayed() []float32 {
	width := s.p.model.Model.Architecture().Width * len(s.layers)
	out := make([]float32, len(s.p.Delays)*width)
	newest := s.next - slices.Min(s.p.Delays)
	for i, d := range s.p.Delays {
		if row := s.next - d; row >= 0 {
			copy(out[i*width:][:width], s.undelayed[len(s.undelayed)-(newest-row+1)*width:])
		}
	}
	return out
}
