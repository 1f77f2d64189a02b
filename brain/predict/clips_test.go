package predict

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/torchtest"
)

// A row of clips is standardised by other clips, which a recording alone does not have.
func TestOpenRefusesARunOfClips(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		fresh := experiment.Default()
		fresh.Model.Path, fresh.Model.Layer, fresh.Data.Path, fresh.Out = e.Model.Path, 2, e.Data.Path, e.Out
		fresh.Device, fresh.Data.Subjects, fresh.Train.Epochs = e.Device, []string{"ada"}, 1
		fresh.Data.Train, fresh.Data.Val, fresh.Data.Test = []string{"use=a"}, []string{"use=b"}, []string{"use=c"}
		*e = *fresh
		*s = dataset.Spec{Name: "clips", Design: dataset.DesignEvent, TR: studytest.TinyTR}
		for k := range 3 {
			sound, bands := studytest.TinySound(uint64(k))
			for row := range 8 {
				const samples = int(studytest.TinyTR * dataset.SampleRate)
				s.Events = append(s.Events, dataset.Event{Name: fmt.Sprintf("clip-%d-%d", k, row),
					Audio:  dataset.Value(sound[row*samples : (row+1)*samples]),
					Labels: map[string]string{"use": string(rune('a' + k))}})
			}
			answer := dataset.NewMatrix(8, 5, studytest.TinyAnswer(bands[:8], 5, 1, uint64(k)))
			if k == 0 {
				s.Subjects = []dataset.Subject{{Name: "ada",
					Responses: []dataset.Response{{Matrix: dataset.Value(answer)}}}}
				continue
			}
			all, err := s.Subjects[0].Responses[0].Matrix.Load(t.Context())
			require.NoError(t, err)
			all.Rows, all.Data = all.Rows+8, append(all.Data, answer.Data...)
		}
	})
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	_, err = tune.Fit(t.Context(), st, run)
	require.NoError(t, err)
	run.Close()
	_, err = Open(t.Context(), run.Dir, Options{Device: torchtest.Device()})
	faulttest.Require(t, fault.Usage, err, "its rows are clips, of which a row is standardised by others")
}
