package cortex

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/annot"
	"github.com/brainwavlm/bwlm/internal/cifti"
	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const readAtlas = "read atlas"

// Hemisphere is one side of the brain, or both.
type Hemisphere int

// The hemispheres.
const (
	Both Hemisphere = iota
	Left
	Right
)

// String returns L, R or "both".
func (h Hemisphere) String() string { return [...]string{"both", "L", "R"}[h] }

// Region is a named set of columns. The same region on the other side is a Region of its own, with
// the same Name.
type Region struct {
	Name       string // without marks of the side: A1 for L_A1_ROI
	FullName   string // as in the file
	Hemisphere Hemisphere
	Background bool // medial wall, unknown
}

// Atlas assigns each column at most one region.
type Atlas struct {
	Left, Right int      // vertices of each side; of a volume, Left is the number of voxels
	Volume      *Volume  // of a volume, else nil
	Regions     []Region // left before right, each in the order of the file's table
	Labels      []int32  // for each column an index of Regions, or -1
}

// Columns is the number of columns.
func (a *Atlas) Columns() int { return a.Left + a.Right }

// ReadAtlas reads an atlas from a file for each hemisphere, left before right (FreeSurfer .annot or
// GIFTI labels; "" for a hemisphere that is omitted), or from one file of both (CIFTI .dlabel.nii),
// or from a volume of labels (NIfTI), whose regions are named by their numbers. The columns of a
// volume are the voxels of mask in its order, or all voxels without a mask.
func ReadAtlas(mask *Volume, paths ...string) (*Atlas, error) {
	switch len(paths) {
	case 1:
		if !strings.Contains(paths[0], ".nii") && !strings.HasSuffix(paths[0], ".hdr") &&
			!strings.HasSuffix(paths[0], ".img") {
			return nil, fault.New(fault.Usage, readAtlas, quote.OneLine(paths[0]), "this is of one hemisphere").
				WithHint("name the other's file, too")
		}
		return readWhole(mask, paths[0])
	case 2:
		a := &Atlas{}
		for i, path := range paths {
			if path == "" {
				continue
			}
			labels, table, err := readSide(path)
			if err != nil {
				return nil, err
			}
			side := Left + Hemisphere(i)
			if err := a.add(side, labels, table, path); err != nil {
				return nil, err
			}
		}
		return a, a.labelled(strings.Join(paths, ", "))
	}
	return nil, fault.New(fault.Usage, readAtlas, "",
		"%d files are named, want one for each hemisphere, or one for both", len(paths))
}

// row is a row of an atlas's table.
type row struct {
	key  int32
	name string
}

// readSide reads the labels of one hemisphere.
func readSide(path string) ([]int32, []row, error) {
	if !strings.HasSuffix(path, ".gii") && !strings.HasSuffix(path, ".gii.gz") {
		a, err := annot.Read(path)
		if err != nil {
			return nil, nil, err
		}
		var table []row
		for i, e := range a.Table {
			table = append(table, row{int32(i), e.Name})
		}
		return a.Labels, table, nil
	}
	im, err := gifti.Read(path)
	if err != nil {
		return nil, nil, err
	}
	array := im.Find(gifti.Label)
	if array == nil || array.Len() != array.Dims[0] {
		return nil, nil, raw.Bad(readAtlas, path, "it has no array of one label for each vertex").
			WithHint("give a label file (.label.gii)")
	}
	labels, err := array.Int32()
	return labels, rows(im.Labels), err
}

func rows(labels []gifti.LabelEntry) []row {
	var table []row
	for _, l := range labels {
		table = append(table, row{l.Key, l.Name})
	}
	return table
}

// readWhole reads both hemispheres, or a volume.
func readWhole(mask *Volume, path string) (*Atlas, error) {
	im, err := nifti.Read(path)
	if err != nil {
		return nil, err
	}
	if !cifti.Is(im) {
		return volumeAtlas(mask, im, path)
	}
	f, err := cifti.Parse(im, path)
	if err != nil {
		return nil, err
	}
	a := &Atlas{}
	for i, structure := range []string{cifti.Left, cifti.Right} {
		values, err := f.Surface(0, structure)
		if err != nil {
			return nil, err
		}
		if values == nil {
			return nil, raw.Bad(readAtlas, path, "it has no labels of %s", structure)
		}
		labels := make([]int32, len(values))
		for v, x := range values {
			if math.IsNaN(float64(x)) {
				labels[v] = none
				continue
			}
			if labels[v], err = raw.Whole(float64(x), v); err != nil {
				return nil, raw.Damaged(readAtlas, path, err)
			}
		}
		if err := a.add(Left+Hemisphere(i), labels, rows(f.Maps[0].Labels), path); err != nil {
			return nil, err
		}
	}
	return a, a.labelled(path)
}

