package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/npy"
)

// arraysOf writes the recordings and the responses of a data set into a folder, as .npy in a folder for each subject.
func arraysOf(t *testing.T, data, dir string) {
	t.Helper()
	d, err := dataset.Open(data)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "stimuli"), 0o755))
	for _, story := range d.Stories() {
		sound, err := os.ReadFile(filepath.Join(data, story+".wav"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "stimuli", story+".wav"), sound, 0o644))
		for _, subject := range d.SubjectNames() {
			m, err := d.ReadResponses(t.Context(), subject, story)
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(filepath.Join(dir, subject), 0o755))
			path := filepath.Join(dir, subject, "task-"+story+"_bold.npy")
			require.NoError(t, npy.Write(path, []int{m.Rows, m.Voxels}, m.Data))
		}
	}
}

func TestArraysOfVoxelsByTRs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "study")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "s1"), 0o755))
	require.NoError(t, audio.WriteWAV(filepath.Join(dir, "a.wav"), make([]float32, 40*audio.Rate), audio.Rate,
		audio.PCM16))
	values := make([]float32, 300*20)
	for i := range values {
		values[i] = float32(i)
	}
	require.NoError(t, npy.Write(filepath.Join(dir, "s1", "a.npy"), []int{300, 20}, values))
	out := filepath.Join(t.TempDir(), "out")
	code, _, stderr := call(t, "import", "arrays", dir, "--tr", "2", "--out", out)
	assert.Equal(t, 65, code)
	assert.Contains(t, stderr, "300 × 20 looks transposed")
	assert.Contains(t, stderr, "import it with --transpose")
	code, stdout, stderr := call(t, "import", "arrays", dir, "--tr", "2", "--transpose", "--out", out)
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^s1 +a +1 +20 +300 `, stdout)
	a, err := npy.Read(filepath.Join(out, "s1", "a.npy"))
	require.NoError(t, err)
	assert.Equal(t, []int{20, 300}, a.Shape)
	got, err := a.Float64()
	require.NoError(t, err)
	assert.InDelta(t, 20, got[1], 0)
	code, stdout, stderr = call(t, "import", "arrays", dir, "--tr", "2", "--transpose", "--dry-run")
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^s1 +a +1 +20 +300 `, stdout)
	assert.NotContains(t, stdout, "\ntr_seconds", "no description")
	code, _, stderr = call(t, "import", "arrays", dir, "--tr", "2", "--transpose", "--link", "--out", out+"2")
	assert.Equal(t, 65, code)
	assert.Contains(t, stderr, "copy them: --copy")
}

// A clock is printed once, and for the subjects whose clock differs.
func TestClocksThatArePrinted(t *testing.T) {
	subject := func(name, derived string) imports.Subject {
		return imports.Subject{Name: name, Responses: []imports.Response{{Story: "a", Derived: derived}}}
	}
	var out strings.Builder
	printClocks(&out, &imports.Found{Subjects: []imports.Subject{subject("s1", "onset 3 s"), subject("s2", "onset 3 s"),
		subject("s3", "onset 1.5 s"), subject("s4", "")}})
	assert.Equal(t, "Clock of a: onset 3 s.\nClock of a in s3: onset 1.5 s.\n", out.String())
}

