package design

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// Rows of the stories of these tests are 2 s; stimulus windows of rows k to n are seconds 2k-18 to 2n+2 of the audio.
func heard(t *testing.T, shared []SharedAudio, allowed func(a, b string) bool, uses ...Use) *Report {
	t.Helper()
	r := audit(t, uses...)
	r.CompareAudio(map[string]float64{"alice": 724, "alice_seg12": 47, "other": 600, "piece": 40}, shared, allowed)
	return r
}

func TestSharedAudioIsListedAndRefusedByItsLength(t *testing.T) {
	train, test := Use{"train", "sub-18", Rows{"alice", 10, 200}}, Use{"test", "sub-22", Rows{"other", 10, 290}}
	share := func(seconds float64) []SharedAudio {
		return []SharedAudio{{"alice", "other", Interval{100, 100 + seconds}, Interval{300, 300 + seconds}, seconds}}
	}
	for _, c := range []struct {
		name            string
		seconds         float64
		listed, refused bool
	}{
		{"a jingle of 2.9 s", 2.9, false, false}, {"3.1 s", 3.1, true, false}, {"4.9 s", 4.9, true, false},
		{"5.1 s", 5.1, true, true}, {"a minute", 60, true, true},
	} {
		r := heard(t, share(c.seconds), nil, train, test)
		assert.Equal(t, c.listed, len(r.Copies) > 0, c.name)
		assert.Equal(t, c.refused, r.Err() != nil, c.name)
	}
	err := heard(t, share(6.4), nil, train, test).Err()
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.EqualError(t, err, "leak audit: data: train alice (100.0 to 106.4 s) <-> test other (300.0 to 306.4 s)  "+
		"sound the same for 6.4 s; put both stories in one split; declare the copy in dataset.yaml (same_as: "+
		`{story: alice, row: …}); or, if it is meant, set data.allow_shared: ["alice:other"]`)
	assert.Contains(t, heard(t, share(6.4), nil, train, test).String(), "COPY    train alice (100.0 to 106.4 s)")
	assert.Contains(t, heard(t, share(3.5), nil, train, test).String(), "shared  train alice (100.0 to 103.5 s)")
	assert.Contains(t, heard(t, nil, nil, train, test).String(),
		"audio of 4 stories compared: no two splits share 3 s that sound the same")

	allowed := heard(t, share(60), func(a, b string) bool { return a == "alice" && b == "other" }, train, test)
	assert.NoError(t, allowed.Err())
	assert.Contains(t, allowed.String(), "allowed  train alice")

	test.Split = "train"
	assert.Empty(t, heard(t, share(60), nil, train, test).Copies, "one split may take both")
}

func TestOnePercentOfAStoryIsRefused(t *testing.T) {
	shared := []SharedAudio{{"alice", "other", Interval{100, 104}, Interval{10, 14}, 4}}
	r := audit(t, Use{"train", "s", Rows{"alice", 10, 200}}, Use{"val", "s", Rows{"other", 0, 30}})
	r.CompareAudio(map[string]float64{"alice": 724, "other": 500}, shared, nil)
	assert.NoError(t, r.Err(), "0.8 %")
	r.CompareAudio(map[string]float64{"alice": 724, "other": 399}, shared, nil)
	assert.Error(t, r.Err(), "1.003 %")
	r.CompareAudio(map[string]float64{"alice": 724, "other": 4}, []SharedAudio{
		{"alice", "other", Interval{100, 102}, Interval{0, 2}, 2.1},
	}, nil)
	assert.Error(t, r.Err(), "more than half of a sound of 4 s")
}

func TestOnlyAudioThatRowsDependOnCounts(t *testing.T) {
	shared := []SharedAudio{{"alice", "other", Interval{0, 600}, Interval{0, 600}, 600}}
	train := Use{"train", "s", Rows{"alice", 10, 100}} // 2 to 202 s
	for _, c := range []struct {
		name string
		rows Rows
		want float64
	}{
		{"the same rows", Rows{"other", 10, 100}, 200}, {"rows after them", Rows{"other", 110, 200}, 0},
		{"rows that overlap by 8 s", Rows{"other", 106, 200}, 8}, {"rows that touch", Rows{"other", 109, 200}, 2},
	} {
		r := heard(t, shared, nil, train, Use{"test", "s", c.rows})
		if c.want < 3 {
			assert.Empty(t, r.Copies, c.name)
			continue
		}
		require.Len(t, r.Copies, 1, c.name)
		assert.InDelta(t, c.want, r.Copies[0].Seconds, 1e-9, c.name)
	}
}

func TestWhatOverlapsCountsOnce(t *testing.T) {
	jingle := func(at float64) SharedAudio {
		return SharedAudio{"alice", "other", Interval{100, 104}, Interval{at, at + 4}, 4}
	}
	r := heard(t, []SharedAudio{jingle(100), jingle(100), jingle(102)}, nil,
		Use{"train", "s", Rows{"alice", 10, 200}}, Use{"test", "s", Rows{"other", 10, 200}})
	require.Len(t, r.Copies, 1)
	assert.InDelta(t, 6, r.Copies[0].Seconds, 1e-9, "of other, 4 of alice")
}

func TestPiecesOfOneStimulusAreNotCompared(t *testing.T) {
	r := audit(t, Use{"train", "s", Rows{"alice", 10, 200}}, Use{"val", "s", Rows{"alice", 220, 250}},
		Use{"val", "s", Rows{"alice_seg12", 0, 22}}, Use{"test", "s", Rows{"other", 0, 20}})
	assert.ElementsMatch(t, [][2]string{{"alice", "alice"}, {"alice", "other"}, {"alice_seg12", "other"}},
		r.StoryPairs())
	r.CompareAudio(map[string]float64{"alice": 724}, []SharedAudio{
		{"alice", "alice_seg12", Interval{100, 140}, Interval{0, 40}, 40},
	}, nil)
	assert.Empty(t, r.Copies, "same_as says so, and windows are compared in the time of alice")
}

func TestAPassageThatAStoryRepeatsIsACopy(t *testing.T) {
	repeat := []SharedAudio{{"alice", "alice", Interval{100, 110}, Interval{600, 610}, 10}}
	train, test := Use{"train", "s", Rows{"alice", 10, 200}}, Use{"test", "s", Rows{"alice", 250, 362}}
	for _, uses := range [][]Use{{train, test}, {test, train}} {
		r := heard(t, repeat, nil, uses...)
		require.Len(t, r.Copies, 1)
		assert.ErrorContains(t, r.Err(), "put both passages in one split")
	}
	assert.NoError(t, heard(t, repeat, nil, train, Use{"test", "s", Rows{"alice", 320, 362}}).Err(),
		"not in these rows")
}
