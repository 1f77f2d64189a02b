package dataset

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
)

// timeCourses writes responses to clips a, b and c: of 4 times of 10 ms before the clip and 8 after its beginning, on 2
// channels, each 100·clip + time + 1000·channel.
func timeCourses(t *testing.T, dir string) {
	t.Helper()
	var x []float32
	for clip := range 3 {
		for time := range 12 {
			x = append(x, float32(100*clip+time), float32(1000+100*clip+time))
		}
	}
	require.NoError(t, npy.Write(filepath.Join(dir, "r.npy"), []int{3, 12, 2}, x))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "t.tsv"), []byte("clip\tkind\na\tx\nb\ty\nc\tx\n"), 0o600))
}

const seriesOfClips = `design: series
step_ms: 10
bin_ms: 20
clip_seconds: 0.08
first_ms: -40
baseline_ms: [-40, 0]
events: {table: t.tsv, audio: "{clip}.wav"}
subjects: {s: r.npy}
features: {mine: r.npy}
`

func openSeries(t *testing.T, text string) (*Dataset, error) {
	t.Helper()
	dir := t.TempDir()
	timeCourses(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dataset.yaml"), []byte(text), 0o600))
	return Open(dir)
}

func TestResponsesAreAveragedInBins(t *testing.T) {
	d, err := openSeries(t, seriesOfClips)
	require.NoError(t, err)
	assert.Equal(t, 4, d.ClipRows())
	assert.InDelta(t, .08, d.ClipSeconds(), 1e-12)
	m, err := d.ReadResponses(t.Context(), "s", EventStory)
	require.NoError(t, err)
	want := []float32{3, 3, 5, 5, 7, 7, 9, 9} // means over 4 and 5, … less that over 0 to 3, on both channels
	assert.Equal(t, append(append(want[:8:8], want...), want...), m.Data)

	f, err := d.Features(t.Context(), "mine", EventStory)
	require.NoError(t, err)
	assert.Equal(t, []float32{.5, 1000.5, 2.5, 1002.5}, f.Data[:4], "from the beginning of the clip, as they are")
	f, err = d.Features(t.Context(), "kind", EventStory)
	require.NoError(t, err)
	require.Equal(t, []int{12, 8}, []int{f.Rows, f.Voxels})
	assert.Equal(t, []float32{0, 1, 0, 0, 0, 0, 0, 0}, f.Row(0, 9), "bin 1 of a clip of x")
	assert.Equal(t, []float32{0, 0, 0, 0, 0, 0, 0, 1}, f.Row(0, 7), "bin 3 of a clip of y")
	f, err = d.Features(t.Context(), "time", EventStory)
	require.NoError(t, err)
	assert.Equal(t, []float32{0, 1, 0, 0}, f.Row(0, 5))
	assert.True(t, d.EachBin("kind") && d.EachBin("time") && !d.EachBin("mine"))

	split, err := ParseSplit([]string{"kind=x"})
	require.NoError(t, err)
	rows, err := d.Resolve(split, nil, [2]int{})
	require.NoError(t, err)
	assert.Equal(t, []design.Rows{{Story: EventStory, To: 4}, {Story: EventStory, From: 8, To: 12}}, rows)
	plain := strings.Replace(seriesOfClips, "baseline_ms: [-40, 0]\n", "", 1)
	d, err = openSeries(t, plain)
	require.NoError(t, err)
	arranged, err := d.Arranged([]string{"b"}, []string{"kind=x"})
	require.NoError(t, err)
	m, err = arranged.ReadResponses(t.Context(), "s", EventStory)
	require.NoError(t, err)
	assert.Equal(t, []float32{104.5, 1104.5, 106.5, 1106.5}, m.Data[:4], "clip b is first now")
	assert.Equal(t, "b", arranged.ClipsIn(design.Rows{To: 4})[0].Name)
}

func TestSeriesOfStories(t *testing.T) {
	m := &Matrix{Repeats: 2, Rows: 5, Voxels: 1, Data: []float32{0, 2, 4, 6, 9, 10, 12, 14, 16, 9}}
	d, err := New(Spec{Name: "meg", Design: DesignSeries, TR: .02, Series: Series{Step: .01},
		Stories:  []Story{{Name: "tale", First: .5, Audio: Value(make([]float32, 16000))}},
		Subjects: []Subject{{Name: "s", Responses: []Response{{Story: "tale", Matrix: Value(m)}}}}})
	require.NoError(t, err)
	got, err := d.ReadResponses(t.Context(), "s", "tale")
	require.NoError(t, err)
	assert.Equal(t, []float32{1, 5, 11, 15}, got.Data, "two repeats of two bins; what fills no bin is left out")
	clock, err := d.Clock("tale")
	require.NoError(t, err)
	assert.InDelta(t, .54, clock.Time(1), 1e-12, "a row stands for the end of its bin")
	assert.Zero(t, d.ClipRows())
	assert.False(t, d.IsEvents())
}

func TestSeriesIsRefused(t *testing.T) {
	for name, x := range map[string]struct{ old, new, want string }{
		"bins that the rate does not divide": {"bin_ms: 20", "bin_ms: 25",
			"bin_ms: 25 ms is no multiple of step_ms 10"},
		"clips that bins do not divide": {"0.08", "0.07", "clip_seconds: 0.07 s is no multiple of bin_ms 20"},
		"clips of years":                {"0.08", "1e9", "clip_seconds: 1e+09 s are 50000000000 bins of 20 ms, want"},
		"a baseline between steps": {"[-40, 0]", "[-35, 0]",
			"baseline_ms: -35 ms is no multiple of step_ms 10"},
		"a baseline that is not there": {"[-40, 0]", "[-80, 0]",
			"baseline_ms: -80 to 0 ms are no stretch of the responses from -40 to 80 ms"},
		"a baseline of one time":  {"[-40, 0]", "[-40]", "baseline_ms has 1 times, want [FROM, TO]"},
		"responses from later on": {"first_ms: -40", "first_ms: 10", "first_ms: 10 is after the beginning"},
		"no step":                 {"step_ms: 10\n", "", "there is no step_ms"},
		"a step of nothing":       {"step_ms: 10", "step_ms: 0", "step_ms: 0 is not above 0"},
		"TRs": {"step_ms: 10", "step_ms: 10\ntr_seconds: 2",
			"tr_seconds has no part in the design series"},
		"another design": {"design: series", "design: event", "has no part in the design event"},
		"seconds of a subject": {"{s: r.npy}", "{s: {file: r.npy, step_seconds: .01, seconds: [0, 1]}}",
			"step_seconds and seconds have no part in the design series"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, seriesOfClips, x.old)
			_, err := openSeries(t, strings.Replace(seriesOfClips, x.old, x.new, 1))
			require.ErrorContains(t, err, x.want)
			assert.Equal(t, fault.BadData, fault.KindOf(err))
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	d, err := openSeries(t, seriesOfClips+"channels: [left, right]\n")
	require.NoError(t, err)
	assert.Equal(t, []string{"left", "right"}, d.Channels())
	_, err = openSeries(t, seriesOfClips+"channels: [left, \"a\\tb\"]\n")
	require.ErrorContains(t, err, `channels: "a\tb" cannot be the name of a channel`)
	d, err = openSeries(t, strings.Replace(seriesOfClips, "0.08", "0.1", 1))
	require.NoError(t, err)
	_, err = d.ReadResponses(t.Context(), "s", EventStory)
	require.ErrorContains(t, err, "12 responses of 10 ms to each clip end before clip_seconds 0.1")

	nan := &Matrix{Repeats: 1, Rows: 4, Voxels: 2, Data: []float32{0, float32(math.NaN()), 1, 1, 2, 2, 3, 3}}
	d, err = New(Spec{Name: "x", Design: DesignSeries, TR: .02, Series: Series{Step: .01, Clip: .04},
		Events:   []Event{{Name: "dog", Audio: Value(make([]float32, 640))}},
		Subjects: []Subject{{Name: "s", Responses: []Response{{Matrix: Value(nan)}}}}})
	require.NoError(t, err)
	_, err = d.ReadResponses(t.Context(), "s", EventStory)
	require.ErrorContains(t, err, "clip dog, channel 1 is NaN")
}
