package evaluate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/torch"
)

// delayed makes a study of clips of two tones whose loudness changes every 20 ms, and of channels that follow one of
// the loudnesses some bins later.
func delayed(t *testing.T, change func(*experiment.Experiment, *dataset.Spec)) *study.Study {
	t.Helper()
	const clips, heard, rows, bin = 40, 30, 40, 320 // bins of 20 ms of a clip and of the responses, samples
	st, err := studytest.TrySeries(t, func(e *experiment.Experiment, s *dataset.Spec) {
		r := rand.New(rand.NewPCG(11, 1))
		m := &dataset.Matrix{Repeats: clips, Rows: rows, Voxels: 3}
		s.TR, s.Series = .02, dataset.Series{Step: .02, Clip: .8}
		s.Events, s.Channels = nil, []string{"tone-low", "tone-high", "silent"}
		e.Eval.Features, e.Readout.LagWindows = []string{"kind"}, []string{"early=0:100", "late=120:240"}
		for k := range clips {
			var sound []float32
			var loud [heard][2]float64
			for j := range loud {
				loud[j] = [2]float64{r.Float64(), r.Float64()}
				for i := range bin {
					at := float64(j*bin+i) / dataset.SampleRate
					x := loud[j][0]*math.Sin(2*math.Pi*300*at) + loud[j][1]*math.Sin(2*math.Pi*2500*at)
					sound = append(sound, float32(.3*x+.005*r.NormFloat64()))
				}
			}
			for j := range rows {
				for v, lag := range []int{5, 3} {
					x := .3 * r.NormFloat64()
					if at := j - lag; at >= 0 && at < heard {
						x += loud[at][v] - .5
					}
					m.Data = append(m.Data, float32(x))
				}
				m.Data = append(m.Data, 1)
			}
			s.Events = append(s.Events, dataset.Event{Name: fmt.Sprintf("clip-%02d", k), Audio: dataset.Value(sound),
				Labels: map[string]string{"fold": fmt.Sprint(k % 4), "kind": fmt.Sprint(k % 3)}})
		}
		s.ROIs = []dataset.ROI{{Name: "low", Region: dataset.Value(dataset.Region{Columns: []int{0}})},
			{Name: "high", Region: dataset.Value(dataset.Region{Columns: []int{1}})}}
		s.Subjects[0].Responses = []dataset.Response{{Matrix: dataset.Value(m)}}
		e.Model.Layer, e.Model.WindowSeconds, e.Model.StrideSeconds = 1, .3, .02
		e.Readout.LagsMS = nil
		for lag := 0; lag <= 240; lag += 20 {
			e.Readout.LagsMS = append(e.Readout.LagsMS, float64(lag))
		}
		if change != nil {
			change(e, s)
		}
	})
	require.NoError(t, err)
	t.Cleanup(st.Close)
	return st
}

// lookAhead has the model's positions, a convolution over 8 frames, add what comes 3 frames later, many times.
func lookAhead(t *testing.T, st *study.Study) {
	t.Helper()
	found := false
	require.NoError(t, st.Model.Session().Train(t.Context(), 0, func(s *torch.Scope) error {
		for name, p := range st.Model.Store().Params() {
			if strings.HasSuffix(name, "pos_conv_embed.conv.parametrizations.weight.original0") { // a size for each tap
				found = true
				p.CopyFrom(s.FromFloat32([]float32{0, 0, 0, 0, 0, 0, 0, 40}, p.Shape()...))
			}
		}
		return nil
	}))
	require.True(t, found)
}

// The lag that alone predicts a channel best is the planted one, to within a frame of 20 ms, and at later ones there is
// nothing: features are causal. With features of a pass over the clip, an encoder that looks ahead finds a later lag.
func TestLatencyIsRecovered(t *testing.T) {
	planted := map[string]float64{"low": 100, "high": 60}
	for _, extraction := range []experiment.Extraction{experiment.ExtractWindows, experiment.ExtractClip} {
		t.Run(string(extraction), func(t *testing.T) {
			st := delayed(t, func(e *experiment.Experiment, _ *dataset.Spec) {
				if e.Model.Extraction = extraction; extraction == experiment.ExtractClip {
					fresh := experiment.Default().Model
					e.Model.WindowSeconds, e.Model.StrideSeconds = fresh.WindowSeconds, fresh.StrideSeconds
				}
			})
			lookAhead(t, st)
			dir := t.TempDir()
			s, err := evaluate.Evaluate(t.Context(), st, nil, dir)
			require.NoError(t, err)
			for channel, lag := range planted {
				best, after := -1, 0.
				for i, l := range s.Test.Lags {
					if l.Window != "" {
						continue
					}
					if best < 0 || l.ROIs[channel] > s.Test.Lags[best].ROIs[channel] {
						best = i
					}
					if l.LagsMS[0] > lag {
						after = max(after, l.ROIs[channel])
					}
				}
				found := s.Test.Lags[best].LagsMS[0]
				t.Logf("%s: planted %g ms, found %g ms, r %.2f; later at most %.2f", channel, lag, found,
					s.Test.Lags[best].ROIs[channel], after)
				if extraction == experiment.ExtractWindows {
					assert.InDelta(t, lag, found, 20)
					assert.Less(t, after, .2)
				} else {
					assert.Greater(t, found, lag+20)
				}
			}
			if extraction == experiment.ExtractClip {
				return
			}
			assert.Equal(t, "early", s.Test.Lags[0].Window)
			assert.Equal(t, []float64{0, 20, 40, 60, 80, 100}, s.Test.Lags[0].LagsMS)
			assert.Greater(t, s.Test.Lags[0].MeanR, .4)
			assert.Less(t, s.Test.Lags[1].MeanR, .1, "nothing is left of a stimulus that late")
			table, err := os.ReadFile(filepath.Join(dir, "test", "ada", "channels.tsv"))
			require.NoError(t, err)
			lines := strings.Split(strings.TrimSuffix(string(table), "\n"), "\n")
			require.Len(t, lines, 4)
			assert.Equal(t, "silent"+strings.Repeat("\tn/a", strings.Count(lines[0], "\t")), lines[3])
			assert.True(t, strings.HasPrefix(lines[0],
				"channel\tbase\tfeatures_kind\tearly\tlate\t0_ms\t20_ms\t"), lines[0])
			first := strings.Split(lines[1], "\t")
			require.Len(t, first, len(strings.Split(lines[0], "\t")))
			assert.Equal(t, []string{"tone-low", "80"}, []string{first[0], first[len(first)-1]})
			assert.Equal(t, fmt.Sprintf("%.4f", s.Test.Base.ROIs["low"]), first[1])
			assert.Equal(t, fmt.Sprintf("%.4f", s.Test.Lags[0].ROIs["low"]), first[3])
		})
	}
}
