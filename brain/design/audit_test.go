package design

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestOverlap(t *testing.T) {
	a := Interval{2, 402}
	assert.Equal(t, 10., a.overlap(Interval{392, 500}))
	assert.Equal(t, 3., a.overlap(Interval{7, 10}))
	for _, b := range []Interval{{402, 500}, {402 - 1e-9, 500}, {402.5, 500}, {-5, 2}} {
		assert.Zero(t, a.overlap(b), b)
		assert.Zero(t, b.overlap(a), b)
	}
}

func TestStimulusWindow(t *testing.T) {
	c := Clock{First: 5, TR: 2, RowTime: .5}
	windows := StimulusWindow{Before: 4} // of 4 s, which end at the time of their vector
	w := BOLD{Delays: []int{1, 2, 3, 4}}.StimulusWindow(c, windows)
	assert.Equal(t, Interval{26 - 8 - 6 - 4, 26 - 2 + 6}, w.Row(c, 10))
	assert.Equal(t, Interval{8, 32}, w.rows(c, 10, 12))
	assert.Panics(t, func() { w.rows(c, 3, 3) })

	// Row 10 averages the features of audio 25 to 27 s: with delay 1 those of 23 to 25, with delay
	// 4 those of 17 to 19, whose first window of 4 s starts at 13.
	assert.Equal(t, Interval{13, 25}, BOLD{Average: true, Delays: []int{1, 2, 3, 4}}.StimulusWindow(c, windows).Row(c,
		10))
	assert.Equal(t, Interval{21, 27}, BOLD{Average: true}.StimulusWindow(c, windows).Row(c, 10),
		"no delays: the row's own features")

	chunks := BOLD{Delays: []int{1, 2, 3, 4}}.StimulusWindow(c, StimulusWindow{Before: 4, After: 4})
	assert.Equal(t, StimulusWindow{Before: w.Before, After: w.After + 4}, chunks,
		"a frame of a chunk depends on what follows it")
}

// No feature with weight in a row depends on stimulus outside the stimulus window of the row.
func TestStimulusWindowCoversTheWeights(t *testing.T) {
	const seconds = 4.
	c := Clock{First: 3, TR: 2, RowTime: .5}
	features := Clock{First: .25, TR: .25}.Times(0, 400)
	for _, b := range []BOLD{{Delays: []int{1, 4}}, {Average: true, Delays: []int{1, 4}},
		{ClipNegative: true, Delays: []int{2}}} {
		const k = 30
		d := b.Story(c, 45, features)
		want := b.StimulusWindow(c, StimulusWindow{Before: seconds}).Row(c, k)
		first, last := features[len(features)-1], 0.
		for _, delay := range b.Delays {
			for i, v := range d.Weights.Runs[k-delay] {
				if v != 0 {
					end := features[d.Weights.First[k-delay]+i]
					first, last = min(first, end-seconds), max(last, end)
				}
			}
		}
		assert.GreaterOrEqual(t, first, want.From)
		assert.LessOrEqual(t, last, want.To)
		if !b.ClipNegative { // which narrows the kernel
			assert.InDelta(t, want.From, first, .25+1e-9, "the outermost feature may be up to a stride inside")
			assert.InDelta(t, want.To, last, .25+1e-9)
		}
	}
}

var (
	stories = []AuditStory{
		{Name: "alice", Clock: Clock{TR: 2}},
		{Name: "alice_seg12", Clock: Clock{First: 1.352, TR: 2}, SameAs: "alice", Row: 339},
		{Name: "piece", Clock: Clock{First: 7, TR: 2}, SameAs: "alice_seg12", Row: 10},
		{Name: "other", Clock: Clock{TR: 2}},
	}
	window = BOLD{Delays: []int{1, 2, 3, 4}}.StimulusWindow(Clock{TR: 2}, StimulusWindow{Before: 4})
)

func audit(t *testing.T, uses ...Use) *Report {
	t.Helper()
	r, err := Audit(window, stories, uses)
	require.NoError(t, err)
	return r
}

