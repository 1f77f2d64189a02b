package design

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestOverlap(t *testing.T) {
	a := Interval{2, 402}
	assert.Equal(t, 10., a.Overlap(Interval{392, 500}))
	assert.Equal(t, 3., a.Overlap(Interval{7, 10}))
	for _, b := range []Interval{{402, 500}, {402 - 1e-9, 500}, {402.5, 500}, {-5, 2}} {
		assert.Zero(t, a.Overlap(b), b)
		assert.Zero(t, b.Overlap(a), b)
	}
}

func TestReach(t *testing.T) {
	c := Clock{First: 5, TR: 2, RowTime: .5}
	r := LanczosReach(4, 2, []int{1, 2, 3, 4})
	assert.Equal(t, Interval{26 - 8 - 6 - 4, 26 - 2 + 6}, r.Row(c, 10))
	assert.Equal(t, Interval{8, 32}, r.Rows(c, 10, 12))

	// Row 10 averages the features of audio 25 to 27 s: with delay 1 those of 23 to 25, with delay 4 those of 17 to 19,
	// whose first window of 4 s starts at 13.
	assert.Equal(t, Interval{13, 25}, AverageReach(4, 2, .5, []int{1, 2, 3, 4}).Row(c, 10))
	assert.Equal(t, Interval{21, 27}, AverageReach(4, 2, .5, nil).Row(c, 10), "no delays: the row's own features")
	assert.Panics(t, func() { r.Rows(c, 3, 3) })
}

// What Reach promises is what the weights do: no feature with weight in a row's prediction was heard outside it.
func TestReachCoversTheWeights(t *testing.T) {
	const window, tr = 4., 2.
	c := Clock{First: 3, TR: tr, RowTime: .5}
	features := Clock{First: .25, TR: .25}.Times(0, 400)
	delays := []int{1, 4}
	rows := c.Times(0, 45)
	for _, method := range []struct {
		weights *Weights
		reach   Reach
		slack   float64 // the outermost feature may be up to a stride inside
	}{
		{Lanczos(rows, features, LanczosOptions{}), LanczosReach(window, tr, delays), .25},
		{Average(rows, features, tr, c.RowTime), AverageReach(window, tr, c.RowTime, delays), .25},
	} {
		const k = 30
		heard := method.reach.Row(c, k)
		first, last := features[len(features)-1], 0.
		for _, d := range delays {
			for i, v := range method.weights.Runs[k-d] {
				if v != 0 {
					end := features[method.weights.First[k-d]+i]
					first, last = min(first, end-window), max(last, end)
				}
			}
		}
		assert.GreaterOrEqual(t, first, heard.From)
		assert.LessOrEqual(t, last, heard.To)
		assert.InDelta(t, heard.From, first, method.slack+1e-9)
		assert.InDelta(t, heard.To, last, method.slack+1e-9)
	}
}

var (
	stories = []Story{
		{Name: "alice", Clock: Clock{TR: 2}},
		{Name: "alice_seg12", Clock: Clock{First: 1.352, TR: 2}, SameAs: "alice", Row: 339},
		{Name: "piece", Clock: Clock{First: 7, TR: 2}, SameAs: "alice_seg12", Row: 10},
		{Name: "other", Clock: Clock{TR: 2}},
	}
	recipe = LanczosReach(4, 2, []int{1, 2, 3, 4})
)

func audit(t *testing.T, parts ...Part) *Report {
	t.Helper()
	r, err := Audit(recipe, stories, parts)
	require.NoError(t, err)
	return r
}

func TestAuditOfAliceByRows(t *testing.T) {
	train := Part{"train", "sub-18", "alice", 10, 200}
	r := audit(t, train, Part{"val", "sub-18", "alice", 210, 240}, Part{"test", "sub-18", "alice", 250, 362})
	assert.Empty(t, r.Leaks, "reaches touch at 402 and 482 s, which is allowed")
	assert.NoError(t, r.Err())
	assert.Equal(t, Interval{2, 402}, r.Spans[0].Heard)
	assert.Equal(t, Interval{402, 482}, r.Spans[1].Heard)

	r = audit(t, train, Part{"val", "sub-18", "alice", 209, 240}, Part{"test", "sub-18", "alice", 248, 362})
	require.Len(t, r.Leaks, 2)
	assert.InDelta(t, 2, r.Leaks[0].Seconds(), 1e-9)
	assert.InDelta(t, 4, r.Leaks[1].Seconds(), 1e-9)
	err := r.Err()
	require.Error(t, err)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.ErrorContains(t, err, "val alice[209:240] and test alice[248:362] hear the same 4.0 s of alice, and 1 more such pairs")
}

func TestAuditLooksOverSubjects(t *testing.T) {
	r := audit(t,
		Part{"train", "sub-18", "alice", 10, 200}, Part{"train", "sub-22", "alice", 10, 200},
		Part{"test", "sub-53", "alice", 150, 180})
	require.Len(t, r.Leaks, 1)
	assert.Equal(t, []string{"sub-18", "sub-22"}, r.Leaks[0].A.Subjects)
	assert.InDelta(t, 80, r.Leaks[0].Seconds(), 1e-9, "all that the test rows hear")
}

func TestAuditFollowsSameAs(t *testing.T) {
	seg := Part{"train", "sub-18", "alice_seg12", 0, 22}
	r := audit(t, seg, Part{"test", "sub-18", "alice", 250, 362})
	require.Len(t, r.Leaks, 1)
	// Row 0 of the segment is row 339, so what it hears is what rows 339 to 361 of alice hear.
	want := recipe.Rows(stories[0].Clock, 339, 361)
	assert.InDelta(t, want.From, r.Leaks[0].Shared.From, 1e-9)
	assert.InDelta(t, want.To, r.Leaks[0].Shared.To, 1e-9)

	assert.Empty(t, audit(t, seg, Part{"test", "sub-18", "alice", 10, 329}).Leaks, "330 s before touch")
	assert.Len(t, audit(t, seg, Part{"test", "sub-18", "alice", 10, 330}).Leaks, 1)

	// A piece of a piece: its row 0 is row 349 of alice.
	piece := Part{"val", "sub-18", "piece", 0, 1}
	assert.Len(t, audit(t, piece, Part{"test", "sub-18", "alice", 349, 350}).Leaks, 1)
	assert.Len(t, audit(t, piece, Part{"test", "sub-18", "alice_seg12", 10, 11}).Leaks, 1)
	assert.Empty(t, audit(t, piece, Part{"test", "sub-18", "alice", 360, 362}).Leaks)
	assert.Empty(t, audit(t, seg, Part{"test", "sub-18", "other", 0, 300}).Leaks, "another stimulus")
	assert.Empty(t, audit(t, seg, Part{"train", "sub-18", "alice", 250, 362}).Leaks, "one split may hear a thing twice")
}

func TestAuditRefusesWhatItCannotPlace(t *testing.T) {
	loop := []Story{{Name: "a", SameAs: "b"}, {Name: "b", SameAs: "a"}, {Name: "c", SameAs: "nowhere"}}
	for _, p := range []Part{{Story: "a", To: 1}, {Story: "c", To: 1}, {Story: "d", To: 1}, {Story: "a", From: 3, To: 3}} {
		_, err := Audit(recipe, loop, []Part{p})
		require.Error(t, err)
		assert.Equal(t, fault.BadData, fault.KindOf(err))
	}
}
