package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/npy"
)

// bidsForm is a form in which a laboratory has responses.
type bidsForm struct {
	// files of labfiles/bids/derivatives by the ends of the names that they get, after sub-001_task-TASK_.
	files    map[string]string
	sidecar  string
	surfaces bool
	flags    []string

	tr      float64
	first   float64 // second of the recording at which row 0 begins
	rowTime float64
	voxels  int
	maps    string // a map of the export
}

// Names in labfiles/bids/derivatives.
const (
	labVolumes   = "fmriprep/sub-001/func/sub-001_task-tunnel_space-MNI152NLin2009cAsym_res-native_desc-"
	labConfounds = "fmriprep/sub-001/func/sub-001_task-tunnel_desc-confounds_timeseries.tsv"
	labSurfaces  = "fmriprep/sub-001/func/sub-001_task-tunnel_space-fsaverage6_hemi-"
)

var bidsForms = map[string]bidsForm{
	"volumes": {
		files: map[string]string{
			"space-M_desc-preproc_bold.nii.gz": labVolumes + "preproc_bold.nii.gz",
			"space-M_desc-preproc_bold.json":   labVolumes + "preproc_bold.json",
			"space-M_desc-brain_mask.nii.gz":   labVolumes + "brain_mask.nii.gz",
			"desc-confounds_timeseries.tsv":    labConfounds,
		},
		flags: []string{"--clean", "motion=6,detrend"}, tr: 1.5, first: .75 - 3, rowTime: 0, voxels: 13,
		maps: "sub-001/func/*stat-r_desc-tuned_statmap.nii.gz"},
	"surfaces": {
		files: map[string]string{
			"hemi-L_space-fsaverage6_desc-clean.func.gii": labSurfaces + "L_desc-clean.func.gii",
			"hemi-R_space-fsaverage6_desc-clean.func.gii": labSurfaces + "R_desc-clean.func.gii",
		},
		sidecar: `{"RepetitionTime": 1.5}`, surfaces: true, tr: 1.5, first: -3, rowTime: .5, voxels: 24,
		maps: "sub-001/func/*hemi-R*stat-r_desc-tuned_statmap.func.gii"},
	"CIFTI": {
		files:    map[string]string{"bold.dtseries.nii": "cifti/sub-01_task-RDR_run-1_bold.dtseries.nii"},
		surfaces: true, flags: []string{"--voxels", "cortical"}, tr: .71, first: -3, rowTime: .5, voxels: 21,
		maps: "sub-001/func/*hemi-L*stat-r_desc-tuned_statmap.func.gii"},
}

// hemisphere writes a surface of 12 vertices.
func hemisphere(t *testing.T, path string) {
	t.Helper()
	points, triangles := make([]float32, 36), []int32{}
	for i := range points {
		points[i] = float32(i * i % 17)
	}
	for v := range int32(10) {
		triangles = append(triangles, v, v+1, v+2)
	}
	im := gifti.Image{Arrays: []gifti.Array{gifti.NewFloat(gifti.PointSet, "", []int{12, 3}, points),
		gifti.NewInt(gifti.Triangle, "", []int{10, 3}, triangles)}}
	require.NoError(t, atomicfile.Write(path, func(w io.Writer) error {
		_, err := im.WriteTo(w)
		return err
	}))
}

// rolled is a time series of 20 rows, shifted circularly by some rows, so that stories have responses of their own.
// Other files are as they are.
func rolled(t *testing.T, name string, data []byte, rows int) []byte {
	t.Helper()
	roll := func(all []byte, courses int) { // each with all its rows
		n := len(all) / courses
		for ; len(all) > 0; all = all[n:] {
			by := n / 20 * rows
			copy(all, slices.Concat(all[by:n], all[:by]))
		}
	}
	unpacked := func(r io.Reader, err error) []byte {
		require.NoError(t, err)
		out, err := io.ReadAll(r)
		require.NoError(t, err)
		return out
	}
	packed := new(bytes.Buffer)
	switch {
	case strings.HasSuffix(name, "preproc_bold.nii.gz"):
		r, err := gzip.NewReader(bytes.NewReader(data))
		all := unpacked(r, err)
		roll(all[352:], 1)
		w := gzip.NewWriter(packed)
		_, err = w.Write(all)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return packed.Bytes()
	case strings.HasSuffix(name, ".dtseries.nii"):
		roll(data[1984:], 34)
	case strings.HasSuffix(name, ".func.gii"):
		head, rest, _ := bytes.Cut(data, []byte("<Data>"))
		text, tail, _ := bytes.Cut(rest, []byte("</Data>"))
		r, err := zlib.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(text)))
		all := unpacked(r, err)
		roll(all, 12)
		w := zlib.NewWriter(packed)
		_, err = w.Write(all)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return fmt.Appendf(nil, "%s<Data>%s</Data>%s", head, base64.StdEncoding.EncodeToString(packed.Bytes()), tail)
	}
	return data
}

