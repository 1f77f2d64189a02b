package lebel

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
)

// tree is a folder with the small subject of package regions as UTS00, where ds003020 has it.
func tree(t *testing.T) (derivative string, found *imports.Found) {
	t.Helper()
	source := t.TempDir()
	derivative = filepath.Join(source, "derivative")
	const made = "../../../regions/testdata/"
	for from, to := range map[string]string{"pycortex/S1": "pycortex-db/UTS00",
		"freesurfer/S1": "freesurfer_subjdir/UTS00", "freesurfer/fsaverage": "fsaverage"} {
		require.NoError(t, os.CopyFS(filepath.Join(derivative, to), os.DirFS(made+from)))
	}
	mask := filepath.Join(derivative, "pycortex-db/UTS00/transforms/auto/mask_thick.nii.gz")
	volume, err := cortex.ReadMask(mask, cortex.XFastest)
	require.NoError(t, err)
	return derivative, &imports.Found{Source: source, Subjects: []imports.Subject{{Name: "UTS00",
		Mask: &imports.Mask{File: mask, XFirst: true, Voxels: len(volume.Voxels)}}, {Name: "UTS02"}}}
}

func names(s imports.Subject) (out []string) {
	for _, roi := range s.ROIs {
		out = append(out, roi.Name)
	}
	return out
}

// A subject gets the outlines, auditory cortex first, and the labels of its own and of fsaverage.
func TestRegions(t *testing.T) {
	derivative, found := tree(t)
	require.NoError(t, Regions(t.Context(), found, filepath.Join(derivative, "fsaverage")))
	all := names(found.Subjects[0])
	assert.Equal(t, []string{"AC", "AC_HCPMMP1", "AC_aparc.a2009s", "cortex", "V1"}, all[:5])
	assert.Contains(t, all, "PBelt")
	assert.Empty(t, found.Subjects[1].ROIs)
	assert.Empty(t, found.Missing)
	assert.Contains(t, found.Notes[0], "voxels of the regions of UTS00: AC 102 by overlays.svg, AC_HCPMMP1 ")
	assert.Contains(t, found.Notes[1], "AC of UTS00 by overlays.svg and by HCPMMP1 of fsaverage: 102 and ")

	// Without a folder of fsaverage there are Destrieux's labels alone; without any, only outlines.
	derivative, found = tree(t)
	require.NoError(t, Regions(t.Context(), found, ""))
	assert.Equal(t, []string{"AC", "AC_aparc.a2009s", "cortex"}, names(found.Subjects[0])[:3])
	require.NoError(t, os.Rename(filepath.Join(derivative, "fsaverage"),
		filepath.Join(derivative, "freesurfer_subjdir/fsaverage")))
	found.Subjects[0].ROIs = nil
	require.NoError(t, Regions(t.Context(), found, ""))
	assert.Equal(t, "AC_HCPMMP1", names(found.Subjects[0])[1], "the one beside the subjects")
}

// What is missing for regions is a note or is fetched with the rest, and never an import that fails.
func TestRegionsThatCannotBeMade(t *testing.T) {
	derivative, found := tree(t)
	require.NoError(t, os.Remove(filepath.Join(derivative, "pycortex-db/UTS00/transforms/auto/matrices.xfm")))
	require.NoError(t, Regions(t.Context(), found, ""))
	assert.Empty(t, found.Subjects[0].ROIs)
	assert.Equal(t, []string{"UTS00 has no regions: there is no matrices.xfm, which places the surfaces among " +
		"the voxels"}, found.Notes)

	// A surface without content is missing; an annotation without content is passed over.
	dangling := func(name string) {
		path := filepath.Join(derivative, name)
		require.NoError(t, os.Remove(path))
		key := "MD5E-s3950549--cb14e6c0c13eb05a35b8b0c1724fcbec"
		require.NoError(t, os.Symlink("../../.git/annex/objects/q9/37/"+key+"/"+key, path))
	}
	derivative, found = tree(t)
	dangling("freesurfer_subjdir/UTS00/label/rh.aparc.a2009s.annot")
	require.NoError(t, Regions(t.Context(), found, ""))
	assert.Equal(t, []string{"AC", "cortex"}, names(found.Subjects[0])[:2])
	assert.True(t, slices.ContainsFunc(found.Notes, func(n string) bool {
		return n == "annotation aparc.a2009s of UTS00 is not used: rh.aparc.a2009s.annot has no content"
	}), found.Notes)
	derivative, found = tree(t)
	dangling("pycortex-db/UTS00/surfaces/pia_rh.gii")
	require.NoError(t, Regions(t.Context(), found, ""))
	require.Len(t, found.Missing, 1)
	assert.Equal(t, int64(3950549), found.Missing[0].Bytes)
	assert.Empty(t, found.Notes, "what is missing is said once")
	assert.Empty(t, found.Subjects[0].ROIs)

	// A damaged file is an error, and so is a folder that is no fsaverage.
	derivative, found = tree(t)
	require.NoError(t, os.WriteFile(filepath.Join(derivative, "pycortex-db/UTS00/overlays.svg"), []byte("<svg"), 0o600))
	faulttest.Require(t, fault.BadData, Regions(t.Context(), found, ""), "overlays.svg")
	faulttest.Require(t, fault.Missing, Regions(t.Context(), found, t.TempDir()), "no folder label")
}

