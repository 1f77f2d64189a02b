package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/npy"
)

// roiFlags select columns of an atlas.
type roiFlags struct {
	atlas       []string
	mask, order string
	rois, maps  []string
	choose, out string
}

func roiCommand(a *app) *cobra.Command {
	var f roiFlags
	c := &cobra.Command{
		Use:   "roi --atlas FILE [FILE] [--select EXPRESSION --out FILE]",
		Short: "Make an ROI from an atlas",
		Long: `Writes the columns of an ROI, counted from 0, the left hemisphere's vertices before the right's, in a
format for the rois of a data set: .json and .txt lists, or .npy. Without --select it lists the regions of the atlas.

An atlas is a file for each hemisphere, left before right (FreeSurfer .annot, GIFTI .label.gii), one CIFTI .dlabel.nii,
or a NIfTI volume of labels, whose regions are called by their numbers; of a volume, the columns are the voxels of
--mask.

The language of --select:
` + cortex.SelectHelp + `

Presets: ` + presetHelp() + `

--json prints {"schema", "out", "select", "columns", "count", "left", "right"}, and without --select {"schema",
"columns", "rois"}.`,
		Example: `  bwlm roi --atlas lh.annot rh.annot --select 'A1|LBelt|MBelt|PBelt' --out roi.json
  bwlm roi --atlas lh.annot rh.annot --map ceiling=ceiling.npy --select 'L:@language & ceiling>=0.1' --out language.json
  bwlm roi --atlas labels.nii.gz --mask mask.nii.gz --select '17, 18' --out roi.npy
  bwlm roi --atlas lh.annot rh.annot`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(f.atlas) == 0 {
				return usage(c, "--atlas is missing")
			}
			selector, err := f.selector(append(f.atlas, args...))
			if err != nil {
				return err
			}
			if f.choose == "" {
				if f.out != "" {
					return usage(c, "--select is missing")
				}
				return a.listRegions(selector.Atlas)
			}
			if f.out == "" {
				return usage(c, "--out is missing")
			}
			return a.makeRegion(selector, f)
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&f.atlas, "atlas", nil, "`file` of labels for each hemisphere, or for both")
	flags.StringVar(&f.choose, "select", "", "`expression` that selects the columns")
	flags.StringVar(&f.out, "out", "", "`file` to write: .json, .txt or .npy; it is replaced")
	flags.StringArrayVar(&f.rois, "roi", nil,
		"`name=file` of columns or of a mask (.json, .txt, .npy), to be used in --select; repeatable")
	flags.StringArrayVar(&f.maps, "map", nil,
		"`name=file` of one value for each column, to be compared in --select; repeatable")
	flags.StringVar(&f.mask, "mask", "", "NIfTI `file` whose voxels are the columns of a volume")
	flags.StringVar(&f.order, "order", "nilearn",
		"order of the mask's voxels: nilearn (z runs fastest) or pycortex (x does)")
	return c
}

func presetHelp() string {
	var parts []string
	for _, p := range cortex.Presets() {
		parts = append(parts, fmt.Sprintf("\n  @%-17s %s: %s", p.Name, p.About, wrap(strings.Join(p.Regions, " "), 21)))
	}
	return strings.Join(parts, "")
}

