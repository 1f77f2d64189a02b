package evaluate_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
)

// withEmpty puts columns of NaN into the responses of subjects, at places among the columns that are then there, and
// says so.
func withEmpty(t *testing.T, s *dataset.Spec, empty map[string][]int) {
	t.Helper()
	for i := range s.Subjects {
		p := &s.Subjects[i]
		at := empty[p.Name]
		if at == nil {
			continue
		}
		p.Empty = dataset.Value(dataset.Region{Columns: at})
		p.Responses = slices.Clone(p.Responses)
		for k := range p.Responses {
			m, err := p.Responses[k].Matrix.Load(t.Context())
			require.NoError(t, err)
			var data []float32
			for row := range m.Rows {
				old := m.Row(0, row)
				for c := range m.Voxels + len(at) {
					if slices.Contains(at, c) {
						data = append(data, float32(math.NaN()))
						continue
					}
					data, old = append(data, old[0]), old[1:]
				}
			}
			p.Responses[k].Matrix = dataset.Value(dataset.NewMatrix(m.Rows, m.Voxels+len(at), data))
		}
	}
}

// Two subjects with NaN in different columns train together, and everything that is found is what is found without
// those columns, to the last bit: the summary with its regions, and every file of voxels. Empty ones have no score.
func TestEmptyColumnsChangeNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	empty := map[string][]int{"ada": {0, 17, 18, 62}, "bob": {3, 54}}
	fit := func(change func(*experiment.Experiment, *dataset.Spec)) (dir string, summary map[string]any) {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
			e.Data.Subjects = []string{"ada", "bob"}
			s.ROIs = nil
			change(e, s)
		})
		run, _ := studytest.MustFit(t, st)
		_, err := evaluate.EvaluateRun(t.Context(), st, run)
		require.NoError(t, err)
		text, err := os.ReadFile(run.File("eval/summary.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &summary))
		return run.File("eval/test"), summary
	}
	roi := func(columns map[string][]int) []dataset.ROI {
		r := dataset.ROI{Name: "some"}
		for _, name := range []string{"ada", "bob"} {
			r.BySubject = append(r.BySubject, dataset.SubjectRegion{Subject: name,
				Region: dataset.Value(dataset.Region{Columns: columns[name]})})
		}
		return []dataset.ROI{r}
	}
	without, want := fit(func(_ *experiment.Experiment, s *dataset.Spec) {
		s.ROIs = roi(map[string][]int{"ada": {0, 16, 17}, "bob": {2, 3}})
	})
	with, got := fit(func(_ *experiment.Experiment, s *dataset.Spec) {
		withEmpty(t, s, empty)
		s.ROIs = roi(map[string][]int{"ada": {0, 1, 17, 19, 20}, "bob": {2, 3, 4}})
	})
	assert.Equal(t, want["test"], got["test"])
	for _, name := range []string{"ada", "bob"} {
		files, err := filepath.Glob(filepath.Join(without, name, "*.npy"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			old, x := readNPY(t, file), readNPY(t, filepath.Join(with, name, filepath.Base(file)))
			voxels := map[string]int{"ada": 64, "bob": 55}[name]
			var kept []float32
			for i, v := range x {
				switch {
				case !slices.Contains(empty[name], i%voxels):
					kept = append(kept, v)
				case strings.HasSuffix(file, "_r.npy"):
					assert.Zero(t, v, "%s: no score", file)
				case strings.HasSuffix(file, "_p.npy"), strings.HasSuffix(file, "_q.npy"):
					assert.Equal(t, float32(1), v, file)
				}
			}
			assert.Equal(t, old, kept, file)
		}
	}
}

// An ROI that some subjects do not have is not scored and noted; one that the experiment names must be there.
func TestROIsOfSomeSubjects(t *testing.T) {
	some := func(e *experiment.Experiment, s *dataset.Spec) {
		e.Data.Subjects = []string{"ada", "bob"}
		s.ROIs = append(s.ROIs, dataset.ROI{Name: "AC", BySubject: []dataset.SubjectRegion{{Subject: "ada",
			Region: dataset.Value(dataset.Region{Columns: []int{5}})}}})
	}
	st := studytest.Tiny(t, study.Options{}, some)
	assert.Contains(t, st.Notes, "not scored, since bob does not have them: ROIs AC")
	groups, err := st.Groups(t.Context())
	require.NoError(t, err)
	require.Len(t, groups, 3)
	assert.Equal(t, "front", groups[2].Name)

	st = studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		some(e, s)
		e.Data.Subjects = []string{"ada"}
	})
	groups, err = st.Groups(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "AC", groups[3].Name, "all have it")

	_, err = studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		some(e, s)
		e.Data.ROI = []string{"AC"}
	})
	assert.ErrorContains(t, err, "it is not given for subject bob, only for ada")
}
