package sim

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// minRoll is the least number of rows by which responses are rolled: beyond the haemodynamic
// response.
const minRoll = hrfSeconds / TR

// shuffled is a subject with every story's responses rolled in time by a random number of rows,
// which keeps their statistics and removes their relation to the story. Test responses are not
// rolled, since the model tuned on rolled responses is scored on true ones.
func (s *Study) shuffled(subject dataset.Subject) dataset.Subject {
	out := dataset.Subject{Name: subject.Name + shuffledSuffix, From: []string{subject.Name}}
	for _, r := range subject.Responses {
		m, _ := r.Matrix.Load(context.Background()) // in memory
		if m.Repeats == 1 && m.Rows > 2*minRoll {
			by := minRoll + random(s.Options.Seed, "roll of "+r.Story).IntN(m.Rows-2*minRoll)
			m = roll(m, by)
		}
		out.Responses = append(out.Responses, dataset.Response{Story: r.Story, Matrix: dataset.Value(m)})
	}
	return out
}

// roll shifts the rows of a matrix of one repeat circularly.
func roll(m *dataset.Matrix, by int) *dataset.Matrix {
	data := make([]float32, 0, len(m.Data))
	for k := range m.Rows {
		data = append(data, m.Row(0, (k-by+m.Rows)%m.Rows)...)
	}
	return dataset.NewMatrix(m.Rows, m.Voxels, data)
}
