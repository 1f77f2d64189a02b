package imports

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
)

// babble is noise whose level changes as that of speech does.
func babble(seed uint64, seconds float64) []float32 {
	random := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, int(seconds*audio.Rate))
	level, until := 0., 0
	for i := range out {
		if i >= until {
			level, until = random.Float64()*random.Float64(), i+int((.06+.25*random.Float64())*audio.Rate)
		}
		out[i] = float32(.1 * level * random.NormFloat64())
	}
	return out
}

// Recordings that share audio are found and stay in one split; the description of the timing is in the record.
func TestWhatAnImportFindsAtItsEnd(t *testing.T) {
	f, _ := made(t, "a", "b", "c", "d", "e")
	sounds := map[string][]float32{"a": babble(1, 20), "c": babble(3, 20), "e": babble(5, 20)}
	sounds["b"] = append(babble(2, 3.3), sounds["a"][:16*audio.Rate]...)
	sounds["d"] = sounds["c"]
	for name, samples := range sounds {
		require.NoError(t, audio.WriteWAV(filepath.Join(f.Source, name+".wav"), samples, audio.Rate, audio.PCM16))
	}
	var tasks []string
	dir := filepath.Join(t.TempDir(), "out")
	progress := func(task string, done, n int, _ string) {
		if done == n {
			tasks = append(tasks, task)
		}
	}
	record, err := f.Import(t.Context(), Options{Dir: dir, Check: true, Progress: progress})
	require.NoError(t, err)
	assert.Equal(t, []string{"import", "compare recordings", "check timing"}, tasks)
	require.Len(t, f.Shared, 2)
	assert.Equal(t, SharedAudio{Stories: [2]string{"c", "d"}, Seconds: 20, Share: 1, Refused: true}, f.Shared[0])
	assert.Equal(t, [2]string{"a", "b"}, f.Shared[1].Stories)
	assert.InDelta(t, 16, f.Shared[1].Seconds, 1)
	assert.Contains(t, f.Notes, "stories c and d share 20 s of audio, 100 % of the shorter: keep them in one split")
	text, err := os.ReadFile(filepath.Join(dir, experimentName))
	require.NoError(t, err)
	assert.Contains(t, string(text), "\n  train: [c, d]\n")
	assert.Contains(t, string(text), "\n  val: [a, b]\n")
	assert.InDelta(t, 99.3, record.AudioSeconds, .01)
	require.NotNil(t, record.Timing)
	assert.Equal(t, map[string]string{"s1": "4 voxels"}, record.Timing.Subjects)
	assert.NotEmpty(t, record.Timing.Findings)

	for i := range f.Stories { // a data set that says so already
		if s := &f.Stories[i]; s.Name == "d" {
			s.SameAs = "c"
		} else if s.Name == "b" {
			s.SameAs = "a"
		}
	}
	f.Shared = nil
	_, err = f.Import(t.Context(), Options{Dir: dir + "2", Check: true})
	require.NoError(t, err)
	assert.Empty(t, f.Shared)
	record, err = f.Import(t.Context(), Options{Dir: dir + "3"})
	require.NoError(t, err)
	assert.Nil(t, record.Timing)
}

func TestStoriesThatShareAudioStayInOneSplit(t *testing.T) {
	pair := func(a, b string) SharedAudio { return SharedAudio{Stories: [2]string{a, b}, Seconds: 9, Refused: true} }
	s := Splits{Train: []string{"a", "b", "c", "d"}, Val: []string{"v"}, Test: []string{"t"}}
	got := s.together([]SharedAudio{pair("a", "t"), pair("b", "a"), pair("c", "v"), {Stories: [2]string{"d", "t"}}})
	assert.Equal(t, Splits{Train: []string{"d"}, Val: []string{"v", "c"}, Test: []string{"t", "a", "b"}}, got)
	assert.Empty(t, got.warning([]SharedAudio{pair("a", "t")}))
	all := []SharedAudio{pair("a", "t"), pair("v", "t")}
	assert.Equal(t, s, s.together(all), "nothing would be left to validate on")
	assert.Contains(t, s.warning(all), "Stories a and t share 9 s of audio and are in different splits")
	rows := Splits{Train: []string{"a"}, Val: []string{"b[0:5]"}, Test: []string{"b[9:20]"}}
	assert.NotEmpty(t, rows.warning([]SharedAudio{pair("a", "b")}))
}

// heardBy is a data set of subjects who heard stories, each in a matrix of repeats × rows × voxels.
func heardBy(t *testing.T, subjects, stories, repeats, rows, voxels int, rois ...dataset.ROI) *dataset.Dataset {
	t.Helper()
	spec := dataset.Spec{Name: "study", TR: 2, ROIs: rois}
	random := rand.New(rand.NewPCG(8, 9))
	for i := range stories {
		spec.Stories = append(spec.Stories, dataset.Story{Name: fmt.Sprint("story", i)})
	}
	for i := range subjects {
		s := dataset.Subject{Name: fmt.Sprintf("s%02d", i)}
		for k := range stories {
			m := &dataset.Matrix{Repeats: repeats, Rows: rows, Voxels: voxels,
				Data: make([]float32, repeats*rows*voxels)}
			for n := range m.Data {
				if m.Data[n] = float32(random.NormFloat64()); n%voxels%3 == 1 { // which all repeats have
					m.Data[n] = float32(n / voxels % rows % 7)
				}
			}
			s.Responses = append(s.Responses, dataset.Response{Story: fmt.Sprint("story", k), Matrix: dataset.Value(m)})
		}
		spec.Subjects = append(spec.Subjects, s)
	}
	d, err := dataset.New(spec)
	require.NoError(t, err)
	return d
}

func TestTheTimingIsCheckedOnSomeOfMany(t *testing.T) {
	j := &job{}
	subjects, stories, part, err := j.timed(t.Context(), heardBy(t, 2, 3, 1, 100, 4))
	require.NoError(t, err)
	assert.Equal(t, []string{"s00", "s01"}, subjects)
	assert.Equal(t, []string{"story0", "story1", "story2"}, stories)
	assert.False(t, part)
	subjects, stories, part, err = j.timed(t.Context(), heardBy(t, 20, 3, 1, 100, 4))
	require.NoError(t, err)
	assert.Equal(t, []string{"s00", "s02", "s05", "s07", "s10", "s12", "s15", "s17"}, subjects)
	assert.Equal(t, []string{"story0"}, stories)
	assert.True(t, part)

	columns, how, err := timedColumns(t.Context(), heardBy(t, 1, 1, 3, 40, 1600), "s00")
	require.NoError(t, err)
	assert.Equal(t, "500 voxels whose repeats of story0 agree best", how)
	require.Len(t, columns, 500)
	for _, c := range columns {
		require.Equal(t, 1, c%3)
	}
	region := func(name string, columns ...int) dataset.ROI {
		return dataset.ROI{Name: name, Region: dataset.Value(dataset.Region{Columns: columns})}
	}
	for _, c := range []struct {
		rois []dataset.ROI
		want []int
		how  string
	}{
		{[]dataset.ROI{region("x", 3, 4), region("y", 1, 4)}, []int{1, 3, 4}, "3 voxels of all regions"},
		{[]dataset.ROI{region("x", 3, 4), region("AC", 2, 7), region("y", 1)}, []int{2, 7}, "2 voxels of AC"},
		{nil, nil, "9 voxels"},
	} {
		columns, how, err := timedColumns(t.Context(), heardBy(t, 1, 1, 1, 40, 9, c.rois...), "s00")
		require.NoError(t, err)
		assert.Equal(t, c.want, columns)
		assert.Equal(t, c.how, how)
	}
}