// none is the key of a vertex that is not in the file.
const none = math.MinInt32

// add appends one hemisphere, whose vertices have the keys of a table.
func (a *Atlas) add(side Hemisphere, labels []int32, table []row, path string) error {
	index := make(map[int32]int32, len(table))
	used := make(map[int32]bool, len(table))
	for _, l := range labels {
		used[l] = true
	}
	for _, r := range table {
		if !used[r.key] {
			continue
		}
		name, says := bareName(r.name)
		if says != Both && says != side {
			return raw.Bad(readAtlas, path, "it is read as the %s hemisphere, and its vertices are of %q", side,
				quote.Short(r.name)).
				WithHint("give the left file before the right one")
		}
		index[r.key] = int32(len(a.Regions))
		a.Regions = append(a.Regions, Region{name, r.name, side, isBackground(name)})
	}
	for v, l := range labels {
		i, known := index[l]
		switch {
		case known:
		case l == 0 || l == annot.None || l == none:
			i = -1
		default:
			return raw.Bad(readAtlas, path, "vertex %d has the label %d, which has no name in the table", v, l)
		}
		a.Labels = append(a.Labels, i)
	}
	if side == Left {
		a.Left = len(labels)
	} else {
		a.Right = len(labels)
	}
	return nil
}

// labelled refuses an atlas in which no column has a region.
func (a *Atlas) labelled(path string) error {
	if !slices.ContainsFunc(a.Labels, func(l int32) bool { return l >= 0 && !a.Regions[l].Background }) {
		return raw.Bad(readAtlas, path, "none of its %d vertices or voxels has a region", len(a.Labels))
	}
	return nil
}

// bareName removes the marks of the side from a name: L_A1_ROI, lh.A1, A1-lh and ctx-lh-A1 are A1
// of the left.
func bareName(name string) (string, Hemisphere) {
	side := Both
	name = strings.TrimPrefix(name, "ctx-")
	for _, mark := range []struct {
		text string
		side Hemisphere
	}{{"L_", Left}, {"lh_", Left}, {"lh.", Left}, {"lh-", Left}, {"R_", Right}, {"rh_", Right}, {"rh.", Right},
		{"rh-", Right}} {
		if bare, ok := strings.CutPrefix(name, mark.text); ok && bare != "" {
			name, side = bare, mark.side
			break
		}
	}
	for text, s := range map[string]Hemisphere{"-lh": Left, "-rh": Right} {
		if bare, ok := strings.CutSuffix(name, text); ok && bare != "" {
			name, side = bare, s
		}
	}
	return strings.TrimSuffix(name, "_ROI"), side
}

// isBackground reports whether a name means "no region".
func isBackground(name string) bool {
	switch strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name)) {
	case "medialwall", "unknown", "???", "background", "corpuscallosum":
		return true
	}
	return false
}

// volumeAtlas makes a region of each label of a volume, named by its number.
func volumeAtlas(mask *Volume, im *nifti.Image, path string) (*Atlas, error) {
	v, err := newVolume(im, path)
	if err != nil {
		return nil, err
	}
	labels, err := im.Labels()
	if err != nil {
		return nil, err
	}
	if mask == nil {
		mask = v.whole()
	}
	if err := mask.sameGrid(v, path); err != nil {
		return nil, err
	}
	a := &Atlas{Left: len(mask.Voxels), Volume: mask}
	index := map[int32]int32{}
	for _, l := range slices.Compact(slices.Sorted(slices.Values(labels))) {
		if l < 0 {
			return nil, raw.Bad(readAtlas, path, "label %d is negative", l).WithHint("check the type of its numbers")
		}
		if l > 0 {
			index[l] = int32(len(a.Regions))
			name := strconv.Itoa(int(l))
			a.Regions = append(a.Regions, Region{Name: name, FullName: name})
		}
	}
	for _, voxel := range mask.Voxels {
		i, ok := index[labels[voxel]]
		if !ok {
			i = -1
		}
		a.Labels = append(a.Labels, i)
	}
	return a, a.labelled(path)
}

// Side is the set of columns of a hemisphere.
func (a *Atlas) Side(h Hemisphere) Mask {
	m := make(Mask, a.Columns())
	if h != Both && a.Volume != nil {
		for c, voxel := range a.Volume.Voxels {
			x := a.Volume.Place(voxel)[0]
			m[c] = h == Left && x < 0 || h == Right && x > 0
		}
		return m
	}
	for c := range m {
		m[c] = h == Both || (c < a.Left) == (h == Left)
	}
	return m
}