func TestAuditOfAliceByRows(t *testing.T) {
	train := Use{"train", "sub-18", Rows{"alice", 10, 200}}
	r := audit(t, train, Use{"val", "sub-18", Rows{"alice", 210, 240}}, Use{"test", "sub-18", Rows{"alice", 250, 362}})
	assert.Empty(t, r.Leaks, "stimulus windows touch at 402 and 482 s, which is allowed")
	assert.NoError(t, r.Err())
	assert.Equal(t, Interval{2, 402}, r.Rows[0].Window)
	assert.Equal(t, Interval{402, 482}, r.Rows[1].Window)

	r = audit(t, train, Use{"val", "sub-18", Rows{"alice", 209, 240}}, Use{"test", "sub-18", Rows{"alice", 248, 362}})
	require.Len(t, r.Leaks, 2)
	assert.InDelta(t, 2, r.Leaks[0].seconds(), 1e-9)
	assert.InDelta(t, 4, r.Leaks[1].seconds(), 1e-9)
	err := r.Err()
	require.Error(t, err)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.ErrorContains(t, err,
		"val alice[209:240] and test alice[248:362] depend on the same 4.0 s of alice, and 1 more such pairs")
}

func TestAuditLooksOverSubjects(t *testing.T) {
	r := audit(t,
		Use{"train", "sub-18", Rows{"alice", 10, 200}}, Use{"train", "sub-22", Rows{"alice", 10, 200}},
		Use{"test", "sub-53", Rows{"alice", 150, 180}})
	require.Len(t, r.Leaks, 1)
	assert.Equal(t, []string{"sub-18", "sub-22"}, r.Leaks[0].A.Subjects)
	assert.InDelta(t, 80, r.Leaks[0].seconds(), 1e-9, "the whole stimulus window of the test rows")
}

func TestAuditFollowsSameAs(t *testing.T) {
	seg := Use{"train", "sub-18", Rows{"alice_seg12", 0, 22}}
	r := audit(t, seg, Use{"test", "sub-18", Rows{"alice", 250, 362}})
	require.Len(t, r.Leaks, 1)
	// Row 0 of the segment is row 339, so its stimulus window is that of rows 339 to 361 of alice.
	want := window.rows(stories[0].Clock, 339, 361)
	assert.InDelta(t, want.From, r.Leaks[0].Shared.From, 1e-9)
	assert.InDelta(t, want.To, r.Leaks[0].Shared.To, 1e-9)

	assert.Empty(t, audit(t, seg, Use{"test", "sub-18", Rows{"alice", 10, 329}}).Leaks, "the windows touch")
	assert.Len(t, audit(t, seg, Use{"test", "sub-18", Rows{"alice", 10, 330}}).Leaks, 1)

	// A piece of a piece: its row 0 is row 349 of alice.
	piece := Use{"val", "sub-18", Rows{"piece", 0, 1}}
	assert.Len(t, audit(t, piece, Use{"test", "sub-18", Rows{"alice", 349, 350}}).Leaks, 1)
	assert.Len(t, audit(t, piece, Use{"test", "sub-18", Rows{"alice_seg12", 10, 11}}).Leaks, 1)
	assert.Empty(t, audit(t, piece, Use{"test", "sub-18", Rows{"alice", 360, 362}}).Leaks)
	assert.Empty(t, audit(t, seg, Use{"test", "sub-18", Rows{"other", 0, 300}}).Leaks, "another stimulus")
	assert.Empty(t, audit(t, seg, Use{"train", "sub-18", Rows{"alice", 250, 362}}).Leaks,
		"one split may use a stimulus twice")
}

func TestAuditRefusesWhatItCannotPlace(t *testing.T) {
	loop := []AuditStory{{Name: "a", SameAs: "b"}, {Name: "b", SameAs: "a"}, {Name: "c", SameAs: "nowhere"}}
	for _, p := range []Rows{{Story: "a", To: 1}, {Story: "c", To: 1}, {Story: "d", To: 1},
		{Story: "a", From: 3, To: 3}} {
		_, err := Audit(window, loop, []Use{{Rows: p}})
		require.Error(t, err)
		assert.Equal(t, fault.BadData, fault.KindOf(err))
	}
}
