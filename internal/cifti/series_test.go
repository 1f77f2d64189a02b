package cifti

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

func rowsOf(t *testing.T, s *Series) [][]float32 {
	t.Helper()
	var rows [][]float32
	require.NoError(t, s.Each(func(row int, values []float32) error {
		require.Equal(t, len(rows), row)
		rows = append(rows, append([]float32{}, values...))
		return nil
	}))
	return rows
}

// Numbers, times and places are those of nibabel, however small the memory is in which they are turned.
func TestSeriesAreThoseOfNibabel(t *testing.T) {
	var want map[string]struct {
		Start, Step float64
		Rows        [][]float32
		Structures  []struct {
			Name         string
			First, Count int
			Vertices     []int32
			Surface      int
			Voxels       [][3]uint16
		}
	}
	text, err := os.ReadFile("testdata/series.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &want))
	require.Len(t, want, 3)
	for name, w := range want {
		s, err := OpenSeries("testdata/" + name)
		require.NoError(t, err, name)
		assert.InDelta(t, w.Start, s.Start, 1e-9, name)
		assert.InDelta(t, w.Step, s.Step, 1e-9, name)
		require.Len(t, s.Structures, len(w.Structures), name)
		for i, st := range w.Structures {
			assert.Equal(t, Structure(st), s.Structures[i], name)
		}
		assert.Equal(t, len(w.Rows[0]), s.Columns(), name)
		for _, memory := range []int{64 << 20, 4, 400} {
			s.BlockBytes = memory
			assert.Equal(t, w.Rows, rowsOf(t, s), "%s in %d bytes", name, memory)
		}
	}
}

// The files of laboratories: their verdict is to be read.
func TestLaboratoryFilesAreRead(t *testing.T) {
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	for name, start := range map[string]float64{"RDR_run-1": 0, "start": .355} {
		s, err := OpenSeries(filepath.Join(root, "labfiles/bids/derivatives/cifti",
			"sub-01_task-"+name+"_bold.dtseries.nii"))
		require.NoError(t, err)
		assert.InDelta(t, start, s.Start, 1e-9)
		assert.InDelta(t, .71, s.Step, 1e-9)
		assert.Equal(t, 20, s.Rows)
		assert.Equal(t, 10+11+13, s.Places)
		require.Len(t, s.Structures, 3)
		assert.Equal(t, 12, s.Structures[1].Surface)
		assert.EqualValues(t, 1, s.Structures[1].Vertices[0])
		assert.Equal(t, [3]uint16{0, 0, 2}, s.Structures[2].Voxels[0])
		for _, row := range rowsOf(t, s) {
			for _, v := range row {
				require.False(t, math.IsNaN(float64(v)))
				require.NotZero(t, v)
			}
		}
	}
}

const seriesXML = `<CIFTI Version="2"><Matrix>
<MatrixIndicesMap AppliesToMatrixDimension="0" IndicesMapToDataType="CIFTI_INDEX_TYPE_SERIES"
NumberOfSeriesPoints="3" SeriesExponent="-3" SeriesStart="500" SeriesStep="710" SeriesUnit="SECOND"/>
<MatrixIndicesMap AppliesToMatrixDimension="1" IndicesMapToDataType="CIFTI_INDEX_TYPE_BRAIN_MODELS">
<BrainModel IndexOffset="0" IndexCount="1" BrainStructure="CIFTI_STRUCTURE_CORTEX_LEFT"
ModelType="CIFTI_MODEL_TYPE_SURFACE" SurfaceNumberOfVertices="5"><VertexIndices>4</VertexIndices></BrainModel>
<BrainModel IndexOffset="1" IndexCount="1" BrainStructure="CIFTI_STRUCTURE_THALAMUS_LEFT"
ModelType="CIFTI_MODEL_TYPE_VOXELS"><VoxelIndicesIJK>1 2 3</VoxelIndicesIJK></BrainModel>
</MatrixIndicesMap></Matrix></CIFTI>`

// dtseries is a file of three rows of two places, of NIfTI-2, with this XML.
func dtseries(xml string) []byte {
	for (len(xml)+8)%16 != 0 {
		xml += "\x00"
	}
	b := make([]byte, 540, 544+8+len(xml)+24)
	o := binary.LittleEndian
	o.PutUint32(b, 540)
	copy(b[4:], "n+2\x00\r\n\x1a\n")
	o.PutUint16(b[12:], 16)
	o.PutUint16(b[14:], 32)
	for i, d := range []uint64{6, 1, 1, 1, 1, 3, 2} {
		o.PutUint64(b[16+8*i:], d)
	}
	o.PutUint64(b[168:], uint64(544+8+len(xml)))
	o.PutUint32(b[504:], 3002)
	b = append(b, 1, 0, 0, 0)
	b = o.AppendUint32(b, uint32(8+len(xml)))
	b = o.AppendUint32(b, extensionCode)
	b = append(b, xml...)
	for _, v := range []float32{1, 2, 3, 10, 20, 30} { // rows run fastest
		b = o.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.dtseries.nii")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func TestStartStepAndExponent(t *testing.T) {
	s, err := OpenSeries(write(t, dtseries(seriesXML)))
	require.NoError(t, err)
	assert.InDelta(t, .5, s.Start, 1e-12)
	assert.InDelta(t, .71, s.Step, 1e-12)
	assert.Equal(t, [][]float32{{1, 10}, {2, 20}, {3, 30}}, rowsOf(t, s))
	enough := errors.New("enough")
	require.ErrorIs(t, s.Each(func(int, []float32) error { return enough }), enough)
}

func TestSeriesThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ was, is, part string }{
		"hertz":          {`"SECOND"`, `"HERTZ"`, `unit of the series is "HERTZ", want SECOND`},
		"no unit":        {`SeriesUnit="SECOND"`, ``, `the unit of the series is ""`},
		"points":         {`Points="3"`, `Points="4"`, `"4" points in time, the matrix 3`},
		"exponent":       {`"-3"`, `"-99"`, `SeriesExponent is "-99"`},
		"start":          {`"500"`, `"NaN"`, `SeriesStart is "NaN"`},
		"step of 0":      {`"710"`, `"0"`, "SeriesStep is 0"},
		"step":           {`"710"`, `"1e999"`, "SeriesStep"},
		"maps, not rows": {"TYPE_SERIES", "TYPE_SCALARS", "SCALARS"},
		"parcels":        {"TYPE_BRAIN_MODELS", "TYPE_PARCELS", "PARCELS"},
		"voxels":         {"1 2 3", "1 2", "1 voxels are declared, there are 0 and 2 indices"},
		"an index":       {"1 2 3", "1 2 -3", `"-3" is no index of a voxel`},
		"a place twice":  {`IndexOffset="1"`, `IndexOffset="0"`, "takes places 0"},
		"version 1":      {`Version="2"`, `Version="1"`, "want CIFTI 2"},
		"entities":       {"<CIFTI", "<!DOCTYPE x [<!ENTITY a \"b\">]><CIFTI", "entities"},
		"time twice": {"</Matrix>", `<MatrixIndicesMap AppliesToMatrixDimension="0"
			IndicesMapToDataType="CIFTI_INDEX_TYPE_SERIES"/></Matrix>`, "SERIES"},
		"nothing about rows": {`<MatrixIndicesMap AppliesToMatrixDimension="0"`, `<Other A="0"`, "not describe both"},
	} {
		text := strings.Replace(seriesXML, c.was, c.is, 1)
		require.NotEqual(t, seriesXML, text, name)
		_, err := OpenSeries(write(t, dtseries(text)))
		faulttest.Require(t, fault.BadData, err, c.part)
	}
	sound := dtseries(seriesXML)
	_, err := OpenSeries(write(t, sound[:len(sound)-1]))
	faulttest.Require(t, fault.BadData, err, "needs")
	_, err = OpenSeries("testdata/none.dtseries.nii")
	faulttest.Require(t, fault.Missing, err)
	_, err = OpenSeries("testdata/atlas.dlabel.nii")
	faulttest.Require(t, fault.BadData, err, "LABELS")
	path := write(t, sound)
	s, err := OpenSeries(path)
	require.NoError(t, err)
	other := bytes.Replace(sound, []byte{3, 0, 0, 0, 0, 0, 0, 0, 2}, []byte{2, 0, 0, 0, 0, 0, 0, 0, 3}, 1)
	require.NoError(t, os.WriteFile(path, other, 0o600))
	require.ErrorContains(t, s.Each(func(int, []float32) error { return nil }), "the file changed")
}

func FuzzSeries(f *testing.F) {
	f.Add(dtseries(seriesXML))
	fuzztest.Seeds(f, "testdata/*.dtseries.nii")
	f.Fuzz(func(t *testing.T, input []byte) {
		path := filepath.Join(t.TempDir(), "x.nii")
		require.NoError(t, os.WriteFile(path, input, 0o600))
		fuzztest.Run(t, 1200, input, func() {
			in, err := nifti.OpenStream(path)
			if err != nil {
				return
			}
			s, err := parseSeries(in)
			in.Close()
			if err != nil {
				return
			}
			s.path, s.BlockBytes = path, max(1<<16, 4*s.Places*((s.Rows+3)/4)) // four passes at most
			rows := 0
			if s.Each(func(int, []float32) error { rows++; return nil }) == nil {
				require.Equal(t, s.Rows, rows)
			}
		})
	})
}
