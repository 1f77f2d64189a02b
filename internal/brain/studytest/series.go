package studytest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// TrySeries makes a study of 12 clips of noise of .2 s, whose responses to .32 s are time courses of 10 ms, in bins of
// 40 ms. Change (may be nil) alters the experiment and the clips.
func TrySeries(t *testing.T, change func(*experiment.Experiment, *dataset.Spec)) (*study.Study, error) {
	t.Helper()
	return TryTiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		fresh := experiment.Default()
		fresh.Model.Path, fresh.Model.Layer, fresh.Data.Path, fresh.Out = e.Model.Path, 2, e.Data.Path, e.Out
		fresh.Device, fresh.Data.Subjects = e.Device, []string{"ada"}
		fresh.Data.Train, fresh.Data.Val = []string{"fold!=2&fold!=3"}, []string{"fold=2"}
		fresh.Data.Test = []string{"fold=3"}
		*e = *fresh
		m := &dataset.Matrix{Repeats: 12, Rows: 32, Voxels: 3}
		*s = dataset.Spec{Name: "clips", Design: dataset.DesignSeries, TR: .04,
			Series: dataset.Series{Step: .01, Clip: .32}}
		r := rand.New(rand.NewPCG(5, 1))
		for range len(m.Data) + m.Repeats*m.Rows*m.Voxels {
			m.Data = append(m.Data, float32(r.NormFloat64()))
		}
		for k := range 12 {
			sound := make([]float32, 3200)
			for i := range sound {
				sound[i] = float32(.1 * r.NormFloat64())
			}
			s.Events = append(s.Events, dataset.Event{Name: fmt.Sprintf("clip-%02d", k), Audio: dataset.Value(sound),
				Labels: map[string]string{"category": fmt.Sprint("c", k%3), "fold": fmt.Sprint(k / 3)}})
		}
		s.Subjects = []dataset.Subject{{Name: "ada", Responses: []dataset.Response{{Matrix: dataset.Value(m)}}}}
		if change != nil {
			change(e, s)
		}
	})
}
