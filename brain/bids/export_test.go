package bids

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/demo"
	"github.com/brainwavlm/bwlm/internal/brain/finished"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/filetest"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/roikeys"
	"github.com/brainwavlm/bwlm/npy"
)

const voxels = 40

// place is where the voxels of a made run are.
type place string

const (
	onSurface place = `surface: {left: l.surf.gii, right: r.surf.gii, vertices: v.txt}`
	inMask    place = `mask: mask.nii.gz`
	nowhere   place = ``
)

// madePlaces writes a data set whose voxels are somewhere: on every second vertex of two small spheres, or in a mask.
func madePlaces(t testing.TB, dir string, at place) {
	filetest.Put(t, dir, "dataset.yaml",
		"name: made\nlicence: CC0\ntr_seconds: 2\nstories:\n  a: {audio: a.wav}\nsubjects:\n  ann: {a: a.npy}\n"+string(
			at)+"\n")
	left, right := cortex.Synthetic(1) // 42 vertices each
	for name, s := range map[string]*cortex.Surface{"l": left.Surface, "r": right.Surface} {
		h := map[string]cortex.Hemisphere{"l": cortex.Left, "r": cortex.Right}[name]
		require.NoError(t, os.MkdirAll(dir, 0o755))
		f, err := os.Create(filepath.Join(dir, name+".surf.gii"))
		require.NoError(t, err)
		_, err = s.GIFTI(h).WriteTo(f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	vertices := ""
	mask := make([]float32, 4*5*4) // half of a grid
	for v := range voxels {
		vertices += " " + strconv.Itoa(2*v)
		mask[2*v] = 1
	}
	filetest.Put(t, dir, "v.txt", vertices)
	f, err := os.Create(filepath.Join(dir, "mask.nii.gz"))
	require.NoError(t, err)
	require.NoError(t, nifti.NewFloat([]int{4, 5, 4}, [3][4]float64{{3, 0, 0, -9}, {0, 3, .2, 5}, {0, -.2, 3, 2}},
		mask).WriteGzip(f))
	require.NoError(t, f.Close())
}

// made is a run of some subjects with planted scores: r of voxel v of subject k is (v + 100·k) /
// 1000, tuned is .05 above that; voxel 7 is constant, voxel 3 has no ceiling.
func made(t testing.TB, at place, subjects ...string) string {
	t.Helper()
	top := t.TempDir()
	dir := filepath.Join(top, "run")
	madePlaces(t, filepath.Join(top, "data"), at)
	filetest.Put(t, dir, "config.yaml", "model: {path: m}\ndata: {path: "+filepath.Join(top,
		"data")+", subjects: all, train: [a], val: [b], test: [c]}\nout: "+dir+"\n")
	ci := &stats.Interval{.02, .06}
	tuned := results.ModelScore{MeanR: .12, ROIs: map[string]float64{"A1, left": .1, roikeys.Tuned: .2}}
	ceiling := results.ModelScore{MeanR: .8, ROIs: map[string]float64{"A1, left": .8}}
	filetest.Put(t, dir, "eval/summary.json", results.Summary{Schema: results.RunSchema,
		Test: results.Scores{Rows: 48, Subjects: subjects, Tuned: &tuned, Ceiling: &ceiling,
			Base: results.ModelScore{MeanR: .07, ROIs: map[string]float64{"A1, left": .05, roikeys.Tuned: .15}},
			Delta: &results.Delta{MeanR: .05, CI95: ci, Significance: results.Significance{P: .002, Q: .003},
				ROIs: map[string]results.DeltaROI{
					"A1, left": {MeanR: .05, CI95: ci, Significance: results.Significance{P: .004, Q: .004}}}}}})
	var layout []any
	for k, name := range subjects {
		n := voxels
		if name == "other" {
			n = 3 // whose voxels are elsewhere
		}
		base, tuned, gain, ceiling := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
		for v := range base {
			base[v] = float32(v+100*k) / 1000
			tuned[v], gain[v], ceiling[v] = base[v]+.05, .05, .5
		}
		if n == voxels {
			base[7], tuned[7], gain[7], ceiling[3] = nan, nan, nan, 0
		}
		for file, x := range map[string][]float32{"base_r": base, "tuned_r": tuned, "delta_r": gain,
			"ceiling": ceiling} {
			filetest.Put(t, dir, "eval/test/"+name+"/"+file+".npy", x)
		}
		layout = append(layout, map[string]any{"name": name, "voxels": n,
			"rows": []any{map[string]any{"Story": "a-b", "From": 0, "To": 48}},
			"rois": []any{map[string]any{"name": "A1, left", "columns": []int{1, 2}}}})
	}
	filetest.Put(t, dir, "eval/test/layout.json", map[string]any{"schema": results.RunSchema, "subjects": layout})
	return dir
}

// exported writes a made run and gives the folder, what was said, and the files.
func exported(t testing.TB, run string, opt Options) (dir string, notes []string, out *Result) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "out")
	opt.Note = func(text string) { notes = append(notes, text) }
	res, err := Write(t.Context(), []string{run}, dir, opt)
	require.NoError(t, err)
	return dir, notes, res
}