// tree writes a folder in BIDS with three stories, a, b and c.
func (f bidsForm) tree(t *testing.T, root string) {
	t.Helper()
	write := func(name string, data []byte) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, data, 0o644))
	}
	for i, task := range []string{"a", "b", "c"} {
		for name, from := range f.files {
			data, err := os.ReadFile(filepath.Join(labtest.Dir(t), "bids/derivatives", from))
			require.NoError(t, err)
			write("derivatives/sub-001/func/sub-001_task-"+task+"_"+name, rolled(t, name, data, 3*i))
		}
		if f.sidecar != "" {
			write(fmt.Sprintf("sub-001/func/sub-001_task-%s_bold.json", task), []byte(f.sidecar))
		}
		seconds := f.first + 20*f.tr
		write(fmt.Sprintf("sub-001/func/sub-001_task-%s_events.tsv", task),
			fmt.Appendf(nil, "onset\tduration\ttrial_type\tstim_file\n3\t%g\tstory\t%s.wav\n", seconds-1, task))
		random := rand.New(rand.NewPCG(uint64(i), 5))
		samples := make([]float32, int(seconds*audio.Rate))
		for k := range samples {
			samples[k] = float32(.1 * random.NormFloat64() * float64(1+k/8000%5))
		}
		write("stimuli/.keep", nil)
		require.NoError(t, audio.WriteWAV(filepath.Join(root, "stimuli", task+".wav"), samples, audio.Rate,
			audio.Float32))
	}
}

