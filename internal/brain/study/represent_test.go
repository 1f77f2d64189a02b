package study_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/acoustic"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/wavlm"
)

func TestPoolIsTheMeanOfFrames(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, nil)
	frame := func(i int) windows.Span {
		return windows.Span{From: acoustic.Time(i) - .005, To: acoustic.Time(i) + .005}
	}
	// The story has 16 s: two clips, each with a margin of the other. Within the first clip and its
	// margin the frames are those of one pass.
	wave, err := st.Wave(t.Context(), "test")
	require.NoError(t, err)
	const clip = (windows.ClipSeconds + windows.MarginSeconds) * 16000
	hidden, err := st.Model.HiddenStates(t.Context(), wave[:clip], 1, 3)
	require.NoError(t, err)
	spans := []windows.Span{frame(0), {From: acoustic.Time(10) - .001, To: acoustic.Time(13) + .001},
		{From: 2.0001, To: 2.0002}, frame(399), frame(401),
		{From: acoustic.Time(10) + .001, To: acoustic.Time(12) + .001},
		{From: acoustic.Time(398) + .001, To: acoustic.Time(401) - .001}}
	x, err := st.Pool(t.Context(), st.Model, "test", spans, []int{1, 3})
	require.NoError(t, err)
	const width = 16
	for i, h := range hidden {
		require.Len(t, x[i], len(spans)*width)
		for c := range width {
			at := func(f int) float64 { return float64(h.Row(f)[c]) }
			assert.InDelta(t, at(0), x[i][c], 1e-5)
			assert.InDelta(t, (at(10)+at(11)+at(12)+at(13))/4, x[i][width+c], 1e-5)
			assert.InDelta(t, at(99), x[i][2*width+c], 1e-5, "2 s is nearest to the middle of frame 99 (1.9925 s)")
			assert.InDelta(t, at(399), x[i][3*width+c], 1e-5, "the last frame of the first clip")
			assert.InDelta(t, (at(11)+at(12))/2, x[i][5*width+c], 1e-5, "the middle of frame 10 is before the span")
		}
	}
	second, err := st.Model.HiddenStates(t.Context(), wave[(windows.ClipSeconds-windows.MarginSeconds)*16000:], 3)
	require.NoError(t, err)
	for c := range width {
		assert.InDelta(t, second[0].Row(101)[c], x[1][4*width+c], 1e-5,
			"frame 401 is of the second clip, which begins at frame 300")
		across := (float64(hidden[1].Row(399)[c]) + float64(second[0].Row(100)[c])) / 2
		assert.InDelta(t, across, x[1][6*width+c], 1e-5,
			"frames 399 and 400: the last of one clip, the first of the next")
	}
}

func TestHeardIsTheAudioOfTheRows(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, nil)
	stories, spans, err := st.Heard(study.Test)
	require.NoError(t, err)
	assert.Equal(t, []string{"test"}, stories)
	require.Len(t, spans["test"], 1)
	assert.InDelta(t, 4*studytest.TinyTR, spans["test"][0].From, 1e-9, "trimmed by 4 rows")
	assert.InDelta(t, 38*studytest.TinyTR, spans["test"][0].To, 1e-9, "and 2 at the end")
}

func TestFramesOfSpans(t *testing.T) {
	arch := wavlm.Default(wavlm.WavLM).Geometry().Architecture()
	rows := func(from, to int) design.Rows { return design.Rows{From: from, To: to} }
	got := windows.FramesOf([]windows.Span{{From: 0, To: 1}, {From: .5, To: .5}, {From: 5, To: 6}, {From: .98, To: 9}},
		arch, 50)
	assert.Equal(t, []design.Rows{rows(0, 50), rows(24, 25), rows(49, 50), rows(49, 50)}, got)

	// A frame counts if its middle is in [From, To): both edges of a span, just inside, on and just outside a middle.
	ten, thirteen := acoustic.Time(10), acoustic.Time(13)
	for _, c := range []struct {
		span windows.Span
		want design.Rows
	}{
		{windows.Span{From: ten - .001, To: thirteen - .001}, rows(10, 13)},
		{windows.Span{From: ten, To: thirteen}, rows(10, 13)},
		{windows.Span{From: ten + .001, To: thirteen + .001}, rows(11, 14)},
		{windows.Span{From: ten + .009, To: thirteen + .009}, rows(11, 14)},
		{windows.Span{From: ten + .011, To: thirteen + .011}, rows(11, 14)},
	} {
		assert.Equal(t, []design.Rows{c.want}, windows.FramesOf([]windows.Span{c.span}, arch, 50), "%v", c.span)
	}
}