func TestMapsOnSurfacesAreTheScores(t *testing.T) {
	run := made(t, onSurface, "ann")
	filetest.Put(t, run, "eval/test/ann/tuned_q.npy", make([]float32, voxels))
	dir, notes, res := exported(t, run, Options{Space: "fsaverage", Version: "v1"})
	assert.Empty(t, notes)
	assert.Equal(t, []string{"gifti", "csv", "json"}, res.Formats)
	const name = "sub-ann/func/sub-ann_task-ab_hemi-L_space-fsaverage_stat-r_desc-tuned_statmap.func.gii"
	assert.Contains(t, res.Files, name)
	assert.Contains(t, res.Files,
		"sub-ann/func/sub-ann_task-ab_hemi-R_space-fsaverage_stat-q_desc-tuned_statmap.func.gii")
	assert.False(t, slices.ContainsFunc(res.Files, func(f string) bool { return strings.HasPrefix(f, "group") }),
		"one subject has no mean")
	for _, f := range res.Files {
		assert.FileExists(t, filepath.Join(dir, f))
	}
	want, err := finished.ReadVector(filepath.Join(run, "eval/test/ann/tuned_r.npy"), voxels)
	require.NoError(t, err)
	left, err := cortex.ReadMap(filepath.Join(dir, name))
	require.NoError(t, err)
	right, err := cortex.ReadMap(filepath.Join(dir, strings.Replace(name, "hemi-L", "hemi-R", 1)))
	require.NoError(t, err)
	require.Len(t, left, 42)
	for at, got := range append(left, right...) {
		switch v := at / 2; {
		case at%2 == 0 && v < voxels && v != 7:
			assert.Equal(t, math.Float32bits(want[v]), math.Float32bits(got), "voxel %d", v)
		default:
			assert.True(t, got != got, "nothing is at %d", at)
		}
	}
	share, err := cortex.ReadMap(filepath.Join(dir, strings.Replace(name, "stat-r", "stat-percentofceiling", 1)))
	require.NoError(t, err)
	assert.InDelta(t, 100*(.01+.05)/.5, share[20], 1e-4)
	assert.True(t, share[6] != share[6], "voxel 3 has no ceiling")

	var about map[string]any
	text, err := os.ReadFile(filepath.Join(dir,
		"sub-ann/func/sub-ann_task-ab_space-fsaverage_stat-r_desc-tuned_statmap.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &about))
	assert.Equal(t, map[string]any{"Description": "correlation of predicted and measured responses on test rows: the " +
		"tuned model", "Units": "r", "Run": "run",
		"TestRows": 48., "Stories": []any{"a-b"}}, about)
	text, err = os.ReadFile(filepath.Join(dir, descriptionFile))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"Encoding scores of run, data set made"`)
	assert.Contains(t, string(text), `"License": "CC0"`)
}

func TestMapsOfAMaskAndTheMeanOfSubjects(t *testing.T) {
	run := made(t, inMask, "ann", "bob", "other")
	dir, notes, res := exported(t, run, Options{})
	assert.Equal(t, []string{"run: no maps of other: it has 3 voxels, the data set's places are for others"}, notes)
	assert.Equal(t, []string{"nifti", "csv", "json"}, res.Formats)
	mask, err := cortex.ReadMask(filepath.Join(filepath.Dir(run), "data/mask.nii.gz"), cortex.ZFastest)
	require.NoError(t, err)
	read := func(name string) []float32 {
		x, err := mask.Values(filepath.Join(dir, name))
		require.NoError(t, err)
		return x
	}
	bob := read("sub-bob/func/sub-bob_task-ab_stat-r_desc-base_statmap.nii.gz")
	mean := read("group/task-ab_stat-r_desc-base_statmap.nii.gz")
	share := read("group/task-ab_stat-percentofceiling_desc-tuned_statmap.nii.gz")
	for v := range voxels {
		if v == 7 {
			assert.True(t, mean[v] != mean[v])
			continue
		}
		assert.Equal(t, float32(v+100)/1000, bob[v])
		assert.InDelta(t, float64(v+50)/1000, mean[v], 1e-6)
		if v != 3 {
			assert.InDelta(t, 100*(float64(v+50)/1000+.05)/.5, share[v], 1e-4)
		}
	}
}

func TestTableOfRegions(t *testing.T) {
	dir, notes, res := exported(t, made(t, nowhere, "ann", "bob"), Options{})
	require.Len(t, notes, 1)
	assert.Contains(t, notes[0], "no maps: nobody says where the voxels are; let dataset.yaml name surfaces")
	assert.Equal(t, []string{descriptionFile, "rois.csv", "rois.json", ".bidsignore", "README"}, res.Files)
	f, err := os.Open(filepath.Join(dir, "rois.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	got := map[string]map[string]string{}
	for _, row := range rows[1:] {
		fields := map[string]string{}
		for i, name := range rows[0] {
			fields[name] = row[i]
		}
		got[row[0]+"/"+row[2]] = fields
	}
	assert.Len(t, got, 3+2*2, "all voxels, region and voxels tuned on; all voxels and region of each")
	assert.Equal(t, map[string]string{"subject": "[mean]", "subjects": "2", "roi": "A1, left", "voxels": "4",
		"constant": "", "base_r": "0.05", "base_best_layer_r": "",
		"tuned_r": "0.1", "delta": "0.05", "delta_ci95_low": "0.02", "delta_ci95_high": "0.06", "p": "0.004",
		"q": "0.004", "ceiling": "0.8",
		"base_percent_of_ceiling": "", "tuned_percent_of_ceiling": ""}, got["[mean]/A1, left"])
	assert.Equal(t, "1", got["bob/[all voxels]"]["constant"])
	assert.Equal(t, "", got["bob/[all voxels]"]["p"])

	var table table
	text, err := os.ReadFile(filepath.Join(dir, "rois.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &table))
	i := slices.IndexFunc(table.Regions, func(l tableLine) bool { return l.Subject == "bob" && l.ROI == "A1, left" })
	assert.InDelta(t, .1015, *table.Regions[i].Base, 1e-7)
	assert.InDelta(t, 100*.1515/.5, *table.Regions[i].TunedShare, 1e-4)
}

// A demo's directory is its three runs: each gets a folder, and its listener the places of the demo's surface.
func TestADemoIsItsRuns(t *testing.T) {
	dir := t.TempDir()
	d := demo.Report{Schema: 1}
	for arm, to := range map[string]*demo.Arm{"whole_cortex": &d.WholeCortex, "auditory_cortex": &d.AuditoryCortex,
		"shuffled": &d.Shuffled} {
		run := made(t, nowhere, "listener", "related")
		require.NoError(t, os.Rename(run, filepath.Join(dir, arm)))
		to.Test = results.Scores{Rows: 48, Subjects: []string{"listener"}, Base: results.ModelScore{MeanR: .07},
			Tuned: &results.ModelScore{MeanR: .12}, Delta: &results.Delta{MeanR: .05}}
	}
	filetest.Put(t, dir, "demo.json", d)
	madePlaces(t, dir, onSurface)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "surface"), 0o755))
	for from, to := range map[string]string{"l.surf.gii": "left.surf.gii", "r.surf.gii": "right.surf.gii"} {
		require.NoError(t, os.Rename(filepath.Join(dir, from), filepath.Join(dir, "surface", to)))
	}
	vertices := make([]int64, voxels)
	for v := range vertices {
		vertices[v] = int64(2 * v)
	}
	require.NoError(t, npy.Write(filepath.Join(dir, "surface/vertices.npy"), []int{voxels}, vertices))

	out, _, res := exported(t, dir, Options{})
	for _, arm := range []string{"whole_cortex", "auditory_cortex", "shuffled"} {
		assert.Contains(t, res.Files, arm+"/"+descriptionFile)
		got, err := cortex.ReadMap(filepath.Join(out, arm,
			"sub-listener/func/sub-listener_task-ab_hemi-R_stat-r_desc-base_statmap.func.gii"))
		require.NoError(t, err)
		assert.Equal(t, float32(21)/1000, got[0], "voxel 21 is on vertex 42, the first of the right side")
	}
	assert.False(t, slices.ContainsFunc(res.Files, func(f string) bool { return strings.Contains(f, "related") }),
		"scores are the listener's")
	_, err := Write(t.Context(), []string{dir}, out, Options{Force: true})
	require.NoError(t, err, "what an export of several runs wrote is replaced, too")
}

func TestWhatIsThereIsNotLost(t *testing.T) {
	runs := []string{made(t, inMask, "ann")}
	dir := t.TempDir()
	write := func(opt Options) error { _, err := Write(t.Context(), runs, dir, opt); return err }
	mine := filepath.Join(dir, "group", "mine_statmap.txt")
	filetest.Put(t, dir, "group/mine_statmap.txt", "mine")
	for _, force := range []bool{false, true} { // something that is no export
		err := write(Options{Force: force})
		assert.Equal(t, fault.Exists, fault.KindOf(err))
		require.FileExists(t, mine)
	}
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "group")))
	require.NoError(t, write(Options{Task: "old"}))
	require.ErrorContains(t, write(Options{}), "set Force")
	note := filepath.Join(dir, "sub-ann", "func", "note.txt")
	filetest.Put(t, dir, "sub-ann/func/note.txt", "mine")
	require.NoError(t, write(Options{Force: true, Task: "new"}))
	assert.FileExists(t, note)
	old, err := filepath.Glob(filepath.Join(dir, "sub-ann/func/*task-old*"))
	require.NoError(t, err)
	assert.Empty(t, old, "maps of the export before are gone")
}

func TestMistakesSayWhatToDo(t *testing.T) {
	try := func(run string, opt Options) error {
		dir := filepath.Join(t.TempDir(), "out")
		_, err := Write(t.Context(), []string{run}, dir, opt)
		assert.NoDirExists(t, dir, "a mistake is found before a file is written")
		return err
	}
	for _, c := range []struct {
		run  string
		opt  Options
		kind fault.Kind
		why  string
	}{
		{made(t, inMask, "ann"), Options{Formats: []string{"matlab"}}, fault.Usage,
			"there are nifti, gifti, csv, json"},
		{made(t, inMask, "ann"), Options{Formats: []string{"gifti"}}, fault.Missing,
			"no gifti: the voxels are in a volume; leave it out"},
		{made(t, onSurface, "ann"), Options{Formats: []string{"csv", "nifti"}}, fault.Missing,
			"no nifti: the voxels are on surfaces"},
		{made(t, nowhere, "ann"), Options{Formats: []string{"nifti"}}, fault.Missing, "let dataset.yaml name"},
		{made(t, inMask, "other"), Options{}, fault.BadData, "nobody's voxels"},
		{made(t, inMask, "S_1", "S1"), Options{}, fault.BadData, "S_1 and S1 have the same name in BIDS, sub-S1"},
		{made(t, inMask, "_"), Options{}, fault.Usage, "letters or digits"},
	} {
		err := try(c.run, c.opt)
		assert.Equal(t, c.kind, fault.KindOf(err), "%v", err)
		assert.ErrorContains(t, err, c.why)
	}
	run := made(t, inMask, "ann")
	filetest.Put(t, run, "eval/test/ann/tuned_p.npy", []float32{1, 2})
	assert.ErrorContains(t, try(run, Options{}), "layout says [40]")
	run = made(t, inMask, "ann")
	require.NoError(t, os.Remove(filepath.Join(run, "eval/test/layout.json")))
	assert.ErrorContains(t, try(run, Options{Formats: []string{"nifti"}}), "evaluate ")
	run = made(t, inMask, "ann")
	require.NoError(t, os.Remove(filepath.Join(filepath.Dir(run), "data/mask.nii.gz")))
	assert.ErrorContains(t, try(run, Options{Formats: []string{"nifti"}}), "mask.nii.gz is not there")
}
