// Package cifti reads CIFTI-2 files of maps and labels on the cortex (.dscalar.nii, .dlabel.nii): a
// NIfTI-2 matrix of maps by places, whose XML assigns each place a vertex of a structure.
//
// A file holds only some vertices of each hemisphere, not the medial wall. [File.Surface] returns
// all vertices, NaN for those that the file lacks. Voxels of subcortical structures are skipped.
// [OpenSeries] reads dense time series (.dtseries.nii) row by row.
// The specification is CIFTI-2 (NITRC, 1 March 2014).
package cifti

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const reading = "read cifti"

// Structures of the cortex.
const (
	Left  = "CIFTI_STRUCTURE_CORTEX_LEFT"
	Right = "CIFTI_STRUCTURE_CORTEX_RIGHT"
)

// extensionCode marks the XML among a NIfTI file's extensions.
const extensionCode = 32

// File is a file of maps.
type File struct {
	Maps   []Map
	models []model
	values []float32 // maps run fastest
}

// Map is one map: its name, and the table of its labels if it is a map of labels.
type Map struct {
	Name   string
	Labels []gifti.LabelEntry
}

// model is a part of a structure: the vertices of count places from offset on.
type model struct {
	structure     string
	offset, count int
	surface       int // vertices of the whole structure
	vertices      []int32
}

// Read reads the file at path.
func Read(path string) (*File, error) {
	im, err := nifti.Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(im, path)
}

// Is reports whether a NIfTI image is CIFTI.
func Is(im *nifti.Image) bool {
	for _, x := range im.Extensions {
		if x.Code == extensionCode {
			return true
		}
	}
	return false
}

// Parse reads an image, which errors call name.
func Parse(im *nifti.Image, name string) (*File, error) {
	f, err := parse(im)
	if err != nil {
		return nil, raw.Damaged(reading, name, err)
	}
	return f, nil
}

func parse(im *nifti.Image) (*File, error) {
	if len(im.Dim) != 6 || im.Dim[0]*im.Dim[1]*im.Dim[2]*im.Dim[3] != 1 {
		return nil, fmt.Errorf("shape %v, want (1, 1, 1, 1, maps, places)", im.Dim)
	}
	maps, places := im.Dim[4], im.Dim[5]
	f := &File{}
	for _, x := range im.Extensions {
		if x.Code != extensionCode {
			continue
		}
		root, err := raw.ParseXML([]byte(strings.TrimRight(string(x.Data), "\x00")))
		if err != nil {
			return nil, err
		}
		if err := f.matrix(root, maps, places); err != nil {
			return nil, err
		}
		f.values = im.Float32()
		return f, nil
	}
	return nil, errors.New("there is no CIFTI extension, so nothing says which vertex is which")
}

// matrix reads the XML's description of rows and columns.
func (f *File) matrix(root *raw.Element, maps, places int) error {
	if err := version2(root); err != nil {
		return err
	}
	for _, index := range root.One("Matrix").All("MatrixIndicesMap") {
		var err error
		switch kind, dimension := index.Attr("IndicesMapToDataType"), index.Attr("AppliesToMatrixDimension"); {
		case dimension == "1" && kind == "CIFTI_INDEX_TYPE_BRAIN_MODELS":
			f.models, err = brainModels(index, places)
		case dimension == "0" && (kind == "CIFTI_INDEX_TYPE_SCALARS" || kind == "CIFTI_INDEX_TYPE_LABELS"):
			f.Maps, err = namedMaps(index)
		default:
			err = fmt.Errorf("dimension %q is of %q; read are maps (scalars, labels) by places (brain models)",
				quote.Short(dimension), quote.Short(kind))
		}
		if err != nil {
			return err
		}
	}
	if len(f.Maps) != maps || f.models == nil {
		return fmt.Errorf("the matrix has %d maps, the XML names %d, and places in %d structures", maps, len(f.Maps),
			len(f.models))
	}
	return nil
}

func version2(root *raw.Element) error {
	if root.Name != "CIFTI" || !strings.HasPrefix(root.Attr("Version"), "2") {
		return fmt.Errorf("this is %s version %q, want CIFTI 2", quote.OneLine(quote.Short(root.Name)),
			quote.Short(root.Attr("Version")))
	}
	return nil
}

func namedMaps(index *raw.Element) ([]Map, error) {
	var out []Map
	for _, e := range index.All("NamedMap") {
		m := Map{Name: e.One("MapName").Trimmed()}
		var err error
		if m.Labels, err = gifti.LabelTable(e.One("LabelTable")); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// brainModels reads the vertices of the places. Each place belongs to exactly one model.
func brainModels(index *raw.Element, places int) ([]model, error) {
	models := []model{}
	next := 0
	for _, e := range index.All("BrainModel") {
		m := model{structure: e.Attr("BrainStructure")}
		var err error
		if m.offset, err = number(e, "IndexOffset"); err != nil {
			return nil, err
		}
		if m.count, err = number(e, "IndexCount"); err != nil {
			return nil, err
		}
		if m.offset != next || m.count > places-next {
			return nil, fmt.Errorf("%s takes places %d to %d of %d, want them from %d on", quote.Short(m.structure),
				m.offset,
				m.offset+m.count-1, places, next)
		}
		next += m.count
		if e.Attr("ModelType") != "CIFTI_MODEL_TYPE_SURFACE" {
			continue
		}
		if m.surface, err = number(e, "SurfaceNumberOfVertices"); err != nil {
			return nil, err
		}
		if m.vertices, err = vertices(e.One("VertexIndices"), m); err != nil {
			return nil, fmt.Errorf("%s: %w", quote.Short(m.structure), err)
		}
		models = append(models, m)
	}
	if next != places {
		return nil, fmt.Errorf("the matrix has %d places, the XML describes %d", places, next)
	}
	return models, nil
}

func number(e *raw.Element, name string) (int, error) {
	n, err := strconv.ParseInt(e.Attr(name), 10, 31)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %q, want a whole number", name, quote.Short(e.Attr(name)))
	}
	return int(n), nil
}

func vertices(e *raw.Element, m model) ([]int32, error) {
	out := make([]int32, 0, min(m.count, len(e.Text)/2+1))
	last := int64(-1)
	for field := range strings.FieldsSeq(string(e.Text)) {
		v, err := strconv.ParseInt(field, 10, 32)
		if err != nil || v <= last || v >= int64(m.surface) {
			return nil, fmt.Errorf("vertex %q is not among the %d or not above the one before", quote.Short(field),
				m.surface)
		}
		last = v
		out = append(out, int32(v))
	}
	if len(out) != m.count {
		return nil, fmt.Errorf("%d vertices are declared, there are %d", m.count, len(out))
	}
	return out, nil
}

// maxSurface bounds the vertices of a surface. The finest mesh in use (fs_LR 164k) has 163,842.
const maxSurface = 1 << 22

// Surface returns map m on all vertices of a structure, NaN where the file has no value; nil if the
// file lacks the structure.
func (f *File) Surface(m int, structure string) ([]float32, error) {
	for _, model := range f.models {
		if model.structure != structure {
			continue
		}
		if model.surface > maxSurface {
			return nil, raw.Bad(reading, structure, "it claims %d vertices, %d are allowed", model.surface, maxSurface)
		}
		out := make([]float32, model.surface)
		for i := range out {
			out[i] = float32(math.NaN())
		}
		for i, v := range model.vertices {
			out[v] = f.values[m+len(f.Maps)*(model.offset+i)]
		}
		return out, nil
	}
	return nil, nil
}