// What is not as it lies in the file is copied, unless links are asked for.
func TestScaledArraysAreCopied(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	data, err := os.ReadFile(filepath.Join(labtest.Dir(t), "hdf5/int16_scaled.h5"))
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll("study/s1", 0o755))
	require.NoError(t, os.WriteFile("study/s1/souls.h5", data, 0o644))
	require.NoError(t, audio.WriteWAV("study/souls.wav", make([]float32, 240*4000), 4000, audio.PCM16))
	args := []string{"import", "arrays", "study", "--tr", "20", "--check=false", "--scale"}
	code, stdout, stderr := call(t, append(args, "--dry-run")...)
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^s1 +souls +1 +12 +7 +s1/souls.h5$`, stdout)
	assert.Contains(t, stdout, "A copy needs ")
	code, _, stderr = call(t, append(args, "--out", "out")...)
	require.Zero(t, code, stderr)
	assert.FileExists(t, "out/s1/souls.npy")
	code, _, stderr = call(t, append(args, "--link", "--out", "linked")...)
	assert.Equal(t, 65, code)
	assert.Contains(t, stderr, "cannot be read where they lie")
}

// What is left out, noted or worth knowing is printed.
func TestWhatAnImportPrints(t *testing.T) {
	t.Chdir(t.TempDir())
	nan := float32(math.NaN())
	for subject, empty := range map[string]float32{"s1": nan, "s2": 2} {
		values := make([]float32, 10*4)
		for i := range values {
			values[i] = []float32{float32(i * i % 7), empty, 3, float32(i)}[i%4]
		}
		require.NoError(t, os.MkdirAll("study/"+subject, 0o755))
		require.NoError(t, npy.Write("study/"+subject+"/a.npy", []int{10, 4}, values))
	}
	require.NoError(t, npy.Write("study/s2/b.npy", []int{10, 4}, make([]float32, 40)))
	for _, name := range []string{"a.wav", "b.wav"} {
		require.NoError(t, audio.WriteWAV("study/"+name, make([]float32, 20*4000), 4000, audio.PCM16))
	}
	require.NoError(t, os.WriteFile("study/readme.md", []byte("x"), 0o644))
	args := []string{"import", "arrays", "study", "--tr", "2", "--stories", "b", "--check=false"}
	code, stdout, stderr := call(t, append(args, "--out", "b")...)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "\nNote: subject s1 has responses to none of the stories, and is left out.\n")
	assert.Contains(t, stdout, "\nLeft out: readme.md: neither a file of arrays nor a recording (.wav, .flac, .mp3).\n")
	assert.Contains(t, stdout, "\nConstant: 4 of 4 voxels of s2 in story b, which score 0.\n")
	args[6] = "a"
	code, stdout, stderr = call(t, append(args, "--copy", "--out", "a")...)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "\nLeft out: 1 of 4 voxels of s1, which are NaN in all rows of a story.\n")
	assert.Contains(t, stdout, "\nConstant: 2 of 4 voxels of s2 in story a, which score 0.\n")
	assert.NotContains(t, stdout, "Empty")
	code, stdout, stderr = call(t, append(args, "--out", "linked")...)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "\nEmpty: 1 of 4 voxels of s1, which are NaN in all rows of a story.\n")
	assert.NotContains(t, stdout, "Left out: 1 of 4")
}

func TestAFolderOfArraysBecomesATraining(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	arrays, out := filepath.Join(dir, "arrays"), filepath.Join(dir, "imported")
	arraysOf(t, filepath.Join(dir, "data"), arrays)

	code, _, stderr := call(t, "import", "arrays", arrays, "--out", out)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "--tr is missing: the seconds from one row to the next; "+
		"audio and rows look like --tr 0.4")
	code, _, stderr = call(t, "import", "arrays", arrays, "--tr", "0.4")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "--out is missing")
	code, stdout, _ := call(t, "import", "arrays", arrays, "--tr", "0.4", "--dry-run")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "\ntr_seconds: 0.4 ")
	assert.NoDirExists(t, out)
	code, _, stderr = call(t, "import", "arrays", arrays, "--tr", "0.4", "--out", filepath.Join(arrays, "data"))
	assert.Equal(t, 2, code, stderr)

	code, stdout, stderr = call(t, "import", "arrays", arrays, "--tr", "0.4", "--out", out)
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^ada +one +1 +40 +50 +ada/task-one_bold.npy$`, stdout)
	assert.Contains(t, stdout, "Guessed: the subjects are ada, bob, from")
	code, _, stderr = call(t, "import", "arrays", arrays, "--tr", "0.4", "--out", out)
	assert.Equal(t, 73, code, stderr)

	code, _, stderr = call(t, "verify", out)
	assert.Zero(t, code, stderr)
	text, err := os.ReadFile(filepath.Join(dir, "tiny.yaml"))
	require.NoError(t, err)
	experiment := strings.Replace(string(text), "path: data,", "path: imported,", 1)
	require.NotEqual(t, string(text), experiment)
	path := filepath.Join(dir, "imported.yaml")
	require.NoError(t, os.WriteFile(path, []byte(experiment), 0o644))
	answer := answers(t, "train", path, "--set", "train.epochs=1")
	assert.Contains(t, answer, "test")

	code, stdout, stderr = call(t, "import", "arrays", arrays, "--tr", "0.8", "--dry-run")
	assert.Equal(t, 65, code)
	assert.Contains(t, stderr, "ada/task-one_bold.npy: subject ada, story one: ")
	assert.Contains(t, stdout, "\ntr_seconds: 0.8 ", "a start for one's own")
	code, stdout, _ = call(t, "import", "arrays", arrays, "--tr", "0.4", "--dry-run", "--json")
	assert.Zero(t, code)
	assert.Contains(t, stdout, `{"schema":1,"kind":"arrays","source":"`)
}