// flatBrain writes two hemispheres of four vertices, in the middle of voxels (1 or 2, 1 or 2, 0) and (…, 1).
func flatBrain(t *testing.T, store string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(store, "surfaces"), 0o777))
	for side, hemi := range []string{"lh", "rh"} {
		for _, kind := range []string{"wm", "pia", "flat"} {
			s := cortex.Surface{Faces: [][3]int32{{0, 1, 2}, {1, 3, 2}}}
			for v := range 4 {
				x, y := float32(v%2), float32(v/2)
				p := [3]float32{1 + x, 1 + y, float32(side)}
				switch kind {
				case "wm":
					p[2] -= .3
				case "pia":
					p[2] += .3
				default:
					p = [3]float32{x, y, 0}
				}
				s.Points = append(s.Points, p)
			}
			f, err := os.Create(filepath.Join(store, "surfaces", kind+"_"+hemi+".gii"))
			require.NoError(t, err)
			_, err = s.GIFTI(cortex.Left).WriteTo(f)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
	}
}

// The regions of the small tree are those of dataset.yaml, in the columns that are left of the responses.
func TestRegionsAreImported(t *testing.T) {
	source := t.TempDir()
	require.NoError(t, os.CopyFS(source, os.DirFS(filepath.Join(labtest.Dir(t), "ds003020"))))
	store := filepath.Join(source, "derivative/pycortex-db/UTS00")
	found, err := Find(t.Context(), source, []string{"UTS00"}, nil)
	require.NoError(t, err)
	require.NoError(t, Regions(t.Context(), found, ""))
	assert.Contains(t, found.Notes, "UTS00 has no regions: there is no matrices.xfm, which places the surfaces among "+
		"the voxels")
	flatBrain(t, store)
	for name, text := range map[string]string{
		"transforms/UTS00_auto/matrices.xfm": `{"coord": [[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]}`,
		"overlays.svg": `<svg width="90" height="90"><g label="rois"><g label="shapes"><g label="AC">` +
			`<path d="M -9 -9 H 20 V 99 H -9 Z"/></g><g label="low"><path d="M -9 60 H 99 V 99 H -9 Z"/></g>` +
			`</g></g></svg>`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(store, name), []byte(text), 0o600))
	}
	found, err = Find(t.Context(), source, []string{"UTS00"}, nil)
	require.NoError(t, err)
	require.NoError(t, Regions(t.Context(), found, ""))
	dir := filepath.Join(t.TempDir(), "out")
	record, err := found.Import(t.Context(), imports.Options{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, []int{13, 12}, []int{record.Voxels[0].Source, record.Voxels[0].Columns})
	gone := record.Voxels[0].Empty[0].Column
	d, err := dataset.Open(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"AC", "cortex", "low"}, d.ROIs())
	for name, source := range map[string][]int{"AC": {0, 3}, "cortex": {0, 1, 3, 4, 6, 7, 9, 10}, "low": {0, 1, 6, 7}} {
		var want []int
		for _, c := range source {
			if c > gone {
				c--
			} else if c == gone {
				continue
			}
			want = append(want, c)
		}
		got, err := d.ROI(t.Context(), name, "UTS00", 12)
		require.NoError(t, err)
		assert.Equal(t, want, got, "%s; column %d was left out", name, gone)
	}
}
