package lebel

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/stored"
	"github.com/brainwavlm/bwlm/npy"
)

// smallTree copies the small data set, so that a test can change it.
func smallTree(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ds003020")
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(labtest.Dir(t), "ds003020"))))
	return dir
}

// listed lists a folder with sizes and times.
func listed(t *testing.T, dir string) (out []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		out = append(out, fmt.Sprint(path, info.Size(), info.ModTime()))
		return err
	}))
	return out
}

// numbers reads all values of an array as they are in the file.
func numbers(t *testing.T, path, array string, repeats, rows, voxels int) [][]float64 {
	t.Helper()
	from, err := imports.OpenArray(path, array)(t.Context())
	require.NoError(t, err)
	defer from.Close()
	out := make([][]float64, repeats*rows)
	for k := range out {
		out[k] = make([]float64, voxels)
		require.NoError(t, from.Next(out[k]))
	}
	return out
}

// What comes out has the values, the clock and the voxels of the source.
func TestTheSmallDataSetIsImported(t *testing.T) {
	source := smallTree(t)
	before := listed(t, source)
	defer func() { assert.Equal(t, before, listed(t, source), "nothing is written in the source") }()
	for _, dtype := range []elements.Kind{elements.Float32, elements.Float64} {
		f, err := Find(t.Context(), source, []string{"UTS00"}, nil)
		require.NoError(t, err)
		out := filepath.Join(t.TempDir(), "out")
		_, err = f.Import(t.Context(), imports.Options{Dir: out, DType: dtype})
		require.NoError(t, err)

		d, err := dataset.Open(out)
		require.NoError(t, err)
		assert.InDelta(t, 2, d.TR(), 0)
		assert.InDelta(t, .5, d.RowTime(), 0)
		assert.True(t, d.Spec().Trimmed)
		kept := []int{0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12} // voxel 4 is NaN in avatar
		for story, c := range map[string]struct {
			array         string
			repeats, rows int
		}{"souls": {"data", 1, 20}, "avatar": {"data", 1, 15}, "wheretheressmoke": {"individual_repeats", 3, 20}} {
			clock, err := d.Clock(story)
			require.NoError(t, err)
			assert.InDelta(t, 11, clock.Time(0), 1e-12, "the middle of the TR that begins at second 10")
			a, err := npy.Read(filepath.Join(out, "UTS00", story+".npy"))
			require.NoError(t, err)
			assert.Equal(t, string(dtype), string(a.DType))
			got, err := a.Float64()
			require.NoError(t, err)
			want := numbers(t, filepath.Join(source, "derivative/preprocessed_data/UTS00", story+".hf5"), c.array,
				c.repeats, c.rows, 13)
			require.Len(t, got, c.repeats*c.rows*12)
			for k, row := range want {
				for i, v := range kept {
					x := row[v]
					if dtype == elements.Float32 {
						x = float64(float32(x))
					}
					require.Equal(t, x, got[12*k+i], "%s, row %d, voxel %d", story, k, v)
				}
			}
			words, err := d.Words(t.Context(), story)
			require.NoError(t, err)
			assert.Equal(t, []dataset.Word{{Onset: 1.26961451247, Offset: 2.23741496599, Text: "so"}}, words)
			phones, err := d.Phones(t.Context(), story)
			require.NoError(t, err)
			assert.NotEmpty(t, phones)
		}
		places, err := d.Places(t.Context(), "UTS00")
		require.NoError(t, err)
		assert.True(t, places.XFastest)
		assert.Equal(t, kept, places.Vertices)
		var voxels imports.SubjectVoxels
		text, err := os.ReadFile(filepath.Join(out, "UTS00", "voxels.json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &voxels))
		assert.Equal(t, []imports.EmptyVoxel{{Column: 4, Stories: []string{"avatar"}}}, voxels.Empty)

		e, err := experiment.Load(filepath.Join(out, "experiment.yaml"))
		require.NoError(t, err)
		assert.Equal(t, out, e.Data.Path)
		assert.Equal(t, [2]int{}, e.Data.Trim)
		assert.Equal(t, experiment.ZScoreNone, e.Data.ZScore)
		assert.Equal(t, []string{"wheretheressmoke"}, []string(e.Data.Test))
	}
}

func TestLinkingCopiesNothing(t *testing.T) {
	source := smallTree(t)
	f, err := Find(t.Context(), source, []string{"UTS00"}, []string{"souls", "where*"})
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "out")
	_, err = f.Import(t.Context(), imports.Options{Dir: out, Link: true})
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(out, "*", "*.npy"))
	require.NoError(t, err)
	assert.Empty(t, files)
	d, err := dataset.Open(out)
	require.NoError(t, err)
	m, err := d.ReadResponses(t.Context(), "UTS00", "wheretheressmoke")
	require.NoError(t, err)
	assert.Equal(t, [3]int{3, 20, 13}, [3]int{m.Repeats, m.Rows, m.Voxels})
	words, err := d.Words(t.Context(), "souls")
	require.NoError(t, err)
	assert.Len(t, words, 1)

	f, err = Find(t.Context(), source, []string{"UTS00"}, nil)
	require.NoError(t, err)
	out = filepath.Join(t.TempDir(), "out")
	record, err := f.Import(t.Context(), imports.Options{Dir: out, Link: true})
	require.NoError(t, err)
	assert.Equal(t, 13, record.Voxels[0].Columns)
	assert.Equal(t, []imports.EmptyVoxel{{Column: 4, Stories: []string{"avatar"}}}, record.Voxels[0].Empty)
	d, err = dataset.Open(out)
	require.NoError(t, err)
	places, err := d.Places(t.Context(), "UTS00")
	require.NoError(t, err)
	assert.Nil(t, places.Vertices, "all columns are there")
	text, err := os.ReadFile(filepath.Join(out, "dataset.yaml"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "\n  UTS00: UTS00/empty.npy\n")
}

// Columns of the cortex are those voxels of the mask, x fastest, that are in the mask of the cortex, too.
func TestVoxelsOfTheCortex(t *testing.T) {
	source := smallTree(t)
	thick := filepath.Join(source, "derivative/pycortex-db/UTS00/transforms/UTS00_auto/mask_thick.nii.gz")
	f, err := Find(t.Context(), source, []string{"UTS00"}, []string{"souls"})
	require.NoError(t, err)
	path := filepath.Join(filepath.Dir(thick), "mask_cortical.nii.gz")
	faulttest.Require(t, fault.Missing, Cortical(f), "mask_cortical.nii.gz: there is no mask of the cortex")

	im, err := nifti.Read(thick)
	require.NoError(t, err)
	volume, err := cortex.ReadMask(thick, cortex.XFastest)
	require.NoError(t, err)
	values, inside := im.Float32(), make([]float32, len(im.Float32()))
	var want []int
	column := 0
	for i, x := range values { // as in the file: x fastest
		if i%2 == 0 {
			inside[i] = 1 // some of them outside the mask
		}
		if x != 0 {
			if i%2 == 0 {
				want = append(want, column)
			}
			column++
		}
	}
	require.NotEmpty(t, want)
	require.Less(t, len(want), 13)
	file, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, nifti.NewFloat(im.Dim, volume.Affine, inside).WriteGzip(file))
	require.NoError(t, file.Close())
	require.NoError(t, Cortical(f))
	out := filepath.Join(t.TempDir(), "out")
	_, err = f.Import(t.Context(), imports.Options{Dir: out, DType: elements.Float64})
	require.NoError(t, err)
	a, err := npy.Read(filepath.Join(out, "UTS00", "souls.npy"))
	require.NoError(t, err)
	got, err := a.Float64()
	require.NoError(t, err)
	rows := numbers(t, filepath.Join(source, "derivative/preprocessed_data/UTS00/souls.hf5"), "data", 1, 20, 13)
	for k, row := range rows {
		for i, v := range want {
			require.Equal(t, row[v], got[k*len(want)+i], "row %d, voxel %d", k, v)
		}
	}
	d, err := dataset.Open(out)
	require.NoError(t, err)
	places, err := d.Places(t.Context(), "UTS00")
	require.NoError(t, err)
	assert.True(t, places.XFastest)
	assert.Equal(t, want, places.Vertices, "columns of the mask")
}

