package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/slowtest"
	"github.com/brainwavlm/bwlm/npy"
)

// memory is rows of a test; opened counts who opened them.
type memory struct {
	rows   [][]float64
	opened int
	at     int
}

func (m *memory) open(context.Context) (Rows, error) {
	m.opened++
	m.at = 0
	return m, nil
}

func (m *memory) Next(dst []float64) error {
	if m.at == len(m.rows) {
		return io.EOF
	}
	copy(dst, m.rows[m.at])
	m.at++
	return nil
}

func (m *memory) Close() error { return nil }

// made is a data set of one subject and stories of ten rows of four voxels.
func made(t *testing.T, stories ...string) (*Found, map[string]*memory) {
	t.Helper()
	source := t.TempDir()
	f, err := Start("test", source)
	require.NoError(t, err)
	f.TR = 2
	s := Subject{Name: "s1"}
	data := map[string]*memory{}
	for i, name := range stories {
		path := filepath.Join(source, name+".wav")
		require.NoError(t, audio.WriteWAV(path, make([]float32, 20*audio.Rate), audio.Rate, audio.Float32))
		f.Stories = append(f.Stories, Story{Name: name, Audio: path})
		m := &memory{}
		for k := range 10 {
			m.rows = append(m.rows, []float64{float64(k), float64(k*i) / 3, -1, math.Sin(float64(k + i))})
		}
		data[name] = m
		file := filepath.Join(source, name+".bin")
		require.NoError(t, os.WriteFile(file, []byte(name), 0o600))
		s.Responses = append(s.Responses, Response{Story: name, File: file, Shape: []int{10, 4}, Open: m.open})
	}
	f.Subjects = []Subject{s}
	return f, data
}

// contents reads all files below a folder, but for the record, which has times in it.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == recordName {
			return err
		}
		text, err := os.ReadFile(path)
		out[relative(dir, path)] = string(text)
		return err
	}))
	return out
}

// requireSame compares the files of a folder with what they should hold.
func requireSame(t *testing.T, want map[string]string, dir, what string) {
	t.Helper()
	got := contents(t, dir)
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)), what)
	for name := range want {
		require.True(t, want[name] == got[name], "%s: %s differs", what, name)
	}
}

func TestValuesThatAreNotFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	column := func(m *memory, v int, x float64) {
		for _, row := range m.rows {
			row[v] = x
		}
	}
	importing := func(change func(map[string]*memory, *Found)) (string, *Record, error) {
		f, data := made(t, "a", "b", "c")
		change(data, f)
		dir := filepath.Join(t.TempDir(), "out")
		record, err := f.Import(t.Context(), Options{Dir: dir})
		return dir, record, err
	}
	dir, record, err := importing(func(m map[string]*memory, _ *Found) {
		column(m["b"], 1, nan)
		column(m["c"], 2, nan)
	})
	require.NoError(t, err)
	assert.Equal(t, 2, record.Voxels[0].Columns)
	assert.Equal(t, []EmptyVoxel{{1, []string{"b"}}, {2, []string{"c"}}}, record.Voxels[0].Empty)
	for _, story := range []string{"a", "b", "c"} {
		a, err := npy.Read(filepath.Join(dir, "s1", story+".npy"))
		require.NoError(t, err)
		assert.Equal(t, []int{10, 2}, a.Shape)
	}
	kept, err := npy.Read(filepath.Join(dir, "s1", "columns.npy"))
	require.NoError(t, err)
	columns, err := kept.Float64()
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 3}, columns)

	dir, record, err = importing(func(m map[string]*memory, f *Found) {
		column(m["b"], 1, nan)
		f.Subjects[0].KeepNaN = true
	})
	require.NoError(t, err)
	assert.Equal(t, 4, record.Voxels[0].Columns)
	assert.Equal(t, []EmptyVoxel{{1, []string{"b"}}}, record.Voxels[0].Empty)
	assert.NoFileExists(t, filepath.Join(dir, "s1", "columns.npy"))

	for want, change := range map[string]func(map[string]*memory, *Found){
		"story b: row 7, voxel 2 is not a finite number (3 such values in 2 voxels that": func(m map[string]*memory,
			_ *Found) {
			m["b"].rows[7][2], m["b"].rows[8][2], m["b"].rows[9][0] = nan, nan, nan
		},
		"row 0, voxel 3 is not a finite number (1 such": func(m map[string]*memory,
			_ *Found) {
			m["a"].rows[0][3] = nan
		},
		"voxel 1 is not a finite number (10 such values in 1 voxels": func(m map[string]*memory, _ *Found) {
			column(m["a"], 1, inf)
		},
		"row 2, voxel 0: 1e+39 is too large for a 32-bit float": func(m map[string]*memory, _ *Found) {
			m["c"].rows[2][0] = 1e39
		},
		"no voxel has a number": func(m map[string]*memory, _ *Found) {
			for v := range 4 {
				column(m["b"], v, nan)
			}
		},
		"subject s1, story ../a: names have none of": func(_ map[string]*memory, f *Found) {
			f.Subjects[0].Responses[0].Story = "../a"
		},
		"has no voxel with numbers in all stories": func(m map[string]*memory, _ *Found) {
			for v := range 2 {
				column(m["b"], v, nan)
				column(m["c"], v+2, nan)
			}
		},
		"ends after 9 rows, want 10": func(m map[string]*memory, _ *Found) { m["a"].rows = m["a"].rows[1:] },
		"goes on after 10 rows": func(m map[string]*memory, _ *Found) {
			m["a"].rows = append(m["a"].rows,
				make([]float64, 4))
		},
	} {
		dir, _, err := importing(change)
		faulttest.Require(t, fault.BadData, err, want)
		assert.NoDirExists(t, dir)
	}
}

// An import that was ended goes on where it was, and what it makes is the same.
func TestAnImportGoesOn(t *testing.T) {
	f, data := made(t, "a", "b", "c")
	for _, row := range data["c"].rows {
		row[1] = math.NaN() // so that a and b are written again
	}
	whole := filepath.Join(t.TempDir(), "out")
	_, err := f.Import(t.Context(), Options{Dir: whole})
	require.NoError(t, err)

	dir := filepath.Join(t.TempDir(), "out")
	ctx, stop := context.WithCancelCause(t.Context())
	ended := errors.New("ended")
	_, err = f.Import(ctx, Options{Dir: dir, Progress: func(_ string, done, _ int, _ string) {
		if done == 15 {
			stop(ended)
		}
	}})
	require.ErrorIs(t, err, ended)
	assert.NoDirExists(t, dir)
	assert.DirExists(t, dir+".tmp")
	for _, m := range data {
		m.opened = 0
	}
	first := -1
	_, err = f.Import(t.Context(), Options{Dir: dir, Progress: func(_ string, done, total int, _ string) {
		if first < 0 {
			first = done
		}
		assert.Equal(t, 30, total)
	}})
	require.NoError(t, err)
	assert.Equal(t, 10, first)
	assert.Equal(t, [3]int{0, 1, 1}, [3]int{data["a"].opened, data["b"].opened, data["c"].opened})
	assert.NoDirExists(t, dir+".tmp")
	requireSame(t, contents(t, whole), dir, "an import that went on")

	// A source that changed is read again, and other numbers are written anew.
	again := filepath.Join(t.TempDir(), "out")
	ctx, stop = context.WithCancelCause(t.Context())
	_, err = f.Import(ctx, Options{Dir: again, Progress: func(_ string, done, _ int, _ string) {
		if done == 25 {
			stop(ended)
		}
	}})
	require.ErrorIs(t, err, ended)
	require.NoError(t, os.WriteFile(filepath.Join(again+".tmp", "s1", "old.npy"), nil, 0o600))
	require.NoError(t, os.WriteFile(f.Subjects[0].Responses[0].File, []byte("A!"), 0o600))
	for _, m := range data {
		m.opened = 0
	}
	_, err = f.Import(t.Context(), Options{Dir: again})
	require.NoError(t, err)
	assert.Equal(t, [3]int{1, 0, 1}, [3]int{data["a"].opened, data["b"].opened, data["c"].opened})
	requireSame(t, contents(t, whole), again, "what is left of another import is removed")
}

