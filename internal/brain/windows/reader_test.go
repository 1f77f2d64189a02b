package windows_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

func TestRunsHaveOneLength(t *testing.T) {
	st := &windows.Stimulus{}
	for i, length := range []int{400, 800, 1200, 1200, 1200, 1200, 1200} {
		st.Windows = append(st.Windows, design.Window{Start: 2000*i - length, End: 2000 * i})
	}
	st.Own(experiment.Model{})
	rows := func(runs []windows.Unit) (out []design.Rows) {
		for _, r := range runs {
			assert.Equal(t, r.Clips, r.Windows, "each window is a clip")
			out = append(out, r.Windows)
		}
		return out
	}
	assert.Equal(t, []design.Rows{{From: 0, To: 1}, {From: 1, To: 2}, {From: 2, To: 5}, {From: 5, To: 7}},
		rows(st.Units(0, 7, 3)))
	assert.Equal(t, []design.Rows{{From: 3, To: 6}}, rows(st.Units(3, 6, 3)))
	assert.Empty(t, st.Units(4, 4, 3))
}

// Windows are what the whole waveform holds there, each alone in front of the model: batches and
// the cache change nothing.
func TestVectorsOfWindows(t *testing.T) {
	for _, pooling := range []experiment.Pooling{"first", "last", "mean", "index:2", "index:-2"} {
		at, byIndex := pooling.Index()
		for _, normalise := range []experiment.Normalise{"none", "story", "window"} {
			if byIndex && normalise != "none" {
				continue
			}
			st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
				e.Model.Pooling, e.Model.Normalise, e.Model.WindowSeconds = pooling, normalise, .5
			})
			stim := st.Stimuli["one"]
			r := st.Reader(st.Model)
			r.Unit = 7
			first, err := r.Features(t.Context(), stim, []int{2, 0})
			require.NoError(t, err)
			again, err := r.Features(t.Context(), stim, []int{2, 0})
			require.NoError(t, err)
			assert.Equal(t, first, again, "from the cache")
			raw, err := st.Data.Audio(t.Context(), "one")
			require.NoError(t, err)
			if normalise == "story" {
				raw = speech.Normalise(raw)
			}
			for _, i := range []int{0, 1, 3, 4, 60, len(stim.Windows) - 1} {
				wave := raw[stim.Windows[i].Start:stim.Windows[i].End]
				if normalise == "window" {
					wave = speech.Normalise(wave)
				}
				require.NoError(t, st.Model.Session().Infer(t.Context(), func(s *torch.Scope) error {
					hidden := st.Model.Forward(st.Model.FrontEnd(s.FromFloat32(wave, 1, len(wave))), 0, 2,
						speech.Pass{})
					for k, l := range []int{2, 0} {
						frames := hidden[l].Shape()[1]
						all := hidden[l].Float32s()
						want := make([]float64, 16)
						for f := range frames {
							for c := range want {
								v := float64(all[f*16+c])
								switch {
								case byIndex && (f == min(at, frames-1) || f == max(frames+at, 0) && at < 0):
									want[c] = v
								case pooling == "first" && f == 0, pooling == "last" && f == frames-1:
									want[c] = v
								case pooling == "mean":
									want[c] += v / float64(frames)
								}
							}
						}
						for c := range want {
							assert.InDelta(t, want[c], first[k][i*16+c], 2e-5, "window %d, layer %d, %s, %s", i, l,
								pooling, normalise)
						}
					}
					return nil
				}))
			}
		}
	}
}

// A unit holds n windows, or as much audio in chunks, and at least one chunk.
func TestUnitClips(t *testing.T) {
	m := experiment.Default().Model // windows of 4 s
	assert.Equal(t, 16, windows.UnitClips(m, 16))
	m.Extraction, m.ChunkSeconds = experiment.ExtractChunks, 12
	assert.Equal(t, 5, windows.UnitClips(m, 16))
	m.ChunkSeconds = 100
	assert.Equal(t, 1, windows.UnitClips(m, 16))
}