// wrap breaks a text of words that begins somewhere in a line of 125 columns, and indents what follows.
func wrap(text string, indent int) string {
	var b strings.Builder
	column := indent + 40
	for word := range strings.FieldsSeq(text) {
		if column+len(word) > 120 {
			b.WriteString("\n" + strings.Repeat(" ", indent-1))
			column = indent
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
		column += len(word) + 1
	}
	return b.String()
}

// selector reads the atlas and what else --select may name.
func (f *roiFlags) selector(atlas []string) (*cortex.Selector, error) {
	var mask *cortex.Volume
	if f.mask != "" {
		order, err := voxelOrder(f.order)
		if err != nil {
			return nil, err
		}
		if mask, err = cortex.ReadMask(f.mask, order); err != nil {
			return nil, err
		}
	}
	read, err := cortex.ReadAtlas(mask, atlas...)
	if err != nil {
		return nil, err
	}
	s := &cortex.Selector{Atlas: read, Masks: map[string]cortex.Mask{}, Maps: map[string][]float32{}}
	for _, pair := range f.rois {
		name, path, err := nameAndFile("--roi", pair)
		if err != nil {
			return nil, err
		}
		if s.Masks[name], err = readRegion(path, read.Columns()); err != nil {
			return nil, err
		}
	}
	for _, pair := range f.maps {
		name, path, err := nameAndFile("--map", pair)
		if err != nil {
			return nil, err
		}
		if s.Maps[name], err = readValues(path, read.Left, read.Right); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func voxelOrder(name string) (cortex.Order, error) {
	switch name {
	case "nilearn":
		return cortex.ZFastest, nil
	case "pycortex":
		return cortex.XFastest, nil
	}
	return 0, fault.New(fault.Usage, "roi", "--order", "%q is neither nilearn nor pycortex", name)
}

func nameAndFile(flag, pair string) (name, path string, err error) {
	name, path, ok := strings.Cut(pair, "=")
	if !ok || name == "" || path == "" {
		return "", "", fault.New(fault.Usage, "roi", flag, "%q is not NAME=FILE", pair)
	}
	return name, path, nil
}

// readRegion reads columns or a mask.
func readRegion(path string, columns int) (cortex.Mask, error) {
	if filepath.Ext(path) != ".npy" {
		return cortex.ReadColumns(path, columns)
	}
	array, err := npy.Read(path)
	if err != nil {
		return nil, err
	}
	if array.DType == npy.Bool {
		mask, err := array.Bool()
		if err == nil && len(mask) != columns {
			err = fault.New(fault.BadData, "read ROI", path, "the mask is for %d columns, there are %d", len(mask),
				columns)
		}
		return mask, err
	}
	numbers, err := array.Float64()
	if err != nil {
		return nil, err
	}
	return cortex.ColumnMask(numbers, columns, path)
}

// readValues reads one value for each column, left then right: from a .npy file, GIFTI files parted
// by a comma, or a CIFTI file.
func readValues(path string, left, right int) ([]float32, error) {
	if filepath.Ext(path) != ".npy" {
		values, err := cortex.ReadMaps(strings.Split(path, ",")...)
		if err != nil {
			return nil, err
		}
		return values, valueCount(path, []int{len(values)}, left, right)
	}
	array, err := npy.Read(path)
	if err != nil {
		return nil, err
	}
	if err := valueCount(path, array.Shape, left, right); err != nil {
		return nil, err
	}
	if array.DType == npy.Bool {
		mask, err := array.Bool()
		values := make([]float32, len(mask))
		for i, in := range mask {
			if in {
				values[i] = 1
			}
		}
		return values, err
	}
	return array.Float32()
}

// valueCount wants one value for each vertex or voxel.
func valueCount(path string, shape []int, left, right int) error {
	if len(shape) == 1 && shape[0] == left+right {
		return nil
	}
	want := fmt.Sprint(left)
	if right > 0 {
		want = fmt.Sprintf("%d + %d = %d", left, right, left+right)
	}
	return fault.New(fault.BadData, "read values", path, "shape %v, want %s values, one for each vertex or voxel",
		shape, want).
		WithHint("check that the values belong to this surface, atlas or mask")
}

// makeRegion writes what is selected.
func (a *app) makeRegion(s *cortex.Selector, f roiFlags) error {
	mask, err := s.Select(f.choose)
	if err != nil {
		return err
	}
	columns := mask.Columns()
	if err := writeColumns(f.out, columns); err != nil {
		return err
	}
	answer := struct {
		Schema  int    `json:"schema"`
		Out     string `json:"out"`
		Select  string `json:"select"`
		Columns int    `json:"columns"` // there are
		Count   int    `json:"count"`   // in the ROI
		Left    int    `json:"left"`
		Right   int    `json:"right"`
	}{1, f.out, f.choose, len(mask), len(columns), mask.And(s.Atlas.Side(cortex.Left)).Count(),
		mask.And(s.Atlas.Side(cortex.Right)).Count()}
	return a.answer(answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %d of %d columns, left %d, right %d\n", f.out, answer.Count, answer.Columns,
			answer.Left, answer.Right)
		return err
	})
}

// writeColumns writes a list of columns in the format of the file's extension.
func writeColumns(path string, columns []int) error {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".npy":
		list := make([]int64, len(columns))
		for i, c := range columns {
			list[i] = int64(c)
		}
		return npy.Write(path, []int{len(list)}, list)
	case ".json":
		return atomicfile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(columns) })
	case ".txt":
		return atomicfile.Write(path, func(w io.Writer) error {
			for _, c := range columns {
				if _, err := fmt.Fprintln(w, c); err != nil {
					return err
				}
			}
			return nil
		})
	default:
		return fault.New(fault.Usage, "roi", "--out", "the name ends in %q, want .json, .txt or .npy", ext)
	}
}

// regionLine is a region in the list.
type regionLine struct {
	Name  string `json:"name"`
	Left  int    `json:"left"`
	Right int    `json:"right"`
	Count int    `json:"count"`
}

// listRegions prints the regions of an atlas and how large they are, the two sides of one on one line.
func (a *app) listRegions(atlas *cortex.Atlas) error {
	at := map[string]int{}
	lines := []regionLine{}
	of := make([]int, len(atlas.Regions)) // the line of each region
	for i, r := range atlas.Regions {
		line, known := at[r.Name]
		if !known {
			line = len(lines)
			at[r.Name] = line
			lines = append(lines, regionLine{Name: r.Name})
		}
		of[i] = line
	}
	left := atlas.Side(cortex.Left)
	right := atlas.Side(cortex.Right)
	for c, l := range atlas.Labels {
		if l < 0 {
			continue
		}
		line := &lines[of[l]]
		line.Count++
		if left[c] {
			line.Left++
		}
		if right[c] {
			line.Right++
		}
	}
	answer := map[string]any{"schema": 1, "columns": atlas.Columns(), "rois": lines}
	return a.answer(answer, func(w io.Writer) error {
		rows := [][]string{}
		for _, l := range lines {
			rows = append(rows, []string{l.Name, fmt.Sprint(l.Left), fmt.Sprint(l.Right), fmt.Sprint(l.Count)})
		}
		return ui.Table(w, []string{"region", "left", "right", "columns"}, rows)
	})
}
