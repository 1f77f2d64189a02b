package studytest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/responses"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// Moments of column c of x over the given rows.
func Moments(x []float32, cols, c int, rows ...design.Rows) (mean, sd float64) {
	z := design.FitZScore(x, len(x)/cols, cols, rows...)
	return z.Mean[c], z.SD[c]
}

// Responses returns all standardised responses of a subject to a story, (rows, voxels).
func Responses(t *testing.T, p *study.Subject, story string) []float32 {
	t.Helper()
	x, err := p.Read(t.Context(), nil, design.Rows{Story: story, To: p.Responses.Rows(story)})
	require.NoError(t, err)
	return x
}

// SubjectOf returns a subject with the responses m to one story, as they are, all of whose rows are in a split.
func SubjectOf(t *testing.T, name, story string, m *dataset.Matrix, split study.Split) *study.Subject {
	t.Helper()
	data, err := dataset.New(dataset.Spec{Name: "test", TR: 1,
		Stories: []dataset.Story{{Name: story, Audio: dataset.Value([]float32{0})}},
		Subjects: []dataset.Subject{{Name: name, Responses: []dataset.Response{{Story: story,
			Matrix: dataset.Value(m)}}}}})
	require.NoError(t, err)
	r, err := data.OpenResponses(t.Context(), name, story)
	require.NoError(t, err)
	p := &study.Subject{Name: name, Voxels: m.Voxels}
	p.Parts[split] = []design.Rows{{Story: story, To: m.Rows}}
	p.Responses, err = responses.Standardise([]*dataset.Responses{r}, p.Parts[:],
		responses.Standardisation{ZScore: responses.ZScoreNone})
	require.NoError(t, err)
	require.NoError(t, p.Responses.Measure(t.Context()))
	return p
}
