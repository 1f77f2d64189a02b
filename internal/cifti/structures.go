package cifti

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

// structures reads which vertex or voxel each place is.
func structures(index *raw.Element, places int) ([]Structure, error) {
	models, err := brainModels(index, places)
	if err != nil {
		return nil, err
	}
	var out []Structure
	surfaces := 0
	for _, e := range index.All("BrainModel") {
		s := Structure{Name: e.Attr("BrainStructure")}
		s.First, _ = number(e, "IndexOffset") // brainModels has checked both
		s.Count, _ = number(e, "IndexCount")
		if e.Attr("ModelType") == "CIFTI_MODEL_TYPE_SURFACE" {
			s.Vertices, s.Surface = models[surfaces].vertices, models[surfaces].surface
			surfaces++
		} else if s.Voxels, err = voxels(e.One("VoxelIndicesIJK"), s.Count); err != nil {
			return nil, fmt.Errorf("%s: %w", quote.OneLine(quote.Short(s.Name)), err)
		}
		s.Name = quote.OneLine(quote.Short(s.Name))
		out = append(out, s)
	}
	return out, nil
}

// voxels reads the indices of count voxels, three for each.
func voxels(e *raw.Element, count int) ([][3]uint16, error) {
	out := make([][3]uint16, 0, min(count, len(e.Text)/6+1))
	var v [3]uint16
	axis := 0
	for field := range strings.FieldsSeq(string(e.Text)) {
		n, err := strconv.ParseUint(field, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%q is no index of a voxel", quote.Short(field))
		}
		v[axis] = uint16(n)
		if axis = (axis + 1) % 3; axis == 0 {
			out = append(out, v)
		}
	}
	if axis != 0 || len(out) != count {
		return nil, fmt.Errorf("%d voxels are declared, there are %d and %d indices", count, len(out), axis)
	}
	return out, nil
}
