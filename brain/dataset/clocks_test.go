package dataset

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
)

// Where one subject's scanning began at another second of the audio, the story is a second one for that subject, and
// splits go on to name the first.
func TestASubjectMayHaveItsOwnClockOfAStory(t *testing.T) {
	const text = `tr_seconds: 1.5
stories:
  milkyway: {audio: milkyway.wav, words: milkyway.tsv, first_tr_seconds: 0}
  tunnel: {audio: tunnel.wav, first_tr_seconds: 3}
subjects:
  sub-001: {milkyway: one.npy, tunnel: two.npy}
  sub-038: {milkyway: {file: three.npy, first_tr_seconds: 6}, tunnel: {file: four.npy, first_tr_seconds: 3}}
  sub-105: {milkyway: {file: five.npy, rows: {first: 7.5, last: 430}}}
  sub-106: {milkyway: {file: six.npy, first_tr_seconds: 6, rows: {last: 430}}}
derived:
  group: {from: all, responses: {milkyway: {file: group.npy, first_tr_seconds: 6}}}
motion:
  sub-038: {milkyway: three.txt}
`
	d, err := Open(write(t, map[string]string{"dataset.yaml": text}))
	require.NoError(t, err)
	assert.Equal(t, []string{"milkyway", "tunnel", "milkyway@6", "milkyway@7.5"}, d.Stories())
	for subject, want := range map[string][]string{"sub-001": {"milkyway", "tunnel"},
		"sub-038": {"tunnel", "milkyway@6"},
		"sub-105": {"milkyway@7.5"}, "sub-106": {"milkyway@6"}, "group": {"milkyway@6"}} {
		assert.Equal(t, want, d.StoriesOf(subject), subject)
	}
	clock, err := d.Clock("milkyway@6")
	require.NoError(t, err)
	assert.Equal(t, 6.75, clock.Time(0))
	story, err := d.Story("milkyway@7.5")
	require.NoError(t, err)
	assert.Contains(t, story.Words.Path, "milkyway.tsv")
	assert.True(t, d.HasMotion("sub-038", "milkyway@6"))

	for _, entry := range []string{"milkyway", "milky*", "milkyway@6"} {
		parsed, err := ParseSplit([]string{entry})
		require.NoError(t, err)
		rows, err := d.Resolve(parsed, map[string]int{"milkyway@6": 280, "tunnel": 90}, [2]int{10, 5})
		require.NoError(t, err)
		assert.Equal(t, []design.Rows{{Story: "milkyway@6", From: 10, To: 275}}, rows, entry)
	}

	// Row 0 of sub-038 is row 4 of sub-001: neither may be tested on what the other was tuned on.
	window := design.StimulusWindow{Before: 1}
	report, err := design.Audit(window, d.AuditStories(), []design.Use{
		{Split: "train", Subject: "sub-001", Rows: design.Rows{Story: "milkyway", From: 0, To: 5}},
		{Split: "test", Subject: "sub-038", Rows: design.Rows{Story: "milkyway@6", From: 0, To: 1}},
		{Split: "test", Subject: "sub-038", Rows: design.Rows{Story: "milkyway@6", From: 1, To: 2}},
	})
	require.NoError(t, err)
	for _, r := range report.Rows {
		assert.Equal(t, "milkyway", r.Stimulus)
		assert.Equal(t, r.Audio, r.Window, "the audio is the same, second for second")
	}
	require.Len(t, report.Leaks, 1, "row 1 is after the training rows")
	assert.Equal(t, design.Interval{From: 5.75, To: 6.75}, report.Leaks[0].Shared)
}
