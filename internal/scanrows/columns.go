package scanrows

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/cifti"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const op = "read scan"

// Columns are what the columns of a subject's rows stand for.
type Columns struct {
	Count  int
	Volume *cortex.Volume // of volumes: the voxel of each column, z fastest
	Places []int          // of other forms: the column of the file that each column is; nil: all

	// Vertices are those of the columns of surfaces, counted through the left hemisphere, then the right; nil if some
	// columns are no vertices.
	Vertices []int
	Surface  int // vertices of both hemispheres

	How string // how they were found
}

// Find finds the columns of the scans of a subject, which have one form. With cortical, those of CIFTI files are the
// vertices of the cortex, without voxels of other structures.
func Find(ctx context.Context, scans []bidsdata.Scan, cortical bool) (*Columns, error) {
	first := scans[0]
	for _, s := range scans {
		if s.Columns != first.Columns || s.Form != first.Form {
			return nil, fault.New(fault.BadData, op, quote.OneLine(s.Files[0]),
				"it has %d columns (%s), %s has %d (%s)",
				s.Columns, s.Form, quote.OneLine(first.Files[0]), first.Columns, first.Form).
				WithHint("take one form of the same resolution")
		}
	}
	switch first.Form.Kind {
	case bidsdata.Dense:
		return dense(scans, cortical)
	case bidsdata.Surface:
		all := make([]int, first.Columns)
		for i := range all {
			all[i] = i
		}
		return &Columns{Count: first.Columns, Vertices: all, Surface: first.Columns,
			How: fmt.Sprintf("%d vertices, of the left hemisphere, then of the right", first.Columns)}, nil
	}
	var masks []string
	for _, s := range scans {
		if s.Mask != "" && !slices.Contains(masks, s.Mask) {
			masks = append(masks, s.Mask)
		}
	}
	if len(masks) == 0 {
		return varying(ctx, scans)
	}
	common, err := cortex.Intersect(masks, cortex.ZFastest)
	if err != nil {
		return nil, err
	}
	c := &Columns{Count: len(common.Voxels), Volume: common.Volume,
		How: fmt.Sprintf("%d voxels of the brain mask", len(common.Voxels))}
	if len(masks) > 1 {
		c.How = fmt.Sprintf("%d voxels that the brain masks of %d scans have in common; %d more are in some of them",
			len(common.Voxels), len(masks), common.Lost)
	}
	for _, s := range scans {
		if err := sameGrid(c.Volume, s.Files[0]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// sameGrid refuses a series on another grid than the mask.
func sameGrid(v *cortex.Volume, file string) error {
	s, err := nifti.OpenSeries(file, []int{})
	if err != nil {
		return err
	}
	defer s.Close()
	wrong := func(why string, args ...any) error {
		return fault.New(fault.BadData, op, quote.OneLine(file), why, args...).
			WithHint("take mask and responses of the same space and resolution")
	}
	if s.Grid != v.Dim {
		return wrong("its volumes have shape %v, the mask's is %v", s.Grid, v.Dim)
	}
	for i := range 3 {
		for j := range 4 {
			if math.Abs(s.Affine[i][j]-v.Affine[i][j]) > 1e-3 {
				return wrong("affine[%d][%d] is %.6g, the mask's is %.6g: its voxels are elsewhere", i, j,
					s.Affine[i][j],
					v.Affine[i][j])
			}
		}
	}
	return nil
}

// dense finds the columns of CIFTI files.
func dense(scans []bidsdata.Scan, cortical bool) (*Columns, error) {
	var first *cifti.Series
	for _, scan := range scans {
		s, err := cifti.OpenSeries(scan.Files[0])
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = s
		}
		if !slices.EqualFunc(first.Structures, s.Structures, sameStructure) {
			return nil, fault.New(fault.BadData, op, quote.OneLine(scan.Files[0]),
				"its places are others than those of %s",
				quote.OneLine(scans[0].Files[0])).WithHint("take files of the same resolution and surface")
		}
	}
	c := &Columns{Count: first.Places}
	left, voxels := 0, 0
	for _, s := range first.Structures {
		if s.Name == cifti.Left {
			left = s.Surface
		}
		if s.Name != cifti.Left && s.Name != cifti.Right {
			voxels += s.Count
		}
	}
	if cortical || voxels == 0 {
		for _, s := range first.Structures {
			offset := map[string]int{cifti.Left: 0, cifti.Right: left}
			from, ok := offset[s.Name]
			if !ok {
				continue
			}
			c.Surface += s.Surface
			for i, v := range s.Vertices {
				c.Places, c.Vertices = append(c.Places, s.First+i), append(c.Vertices, from+int(v))
			}
		}
		if c.Count = len(c.Places); c.Count == 0 {
			return nil, fault.New(fault.BadData, op, quote.OneLine(scans[0].Files[0]),
				"it has no vertices of the cortex")
		}
		voxels = 0
	}
	c.How = fmt.Sprintf("%d places of CIFTI, %d of which are not of the cortex", c.Count, voxels)
	return c, nil
}

func sameStructure(a, b cifti.Structure) bool {
	return a.Name == b.Name && a.First == b.First && a.Count == b.Count && a.Surface == b.Surface &&
		slices.Equal(a.Vertices, b.Vertices) && slices.Equal(a.Voxels, b.Voxels)
}

// varying finds the voxels that vary in all scans: the brain, where programs write 0 or NaN outside of it.
func varying(ctx context.Context, scans []bidsdata.Scan) (*Columns, error) {
	var all []bool
	var volume *cortex.Volume
	seen := map[string]bool{}
	for _, s := range scans {
		if seen[s.Files[0]] {
			continue
		}
		seen[s.Files[0]] = true
		header, err := nifti.OpenSeries(s.Files[0], []int{})
		if err != nil {
			return nil, err
		}
		header.Close()
		if volume == nil {
			volume = &cortex.Volume{Dim: header.Grid, Affine: header.Affine}
			all = make([]bool, s.Columns)
			for i := range all {
				all[i] = true
			}
		}
		if err := sameGrid(volume, s.Files[0]); err != nil {
			return nil, err
		}
		first, vary := make([]float32, s.Columns), make([]bool, s.Columns)
		err = s.Each(nil, func(row int, values []float32) error {
			if row == 0 {
				copy(first, values)
			}
			for i, v := range values {
				vary[i] = vary[i] || v-v == 0 && v != first[i] && first[i] == first[i]
			}
			return context.Cause(ctx)
		})
		if err != nil {
			return nil, err
		}
		for i := range all {
			all[i] = all[i] && vary[i]
		}
	}
	for x := range volume.Dim[0] {
		for y := range volume.Dim[1] {
			for z := range volume.Dim[2] {
				if v := x + volume.Dim[0]*(y+volume.Dim[1]*z); all[v] {
					volume.Voxels = append(volume.Voxels, v)
				}
			}
		}
	}
	if len(volume.Voxels) == 0 {
		return nil, fault.New(fault.BadData, op, quote.OneLine(scans[0].Files[0]), "no voxel varies in all %d scans",
			len(seen)).WithHint("give a mask of the brain")
	}
	return &Columns{Count: len(volume.Voxels), Volume: volume, How: fmt.Sprintf(
		"there is no brain mask: %d voxels, of %d, that vary in all %d scans", len(volume.Voxels), len(all),
		len(seen))}, nil
}