// Without content each kind says what is missing, as JSON too, and the error is the same.
func TestADryRunWithoutContentSaysWhatIsMissing(t *testing.T) {
	for kind, files := range map[string][]string{
		"huthbox": {"UTS03_responses.jbl", "rois_S03.jbl", "souls.wav"},
		"deniz":   {"subject01_listening_fmri_data_trn.hdf", "story_01.wav"},
		"bids":    {"sub-1/func/sub-1_task-a_space-M_desc-preproc_bold.nii.gz", "stimuli/a.wav"},
		"arrays":  {"s1/a.npy", "a.wav"},
	} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range files {
				path := filepath.Join(dir, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				key := "MD5E-s4000000--0cc175b9c0f1b6a831c399e269772661"
				require.NoError(t, os.Symlink("../.git/annex/objects/Xm/0p/"+key+"/"+key+filepath.Ext(name), path))
			}
			for _, flags := range [][]string{{"--dry-run"}, {"--dry-run", "--json"}, {"--out", dir + "-out"}} {
				code, stdout, stderr := call(t, append([]string{"import", kind, dir}, flags...)...)
				assert.Equal(t, 66, code, stderr)
				assert.Contains(t, stderr, ".0 MB; run `datalad get -d "+dir+" ")
				if len(flags) == 2 && flags[1] == "--json" {
					assert.Contains(t, stdout, `"kind":"`+kind+`",`)
					assert.Regexp(t, `"missing_bytes":[48]000000,"get":"datalad get -d `, stdout)
				}
			}
			assert.NoDirExists(t, dir+"-out")
		})
	}
}

