package tune_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/slowtest"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// ranksVariable makes the test binary a rank, which writes its digests to the file that it names.
const ranksVariable = "BWLM_BRAIN_TEST_RANK"

// digests are hashes of results by name. A result that several ranks have must have the same bytes on all.
type digests map[string]string

func (d digests) add(name string, values any) {
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, values); err != nil {
		panic(err)
	}
	d[name] = fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// ranks runs this test as ranks in processes of their own, where child fills the digests, and returns those of all.
// In a rank it does not return.
func ranks(t *testing.T, child func(t *testing.T, g *dist.Group, d digests), worlds ...int) (out []digests) {
	t.Helper()
	if file := os.Getenv(ranksVariable); file != "" {
		env, err := dist.FromEnv()
		require.NoError(t, err)
		g, err := dist.Join(t.Context(), env)
		require.NoError(t, err)
		defer g.Close()
		d := digests{}
		child(t, g, d)
		text, err := json.Marshal(d)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, 0o644))
		t.SkipNow()
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for _, world := range worlds {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		port := l.Addr().(*net.TCPAddr).Port
		require.NoError(t, l.Close())
		dir := t.TempDir()
		var all []*exec.Cmd
		said := make([]strings.Builder, world)
		for rank := range world {
			cmd := exec.Command(self, "-test.run", "^"+t.Name()+"$")
			cmd.Env = append(os.Environ(), "RANK="+strconv.Itoa(rank), "WORLD_SIZE="+strconv.Itoa(world),
				"MASTER_ADDR=127.0.0.1", "MASTER_PORT="+strconv.Itoa(port), "BWLM_DIST_TIMEOUT=2m",
				ranksVariable+"="+filepath.Join(dir, strconv.Itoa(rank)))
			cmd.Stdout, cmd.Stderr = &said[rank], &said[rank]
			require.NoError(t, cmd.Start())
			all = append(all, cmd)
		}
		together := digests{}
		for rank, cmd := range all {
			assert.NoError(t, cmd.Wait(), "rank %d of %d: %s", rank, world, &said[rank])
		}
		for rank := range all {
			text, err := os.ReadFile(filepath.Join(dir, strconv.Itoa(rank)))
			require.NoError(t, err, said[rank].String())
			one := digests{}
			require.NoError(t, json.Unmarshal(text, &one))
			for name, digest := range one {
				if other, ok := together[name]; ok {
					assert.Equal(t, other, digest, "%s of rank %d of %d", name, rank, world)
				}
				together[name] = digest
			}
		}
		out = append(out, together)
	}
	return out
}

// sameForAll asserts that results do not depend on the number of ranks.
func sameForAll(t *testing.T, child func(t *testing.T, g *dist.Group, d digests)) {
	t.Helper()
	worlds := []int{1, 2, 4}
	all := ranks(t, child, worlds...)
	require.NotEmpty(t, all[0])
	for i, d := range all[1:] {
		assert.Equal(t, all[0], d, "%d ranks", worlds[1+i])
	}
}

// A training of two epochs that four ranks begin, two continue, one continues after them, and four end leaves the bytes
// of an unbroken one. Each stops after some steps.
func TestRunsContinueWithAnotherNumberOfRanks(t *testing.T) {
	if !slowtest.Thorough {
		t.Skip("make slow runs it; the tests of the command continue with another number of ranks, too")
	}
	dir := os.Getenv(sharedVariable)
	if dir == "" {
		dir = t.TempDir()
		require.NoError(t, studytest.TinyModel(t.Context(), filepath.Join(dir, "model")))
		t.Setenv(sharedVariable, dir)
	}
	child := func(t *testing.T, g *dist.Group, _ digests) {
		narrow(t)
		e := studytest.Resumed(dir, filepath.Join(dir, os.Getenv(runVariable)))
		e.Train.KeepEpochs = true
		stop, err := strconv.Atoi(os.Getenv(stopVariable))
		require.NoError(t, err)
		err = studytest.TrainByRanks(t.Context(), e, g, stop)
		if stop > 0 {
			require.ErrorIs(t, err, studytest.ErrStop)
		} else {
			require.NoError(t, err)
		}
	}
	part := func(run string, world, stop int) {
		if os.Getenv(ranksVariable) == "" {
			t.Setenv(runVariable, run)
			t.Setenv(stopVariable, strconv.Itoa(stop))
		}
		ranks(t, child, world)
	}
	part("whole", 1, 0)
	part("parts", 4, 2)
	part("parts", 2, 3)
	part("parts", 1, 2)
	part("parts", 4, 0)
	studytest.Same(t, studytest.Outcome(t, filepath.Join(dir, "whole")), filepath.Join(dir, "parts"))
	files, err := filepath.Glob(filepath.Join(dir, "parts", "ckpt", "step-*", "voxels-ada-00003.safetensors"))
	require.NoError(t, err)
	assert.NotEmpty(t, files)
}

// Variables of the ranks of that test.
const (
	sharedVariable = "BWLM_BRAIN_TEST_SHARED"
	runVariable    = "BWLM_BRAIN_TEST_RUN"
	stopVariable   = "BWLM_BRAIN_TEST_STOP"
)

// narrow makes blocks of voxels of 16.
func narrow(t *testing.T) {
	was := columns.Width
	columns.Width = 16
	t.Cleanup(func() { columns.Width = was })
}

// Each rank scores some blocks of voxels, and all have the scores of all.
func TestValidationByRanks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	sameForAll(t, func(t *testing.T, g *dist.Group, d digests) {
		narrow(t)
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Subjects = []string{"ada", "bob", "cleo"}
		})
		var voxels [][]int
		for _, p := range st.Subjects {
			voxels = append(voxels, p.Columns())
		}
		voxels[1] = voxels[1][:40]
		f, err := encoding.Read(t.Context(), st, st.Reader(st.Model), "", st.StoriesOf(study.Splits...), 2)
		require.NoError(t, err)
		scores, err := encoding.Validation(t.Context(), st, f, voxels, nil, g)
		require.NoError(t, err)
		alphas := make([][]float64, len(scores))
		for i, s := range scores {
			require.Len(t, s.R, len(voxels[i]))
			require.Equal(t, voxels[i], s.Columns)
			d.add(fmt.Sprintf("r of %d", i), s.R)
			d.add(fmt.Sprintf("alphas of %d", i), s.Alphas)
			d.add(fmt.Sprintf("constant of %d", i), s.Constant)
			alphas[i] = make([]float64, len(s.R))
			for v := range alphas[i] {
				alphas[i][v] = float64(10 + v%3)
			}
		}
		given, err := encoding.Validation(t.Context(), st, f, voxels, alphas, g)
		require.NoError(t, err)
		for i, s := range given {
			d.add(fmt.Sprintf("r of %d with given alphas", i), s.R)
			require.Equal(t, alphas[i], s.Alphas)
		}
	})
}