// Whatever step of the disk fails, nothing is half there, and the next call makes all of it.
func TestEachStepMayFail(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	f, data := made(t, "a", "b")
	for _, row := range data["b"].rows {
		row[0] = math.NaN()
	}
	whole := filepath.Join(t.TempDir(), "out")
	n := 0
	disk.Step = func(disk.Op, string) error { n++; return nil }
	defer func() { disk.Step = nil }()
	_, err := f.Import(t.Context(), Options{Dir: whole})
	require.NoError(t, err)
	steps := n
	want := contents(t, whole)
	every := 11
	if slowtest.Thorough {
		every = 1
	}
	for failing := 1; failing <= steps; failing += every {
		dir := filepath.Join(t.TempDir(), "out")
		n = 0
		disk.Step = func(disk.Op, string) error {
			if n++; n == failing {
				return syscall.ENOSPC
			}
			return nil
		}
		_, err := f.Import(t.Context(), Options{Dir: dir})
		if err == nil { // such as removing a temporary file after a failure
			continue
		}
		require.Equal(t, fault.IO, fault.KindOf(err), "step %d: %v", failing, err)
		if _, err := os.Stat(dir); err == nil { // the last step, after the folder has its name
			requireSame(t, want, dir, fmt.Sprint("step ", failing))
			continue
		}
		disk.Step = nil
		_, err = f.Import(t.Context(), Options{Dir: dir})
		require.NoError(t, err, "step %d", failing)
		requireSame(t, want, dir, fmt.Sprint("step ", failing))
	}
	assert.Greater(t, steps, 60)
}

func TestFoldersThatAreThere(t *testing.T) {
	f, _ := made(t, "a", "b", "c")
	dir := filepath.Join(t.TempDir(), "out")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	_, err := f.Import(t.Context(), Options{Dir: dir})
	require.NoError(t, err, "an empty folder is none")
	_, err = f.Import(t.Context(), Options{Dir: dir})
	faulttest.Require(t, fault.Exists, err, "is there already")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "own"), nil, 0o600))
	_, err = f.Import(t.Context(), Options{Dir: dir, Force: true})
	faulttest.Require(t, fault.Exists, err, "holds own, which no import made")
	require.NoError(t, os.Remove(filepath.Join(dir, "own")))
	record, err := f.Import(t.Context(), Options{Dir: dir, Force: true, DType: elements.Float64})
	require.NoError(t, err)
	assert.Equal(t, 2, record.Files[0].Values.Constant, "voxels 1 and 2 of story a")
	assert.Equal(t, elements.Float64, record.DType)
	require.NoError(t, os.Remove(filepath.Join(dir, recordName)))
	_, err = f.Import(t.Context(), Options{Dir: dir, Force: true})
	faulttest.Require(t, fault.Exists, err, "no import made it")

	other := filepath.Join(t.TempDir(), "out")
	f.Subjects[0].Responses[0].Open = func(ctx context.Context) (Rows, error) {
		g, _ := made(t, "a", "b", "c")
		_, err := g.Import(ctx, Options{Dir: other})
		faulttest.Require(t, fault.Exists, err, "another import is at work there")
		return nil, err
	}
	_, err = f.Import(t.Context(), Options{Dir: other})
	require.Error(t, err)

	f.Subjects[0].Responses[0].Shape = []int{1 << 20, 1 << 26}
	_, err = f.Import(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "out")})
	faulttest.Require(t, fault.IO, err, "GB of disk, ", "free some space")
	f.Subjects[0].Responses[0].Shape = []int{10, 4}
	_, err = f.Import(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "out"), Link: true})
	faulttest.Require(t, fault.BadData, err, "cannot be read where they lie", "copy them")
}