func TestArraysWithRecordingsElsewhere(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"sound/alice.wav", "sound/wolf.wav", "more/w2.wav"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, audio.WriteWAV(name, make([]float32, 40*audio.Rate), audio.Rate, audio.PCM16))
	}
	require.NoError(t, os.WriteFile("sound/alice.tsv", []byte("onset\toffset\tword\n1\t2\thello\n"), 0o644))
	for _, name := range []string{"resp/s1/alice.npy", "resp/s1/wolf.npy", "resp/s2/alice.npy", "resp/s2/fox.npy"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, npy.Write(name, []int{25, 4}, make([]float32, 100)))
	}
	require.NoError(t, os.Symlink("resp", "link"))
	code, stdout, stderr := call(t, "import", "arrays", "link", "--tr", "2", "--audio", "sound,fox=more/w2.wav",
		"--first=-10,fox=-9.5", "--check=false", "--out", "all")
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^s2 +fox +1 +25 +4 +s2/fox.npy$`, stdout)
	text, err := os.ReadFile("all/dataset.yaml")
	require.NoError(t, err)
	assert.Contains(t, string(text), "\n  alice:\n    audio: "+filepath.Join(dir, "sound/alice.wav")+"\n    words: "+
		filepath.Join(dir, "sound/alice.tsv")+"\n    first_tr_seconds: -10\n")
	assert.Contains(t, string(text), "\n  fox:\n    audio: "+filepath.Join(dir, "more/w2.wav")+
		"\n    first_tr_seconds: -9.5\n")
	assert.NotContains(t, string(text), "row 0 begins with the audio")

	code, stdout, stderr = call(t, "import", "arrays", "resp", "--tr", "2", "--audio", "sound", "--first=-10",
		"--subjects", "s1", "--stories", "w*", "--dry-run")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "\n  s1:\n    wolf: ")
	assert.NotContains(t, stdout, "  s2:")
	assert.NotContains(t, stdout, "  alice:")
	require.NoError(t, npy.Write("keep.npy", []int{2}, []int32{3, 1}))
	code, stdout, stderr = call(t, "import", "arrays", "resp", "--tr", "2", "--audio", "sound", "--first=-10",
		"--subjects", "s1", "--voxels", "keep.npy", "--check=false", "--out", "kept")
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "Selected: 2 of 4 voxels of s1, by keep.npy.")
	assert.Contains(t, stdout, "Values: over the rows of a story, voxels have means of 0 to 0 and SDs of 0 to 0.")
	for flags, c := range map[string]struct {
		code int
		want string
	}{
		"--first x":           {2, "--first: x, want one SECOND, and for stories of their own STORY=SECOND"},
		"--tr=-1":             {2, "--tr: -1, want seconds above 0"},
		"--tr nan":            {2, "--tr: NaN, want seconds above 0"},
		"--first 2e6":         {2, "--first: 2e6, want one SECOND"},
		"--first nan":         {2, "--first: nan, want one SECOND"},
		"--first 1,2":         {2, "--first: 2, want one SECOND"},
		"--first cat=2":       {2, "there is no story cat, whose row 0 is given"},
		"--voxels cortical":   {2, "there is no mask of the cortex; name a file of columns: --voxels FILE.npy"},
		"--voxels x.npy":      {66, "x.npy: no such file"},
		"--subjects s9":       {66, "there is no subject s9; there are s1, s2"},
		"--stories cat":       {66, "there is no story cat; there are alice, wolf"},
		"--audio nowhere":     {66, "nowhere: no such file or directory"},
		"--audio a/b=x.wav":   {2, "is no STORY=FILE"},
		"--audio alice=x.wav": {66, "x.wav: no such file or directory"},
	} {
		code, _, stderr := call(t, append([]string{"import", "arrays", "resp", "--tr", "2", "--audio", "sound",
			"--out", "no"}, strings.Fields(flags)...)...)
		assert.Equal(t, c.code, code, "%s: %s", flags, stderr)
		assert.Contains(t, stderr, c.want)
	}
	// Responses whose content is not there are needed, those of others are not.
	require.NoError(t, os.Remove("resp/s2/alice.npy"))
	key := "MD5E-s400--0cc175b9c0f1b6a831c399e269772661.npy"
	require.NoError(t, os.Symlink("../.git/annex/objects/Xm/0p/"+key+"/"+key, "resp/s2/alice.npy"))
	code, stdout, stderr = call(t, "import", "arrays", "resp", "--tr", "2", "--audio", "sound", "--dry-run")
	assert.Equal(t, 66, code)
	assert.Contains(t, stderr, "s2/alice.npy, 400 bytes; run `datalad get ")
	assert.Regexp(t, `(?m)^s2 +alice +1 +\? +\? +s2/alice.npy$`, stdout)
	code, _, stderr = call(t, "import", "arrays", "resp", "--tr", "2", "--audio", "sound", "--first=-10", "--subjects",
		"s1", "--dry-run")
	assert.Zero(t, code, stderr)
}