// Content that was not fetched is counted, and one command fetches it.
func TestContentThatIsNotThere(t *testing.T) {
	source := smallTree(t)
	f, err := Find(t.Context(), source, []string{"UTS01"}, nil)
	require.NoError(t, err)
	file := filepath.Join(source, "derivative/preprocessed_data/UTS01/souls.hf5")
	faulttest.Require(t, fault.Missing, f.Complete(),
		"derivative/preprocessed_data/UTS01/souls.hf5, 156.4 MB; run `datalad "+
			"get -d "+source+" "+file+"`")
	_, err = f.Import(t.Context(), imports.Options{Dir: filepath.Join(t.TempDir(), "out")})
	faulttest.Require(t, fault.Missing, err, "156.4 MB")

	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Symlink("../../../.git/annex/objects/jm/X1/MD5E-s9--d6.hf5/MD5E-s9--d6.hf5", file))
	f, err = Find(t.Context(), source, []string{"UTS01"}, nil)
	require.NoError(t, err)
	faulttest.Require(t, fault.Missing, f.Complete(), "souls.hf5, 9 bytes")
}

// A digest that git-annex lists is compared with what is read.
func TestDigestsOfGitAnnexAreCompared(t *testing.T) {
	source := smallTree(t)
	file := filepath.Join(source, "derivative/preprocessed_data/UTS00/souls.hf5")
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	key := fmt.Sprintf("MD5E-s%d--%x.hf5", len(content), md5.Sum(content))
	object := filepath.Join(source, ".git/annex/objects/a/b", key, key)
	require.NoError(t, os.MkdirAll(filepath.Dir(object), 0o755))
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Symlink(filepath.Join("../../../.git/annex/objects/a/b", key, key), file))
	for _, flipped := range []int{-1, 2100, len(content) - 1} {
		changed := append([]byte(nil), content...)
		if flipped >= 0 {
			changed[flipped] ^= 1
		}
		require.NoError(t, os.WriteFile(object, changed, 0o600))
		for _, link := range []bool{false, true} {
			f, err := Find(t.Context(), source, []string{"UTS00"}, []string{"souls"})
			require.NoError(t, err)
			record, err := f.Import(t.Context(), imports.Options{Dir: filepath.Join(t.TempDir(), "out"), Link: link})
			if flipped >= 0 {
				faulttest.Require(t, fault.BadData, err,
					"souls.hf5: the content is not what the data set lists: its MD5 is")
				continue
			}
			require.NoError(t, err)
			assert.True(t, record.Files[0].Checked)
			assert.Equal(t, key, record.Files[0].Sources[0].Key)
		}
	}
}

