package cifti

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

// Each map stands on the vertices that nibabel gives it.
func TestGoldens(t *testing.T) {
	var want map[string]struct {
		Maps        []string
		Left, Right [][]*float32
	}
	text, err := os.ReadFile("testdata/want.json")
	require.NoError(t, err)
	text = []byte(strings.NewReplacer(Left, "left", Right, "right").Replace(string(text)))
	require.NoError(t, json.Unmarshal(text, &want))
	for name, w := range want {
		f, err := Read("testdata/" + name)
		require.NoError(t, err)
		require.Len(t, f.Maps, len(w.Maps))
		for m := range f.Maps {
			assert.Equal(t, w.Maps[m], f.Maps[m].Name)
			for structure, rows := range map[string][][]*float32{Left: w.Left, Right: w.Right} {
				got, err := f.Surface(m, structure)
				require.NoError(t, err)
				require.Len(t, got, 7)
				for v, x := range got {
					if rows[m][v] == nil {
						assert.True(t, math.IsNaN(float64(x)))
					} else {
						assert.InDelta(t, *rows[m][v], x, 1e-6)
					}
				}
			}
		}
		got, err := f.Surface(0, "CIFTI_STRUCTURE_CEREBELLUM")
		assert.NoError(t, err)
		assert.Nil(t, got)
	}
	f, err := Read("testdata/atlas.dlabel.nii")
	require.NoError(t, err)
	assert.Equal(t, gifti.LabelEntry{Key: 200, Name: "L_A4_ROI", G: 1, A: 1}, f.Maps[0].Labels[2])
}

const xmlOf = `<CIFTI Version="2"><Matrix>
<MatrixIndicesMap AppliesToMatrixDimension="0" IndicesMapToDataType="CIFTI_INDEX_TYPE_SCALARS">
<NamedMap><MapName>r</MapName></NamedMap></MatrixIndicesMap>
<MatrixIndicesMap AppliesToMatrixDimension="1" IndicesMapToDataType="CIFTI_INDEX_TYPE_BRAIN_MODELS">
<BrainModel IndexOffset="0" IndexCount="2" BrainStructure="CIFTI_STRUCTURE_CORTEX_LEFT"
ModelType="CIFTI_MODEL_TYPE_SURFACE" SurfaceNumberOfVertices="5"><VertexIndices>1 4</VertexIndices></BrainModel>
</MatrixIndicesMap></Matrix></CIFTI>`

// image makes an image of one map of two places with this XML.
func image(text string) *nifti.Image {
	im := nifti.NewFloat([]int{1, 1, 1, 1, 1, 2}, [3][4]float64{}, []float32{1, 2})
	im.Extensions = []nifti.Extension{{Code: extensionCode, Data: []byte(text)}}
	return im
}

func TestHostileXML(t *testing.T) {
	f, err := Parse(image(xmlOf), "x")
	require.NoError(t, err)
	got, err := f.Surface(0, Left)
	require.NoError(t, err)
	assert.EqualValues(t, 2, got[4])
	for change, part := range map[string]string{
		`"2"><Matrix>/"1"><Matrix>`:                     "want CIFTI 2",
		"<CIFTI/<!DOCTYPE x [<!ENTITY a \"b\">]><CIFTI": "entities",
		"</Matrix>/":       "XML syntax",
		"_SCALARS/_SERIES": "SERIES",
		"<NamedMap><MapName>r</MapName></NamedMap>/": "names 0",
		`IndexOffset="0"/IndexOffset="1"`:            "takes places 1",
		`IndexOffset="0"/IndexOffset="-1"`:           "IndexOffset",
		`IndexCount="2"/IndexCount="3"`:              "of 2",
		`IndexCount="2"/IndexCount="1"`:              "1 vertices are declared",
		`IndexCount="2"/IndexCount="1000000000"`:     "of 2",
		`1 4/1 5`:                                    `vertex "5"`,
		`1 4/4 1`:                                    `vertex "1"`,
		`1 4/1 1`:                                    `vertex "1"`,
		`1 4/1 -4`:                                   `vertex "-4"`,
		`1 4/1`:                                      "there are 1",
		`1 4/1 99999999999`:                          "vertex",
		`SurfaceNumberOfVertices="5"/A=""`:           "SurfaceNumberOfVertices",
		`Dimension="1"/Dimension="7"`:                `dimension "7"`,
		`_TYPE_SURFACE/_TYPE_VOXELS`:                 "",
		`SurfaceNumberOfVertices="5"/SurfaceNumberOfVertices="1000000000"`: "",
	} {
		from, to, _ := strings.Cut(change, "/")
		if strings.HasPrefix(change, "</Matrix>/") {
			from, to = "</Matrix>", ""
		}
		if strings.HasPrefix(change, "<NamedMap>") {
			from, to = "<NamedMap><MapName>r</MapName></NamedMap>", ""
		}
		if strings.HasPrefix(change, `"2"><Matrix>`) {
			from, to = `"2"><Matrix>`, `"1"><Matrix>`
		}
		text := strings.Replace(xmlOf, from, to, 1)
		require.NotEqual(t, xmlOf, text, change)
		fuzztest.Run(t, 64, []byte(text), func() {
			f, err := Parse(image(text), "x")
			if part == "" { // accepted, but there is nothing to show, or too much
				require.NoError(t, err, change)
				got, err := f.Surface(0, Left)
				assert.True(t, got == nil, fmt.Sprint(change, err))
				return
			}
			require.ErrorContains(t, err, part, change)
			assert.Equal(t, fault.BadData, fault.KindOf(err))
		})
	}
	im := image(xmlOf)
	im.Dim = []int{2, 1, 1}
	_, err = Parse(im, "x")
	require.ErrorContains(t, err, "shape")
	im = image(xmlOf)
	im.Extensions = nil
	_, err = Parse(im, "x")
	require.ErrorContains(t, err, "no CIFTI extension")
}

// spread puts the maps of a file on their surfaces, if those do not claim more than the input
// allows to test.
func spread(t *testing.T, f *File) {
	for _, m := range f.models {
		if m.surface > 1<<16 {
			continue
		}
		for k := range f.Maps {
			values, err := f.Surface(k, m.structure)
			require.NoError(t, err)
			require.LessOrEqual(t, len(values), 1<<16)
		}
	}
}

func FuzzCIFTI(f *testing.F) {
	fuzztest.Seeds(f, "testdata/*.nii")
	f.Fuzz(func(t *testing.T, input []byte) {
		if bytes.HasPrefix(input, []byte{0x1f, 0x8b}) {
			return
		}
		fuzztest.Run(t, 64, input, func() {
			im, err := nifti.Parse(input, nil, "fuzz")
			if err != nil {
				return
			}
			if file, err := Parse(im, "fuzz"); err == nil && len(file.Maps)*len(file.models) < 16 {
				spread(t, file)
			}
		})
	})
}

func FuzzCIFTIXML(f *testing.F) {
	f.Add([]byte(xmlOf))
	f.Add([]byte(strings.Replace(xmlOf, "1 4", "0\n3", 1)))
	f.Add([]byte(strings.NewReplacer("_SCALARS", "_LABELS", "</MapName>",
		`</MapName><LabelTable><Label Key="1" Red="0.5">a</Label></LabelTable>`).Replace(xmlOf)))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 64, input, func() {
			if file, err := Parse(image(string(input)), "fuzz"); err == nil {
				spread(t, file)
			}
		})
	})
}