// Each form of a laboratory's files goes through import and verify; volumes, and all with thorough, go on through
// check-timing, train and export.
func TestAFolderInBIDSBecomesATraining(t *testing.T) {
	if testing.Short() {
		t.Skip("trainings")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	for name, f := range bidsForms {
		t.Run(name, func(t *testing.T) {
			source, out := filepath.Join(dir, name), filepath.Join(dir, name+"-out")
			f.tree(t, source)
			args := append([]string{"import", "bids", source, "--out", out}, f.flags...)
			if f.surfaces {
				for _, hemi := range []string{"lh.gii", "rh.gii"} {
					hemisphere(t, filepath.Join(dir, hemi))
				}
				args = append(args, "--surfaces", filepath.Join(dir, "lh.gii")+","+filepath.Join(dir, "rh.gii"))
			}
			code, stdout, stderr := call(t, append(args, "--dry-run")...)
			require.Zero(t, code, stderr)
			assert.Contains(t, stdout, "Clock of a: TR ")
			assert.NoDirExists(t, out)
			code, stdout, stderr = call(t, args...)
			require.Zero(t, code, stderr)
			assert.Regexp(t, `(?m)^sub-001 +c +1 +20 +`, stdout)
			text, err := os.ReadFile(filepath.Join(out, "dataset.yaml"))
			require.NoError(t, err)
			for _, want := range []string{fmt.Sprintf("\ntr_seconds: %g ", f.tr), fmt.Sprintf("\nrow_time: %g ",
				f.rowTime),
				fmt.Sprintf("first_tr_seconds: %g\n", f.first)} {
				assert.Contains(t, string(text), want)
			}
			m, err := npy.Read(filepath.Join(out, "sub-001/a.npy"))
			require.NoError(t, err)
			assert.Equal(t, []int{20, f.voxels}, m.Shape)

			code, stdout, stderr = call(t, "verify", out)
			require.Zero(t, code, stdout+stderr)
			assert.Regexp(t, fmt.Sprintf(`(?m)^sub-001 +3 +60 +%.0f +%d `, 60*f.tr, f.voxels), stdout)
			if name != "volumes" && !thorough {
				return
			}
			cmd, said := bwlm(t, "check-timing", out)
			require.NoError(t, cmd.Run(), said.String())

			run, maps := filepath.Join(dir, name+"-run"), filepath.Join(dir, name+"-maps")
			answers(t, "train", filepath.Join(out, "experiment.yaml"), "--set", "model.path="+filepath.Join(dir,
				"model"),
				"--set", "model.layer=2", "--set", "model.window_seconds=1", "--set", "model.stride_seconds=0.5",
				"--set",
				"data.trim=[0, 0]", "--set", "readout.bottleneck=6", "--set", "readout.delays_seconds=[1.5, 3]",
				"--set",
				"train.epochs=1", "--set", "train.block_rows=10", "--set", "train.context_rows=2", "--set",
				"eval.chunk_rows=5", "--set", "eval.boots=2", "--set", "device=cpu", "--set", "out="+run)
			code, _, stderr = call(t, "export", run, "--out", maps, "--space", "M")
			require.Zero(t, code, stderr)
			found, err := filepath.Glob(filepath.Join(maps, f.maps))
			require.NoError(t, err)
			assert.Len(t, found, 1, "%s", stderr)
		})
	}
}

// Columns of a file are kept: vertices of surfaces keep their empty ones.
func TestSelectedColumnsOfBIDS(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	bidsForms["volumes"].tree(t, "volumes")
	bidsForms["surfaces"].tree(t, "surfaces")
	hemisphere(t, "lh.gii")
	hemisphere(t, "rh.gii")
	require.NoError(t, npy.Write("keep.npy", []int{4}, []int32{12, 0, 10, 3}))
	for name, flags := range map[string]string{"volumes": "", "surfaces": "--surfaces lh.gii,rh.gii"} {
		out := name + "-out"
		args := append([]string{"import", "bids", name, "--voxels", "keep.npy", "--check=false", "--out", out},
			strings.Fields(flags)...)
		code, stdout, stderr := call(t, args...)
		require.Zero(t, code, stderr)
		assert.Regexp(t, `(?m)^Selected: 4 of \d+ voxels of sub-001, by keep.npy\.$`, stdout)
		assert.Equal(t, name == "surfaces", strings.Contains(stdout, "Empty: 1 of 4 voxels of sub-001"), stdout)
		m, err := npy.Read(filepath.Join(out, "sub-001/a.npy"))
		require.NoError(t, err)
		assert.Equal(t, []int{20, 4}, m.Shape)
		code, stdout, stderr = call(t, "verify", out)
		require.Zero(t, code, stdout+stderr)
		d, err := dataset.Open(out)
		require.NoError(t, err)
		places, err := d.Places(t.Context(), "sub-001")
		require.NoError(t, err)
		r, err := d.OpenResponses(t.Context(), "sub-001", "a")
		require.NoError(t, err)
		if name == "surfaces" { // 10 and 11 are medial wall
			assert.Equal(t, []int{0, 3, 10, 12}, places.Vertices)
			assert.Equal(t, []int{2}, r.Empty)
		}
	}
	for args, c := range map[string]struct {
		code int
		want string
	}{
		"volumes --voxels cortical": {2, "there is no mask of the cortex; name a file of columns"},
		"volumes --voxels some":     {66, "some: no such file"},
	} {
		code, _, stderr := call(t, append([]string{"import", "bids", "--out", "x"}, strings.Fields(args)...)...)
		assert.Equal(t, c.code, code, stderr)
		assert.Contains(t, stderr, c.want)
	}
}

func TestImportBIDSSaysWhatItNeeds(t *testing.T) {
	root := filepath.Join(labtest.Dir(t), "bids")
	for args, c := range map[string]struct {
		code int
		want string
	}{
		"":                             {65, "there are responses in 5 forms"},
		"--form dense --task start":    {65, "--audio TASK=FILE"},
		"--form volumes --task tunnel": {66, "name their folder: --audio FOLDER"},
		"--form volumes --task int16 --audio int16=x.wav": {65, "--onset SECONDS"},
		"--form pictures":      {2, "--form: pictures, want volumes, surface or dense"},
		"--clean high-pas=.01": {2, `did you mean "high-pass"?`},
		"--clean motion=7":     {2, `motion is "7", want 6 or 24`},
		"--form volumes --task zerotr --audio zerotr=x.wav --onset 0":  {65, "no time between rows"},
		"--form surface --desc clean --task tunnel --subjects sub-001": {65, "the surface has 40962 vertices"},
		"--form volumes --task nothing":                                {66, "there is no task nothing"},
	} {
		code, _, stderr := call(t, append([]string{"import", "bids", root, "--dry-run"}, strings.Fields(args)...)...)
		assert.Equal(t, c.code, code, "%s: %s", args, stderr)
		assert.Contains(t, stderr, c.want, args)
	}
}