func TestSourcesThatAreWrong(t *testing.T) {
	change := func(name string, do func(path string)) string {
		source := smallTree(t)
		do(filepath.Join(source, name))
		return source
	}
	write := func(text string) func(string) {
		return func(path string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	}
	copied := func(file string) func(string) {
		return func(path string) {
			content, err := os.ReadFile(filepath.Join(labtest.Dir(t), file))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, content, 0o600))
		}
	}
	souls := "derivative/preprocessed_data/UTS00/souls.hf5"
	for want, source := range map[string]string{
		"20 rows, respdict.json says 41 − 20 = 21; the file is of another story": change("derivative/respdict.json",
			write(`{"souls": 41, "avatar": 35, "wheretheressmoke": 40}`)),
		"respdict.json: story souls has 4611686018427387904 TRs": change("derivative/respdict.json",
			write(`{"souls": 4611686018427387904, "avatar": 35, "wheretheressmoke": 40}`)),
		"12 rows, respdict.json says 40 − 20 = 20": change(souls, copied("hdf5/lebel_story.hf5")),
		"the array was never written":              change(souls, copied("hdf5/never_written.h5")),
		"is transposed": change("derivative/respdict.json",
			write(`{"souls": 33, "avatar": 35, "wheretheressmoke": 40}`)),
		"data: there is no such array": change(souls, copied("hdf5/many_stories.h5")),
		"rows end at second 50 of the recording, which has": change("stimuli/souls.wav", func(path string) {
			require.NoError(t, audio.WriteWAV(path, make([]float32, 40*audio.Rate), audio.Rate, audio.PCM16))
		}),
		"the mask has 9 voxels, the responses of subject UTS00 have 13": change(
			"derivative/pycortex-db/UTS00/transforms/UTS00_auto/mask_thick.nii.gz", smallMask(t)),
		"row 0, voxel 0: the mean of individual_repeats is": change(
			"derivative/preprocessed_data/UTS00/wheretheressmoke.hf5", func(path string) {
				f, err := arrayfile.Open(path)
				require.NoError(t, err)
				defer f.Close()
				at := slices.IndexFunc(f.Arrays(), func(a stored.Array) bool { return a.Name == "data" })
				file, err := os.OpenFile(path, os.O_WRONLY, 0)
				require.NoError(t, err)
				defer file.Close()
				_, err = file.WriteAt(make([]byte, 8), f.Arrays()[at].Offset)
				require.NoError(t, err)
			}),
		"a npy file, want": change(souls, copied("truth/X.npy")),
	} {
		_, err := Find(t.Context(), source, []string{"UTS00"}, nil)
		if strings.HasPrefix(want, "a npy file") {
			require.Equal(t, fault.BadData, fault.KindOf(err))
			assert.ErrorContains(t, err, ".npy file")
			continue
		}
		faulttest.Require(t, fault.BadData, err, want)
	}
	_, err := Find(t.Context(), t.TempDir(), nil, nil)
	faulttest.Require(t, fault.Missing, err, "respdict.json", "name the folder of ds003020")
	_, err = Find(t.Context(), smallTree(t), []string{"UTS0?", "UTS9*"}, nil)
	faulttest.Require(t, fault.Missing, err, "there is no subject UTS9*; there are UTS00, UTS01")
	source := change("stimuli/souls.wav", func(path string) {
		require.NoError(t, os.Rename(path, filepath.Join(filepath.Dir(path), "auditory_localizer.wav")))
	})
	f, err := Find(t.Context(), source, []string{"UTS00"}, nil)
	require.NoError(t, err)
	assert.Equal(t, "stimuli/souls.wav", f.LeftOut[0].File)
	assert.Len(t, f.Stories, 2)
	assert.Contains(t, f.Notes, "there are recordings without responses: auditory_localizer")
	for _, story := range []string{"avatar", "wheretheressmoke"} {
		require.NoError(t, os.Remove(filepath.Join(source, "stimuli", story+".wav")))
	}
	_, err = Find(t.Context(), source, []string{"UTS00"}, nil)
	faulttest.Require(t, fault.Missing, err, "no story has a recording in stimuli; get the folder stimuli")
	source = smallTree(t)
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("a", 64) + "\nsize 12345\n"
	require.NoError(t, os.WriteFile(filepath.Join(source, souls), []byte(pointer), 0o600))
	f, err = Find(t.Context(), source, []string{"UTS00"}, nil)
	require.NoError(t, err)
	faulttest.Require(t, fault.Missing, f.Complete(), "UTS00/souls.hf5, 12.3 KB; run `git lfs pull`")
	require.NoError(t, os.Rename(filepath.Join(source, "derivative"), filepath.Join(source, "derivatives")))
	_, err = Find(t.Context(), source, []string{"UTS00"}, nil)
	require.NoError(t, err)
}
