//go:build slow

package timing

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/internal/sim"
)

func TestMoreOfWhatIsPlantedIsFound(t *testing.T) {
	plain := planted(t)
	listener := examined(t, plain, Options{Subjects: subjects[:1]}).PerSubject[sim.Listener]
	t.Run("an offset of all", func(t *testing.T) {
		late := altered(t, plain, func(s *dataset.Spec) {
			for i := range s.Stories {
				s.Stories[i].First = 3.4 // row k is said to be later than it is
			}
		})
		r := examined(t, late, Options{Subjects: subjects[:1]})
		assert.InDelta(t, 3.4, *r.Lag-*listener.Lag, .15)
		assert.Equal(t, Wrong, found(r, "lag").Verdict)
		assert.Regexp(t, `set first_tr_seconds 3\.\d s lower`, found(r, "lag").Do)
		assert.Equal(t, OK, found(r, "TR").Verdict, "an offset does not grow")
	})
	t.Run("a TR that is too short", func(t *testing.T) {
		r := examined(t, altered(t, plain, func(s *dataset.Spec) { s.TR = 1.93 }), Options{Subjects: subjects[:1]})
		f := found(r, "TR")
		assert.Equal(t, Wrong, f.Verdict)
		assert.Regexp(t, `a TR of (1\.9[789]|2|2\.0[012])\d* s would fit, not 1\.93`, f.Text)
		assert.Equal(t, OK, found(r, "data").Verdict, "rows that differ by less than 20 s are usual: lags decide")
	})
	t.Run("half a TR", func(t *testing.T) {
		r := examined(t, altered(t, plain, func(s *dataset.Spec) {
			s.RowTime = .5
			for i := range s.Stories {
				s.Stories[i].First = 2 - *listener.Lag // so that the lag is 1 s
			}
		}), Options{Subjects: subjects[:1]})
		assert.InDelta(t, 1, *r.Lag, .15)
		assert.Equal(t, Check, found(r, "row time").Verdict)
		assert.Contains(t, found(r, "row time").Text, "about half a TR (1 s): row_time 0 would")
		assert.Equal(t, OK, found(r, "lag").Verdict)
	})
	t.Run("two stories that are swapped", func(t *testing.T) { // with no third one to learn from
		long := small
		long.TuneStories, long.Rows = 2, 200
		s, err := sim.New(long)
		require.NoError(t, err)
		swapped := altered(t, s.Dataset, func(s *dataset.Spec) {
			s.Stories[0].Audio, s.Stories[1].Audio = s.Stories[1].Audio, s.Stories[0].Audio
			s.Stories[0].Words, s.Stories[1].Words = s.Stories[1].Words, s.Stories[0].Words
		})
		r := examined(t, swapped, Options{Subjects: subjects, Stories: s.TuneStories})
		f := found(r, "stories")
		assert.Equal(t, Wrong, f.Verdict, "%+v", r.Findings)
		assert.Contains(t, f.Text, "tune-01 and tune-02 look swapped")
		assert.Contains(t, f.Do, "audio files")
	})
}
