package regions

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// golden is what pycortex found (tools/regions/make_golden.py).
type golden struct {
	Columns  int
	Vertices map[string][]int
	Cortex   []int
	Cortical map[string][]int
	Nearest  map[string][]int
	Areas    map[Atlas]map[string]struct{ Vertices, Columns []int }
}

const (
	store     = "testdata/pycortex/S1"
	transform = store + "/transforms/auto"
	free      = "testdata/freesurfer/S1"
	fsaverage = "testdata/freesurfer/fsaverage"
)

func readGolden(t *testing.T) (g golden) {
	text, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &g))
	return g
}

func thick(t *testing.T) *cortex.Volume {
	v, err := cortex.ReadMask(transform+"/mask_thick.nii.gz", cortex.XFastest)
	require.NoError(t, err)
	return v
}

// byName returns the columns of each region.
func byName(r *Regions) map[string][]int {
	out := map[string][]int{}
	for _, region := range r.List {
		out[region.Name] = region.Columns
	}
	return out
}

// Vertices and voxels of the outlines are pycortex's: of its default rule, with the cortex computed and with the cortex
// of its mask, and of cortical-conservative.
func TestOutlinesAsInPycortex(t *testing.T) {
	g, columns := readGolden(t), thick(t)
	require.Len(t, columns.Voxels, g.Columns)
	f := Look(store, transform, "", "")
	b, err := readBrain(f)
	require.NoError(t, err)
	sets, empty, err := drawn(f, b)
	require.NoError(t, err)
	assert.Equal(t, []string{"between", "none"}, empty)
	for _, s := range sets {
		var vertices []int
		for v, in := range s.vertices {
			if in {
				vertices = append(vertices, v)
			}
		}
		assert.Equal(t, g.Vertices[s.name], vertices, s.name)
	}
	for _, computed := range []bool{false, true} {
		if computed {
			f.Cortical = ""
		}
		r, err := Make(t.Context(), f, columns, Options{})
		require.NoError(t, err)
		assert.Equal(t, []string{"AC", "cortex", "V1", "ring", "cut", "M1-hand"}, namesOf(r))
		for name, want := range g.Cortical {
			assert.Equal(t, want, byName(r)[allowed(name)], name)
		}
		assert.Equal(t, g.Cortex, byName(r)["cortex"])
		assert.Equal(t, []string{"overlays.svg outlines no vertex for between, none"}, r.Notes)
	}
	r, err := Make(t.Context(), f, columns, Options{Rule: Nearest})
	require.NoError(t, err)
	for name, want := range g.Nearest {
		assert.Equal(t, want, byName(r)[allowed(name)], name)
	}
	assert.Equal(t, []string{"AC", "cortex", "V1", "ring", "cut", "M1-hand"}, namesOf(r))
}

func namesOf(r *Regions) (names []string) {
	for _, region := range r.List {
		names = append(names, region.Name)
	}
	return names
}

// Areas of a subject's own annotation, and of fsaverage's over the spheres, are those that scipy and pycortex's
// distances give. So they are with FreeSurfer's surfaces instead of pycortex's.
func TestAreasOfAnnotations(t *testing.T) {
	g, columns := readGolden(t), thick(t)
	for _, surfaces := range []string{store, ""} {
		f := Look(surfaces, transform, free, fsaverage)
		r, err := Make(t.Context(), f, columns, Options{AllLabels: true})
		require.NoError(t, err)
		for atlas, areas := range g.Areas {
			for name, want := range areas {
				got := byName(r)[name]
				if i := slices.IndexFunc(r.List, func(r Region) bool {
					return r.Name == name+"_"+string(atlas)
				}); i >= 0 { // there is an outline of this name
					got = r.List[i].Columns
				}
				if len(want.Columns) > 0 {
					assert.Equal(t, want.Columns, got, "%s %s", atlas, name)
				}
			}
		}
	}
}

// Auditory cortex is the outline, then Glasser's areas, then Destrieux's; each source that is there is compared.
func TestAuditoryCortexFirst(t *testing.T) {
	g, columns := readGolden(t), thick(t)
	of := func(atlas Atlas) (all []int) {
		for _, name := range Auditory(atlas) {
			all = append(all, g.Areas[atlas][name].Columns...)
		}
		return slices.Sorted(slices.Values(all))
	}
	all := Look(store, transform, free, fsaverage)
	r, err := Make(t.Context(), all, columns, Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"AC", "AC_HCPMMP1", "AC_aparc.a2009s", "cortex"}, namesOf(r)[:4])
	assert.Equal(t, g.Cortical["AC"], r.List[0].Columns)
	assert.Equal(t, of(Glasser), r.List[1].Columns)
	assert.Equal(t, of(Destrieux), r.List[2].Columns)
	assert.Equal(t, "HCPMMP1 of fsaverage", r.List[1].From)
	assert.Equal(t, "aparc.a2009s", r.List[2].From)
	assert.Equal(t, Auditory(Glasser), r.List[1].Parts)
	require.Len(t, r.Overlaps, 3)
	o := r.Overlaps[0]
	both := 0
	for _, c := range of(Glasser) {
		if slices.Contains(g.Cortical["AC"], c) {
			both++
		}
	}
	require.Positive(t, both)
	assert.Equal(t, Overlap{A: "overlays.svg", B: "HCPMMP1 of fsaverage",
		Voxels: [3]int{len(g.Cortical["AC"]), len(of(Glasser)), both},
		Dice:   2 * float64(both) / float64(len(g.Cortical["AC"])+len(of(Glasser)))}, o)

	labels := all
	labels.Overlays = ""
	r, err = Make(t.Context(), labels, columns, Options{})
	require.NoError(t, err)
	assert.Equal(t, of(Glasser), byName(r)["AC"])
	labels.Annotations = labels.Annotations[1:]
	r, err = Make(t.Context(), labels, columns, Options{})
	require.NoError(t, err)
	assert.Equal(t, of(Destrieux), byName(r)["AC"])
	assert.Empty(t, r.NoAC)

	// With neither, there is a reason for each; without any region it is the error.
	none := Look(store, transform, "", "")
	text, err := os.ReadFile(none.Overlays)
	require.NoError(t, err)
	none.Overlays = filepath.Join(t.TempDir(), "overlays.svg")
	require.NoError(t, os.WriteFile(none.Overlays, []byte(replaced(string(text), `label="AC"`, `label="PAC"`)), 0o600))
	r, err = Make(t.Context(), none, columns, Options{})
	require.NoError(t, err)
	assert.Equal(t, "overlays.svg has no outline AC (it has PAC, V1, ring, cut, M1/hand); there is no "+
		"annotation HCPMMP1; there is no annotation aparc.a2009s", r.NoAC)
	assert.NotContains(t, namesOf(r), "AC")
	none.Overlays = ""
	_, err = Make(t.Context(), none, columns, Options{})
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	assert.ErrorContains(t, err, "there is no region: there is no overlays.svg; there is no annotation HCPMMP1")
}

// Columns that were left out of the responses are not numbered.
func TestColumnsThatWereLeftOut(t *testing.T) {
	g, columns := readGolden(t), thick(t)
	f := Look(store, transform, "", "")
	ac := g.Cortical["AC"]
	fewer := *columns
	fewer.Voxels = slices.Delete(slices.Clone(columns.Voxels), ac[3], ac[3]+1)
	r, err := Make(t.Context(), f, &fewer, Options{})
	require.NoError(t, err)
	want := slices.Clone(ac[:3])
	for _, c := range ac[4:] {
		want = append(want, c-1)
	}
	assert.Equal(t, want, byName(r)["AC"])
}
