package dataset

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/sniff"
	"github.com/brainwavlm/bwlm/npy"
)

// region reads columns or a mask from .npy, .json or .txt.
func (f folder) region(_ context.Context, name string) (Region, error) {
	switch ext := strings.ToLower(filepath.Ext(name)); ext {
	case ".npy":
		return f.regionNPY(name)
	case ".json", ".txt":
		text, err := f.read(name)
		if err != nil {
			return Region{}, err
		}
		if ext == ".json" {
			return regionJSON(text, f.join(name))
		}
		return regionText(text, f.join(name))
	default:
		kind := sniff.File(f.join(name))
		if err := sniff.Other("read ROI", f.join(name), kind, ".npy, text or JSON", sniff.JSON); err != nil {
			return Region{}, err
		}
		return Region{}, badRegion(f.join(name), "the name ends in %q, want .npy, .txt or .json", ext)
	}
}

func badRegion(path, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, "read ROI", path, why, args...)
}

func regionJSON(text []byte, path string) (Region, error) {
	var mask []bool
	if json.Unmarshal(text, &mask) == nil && len(mask) > 0 {
		return Region{Mask: mask}, nil
	}
	var columns []int
	if err := json.Unmarshal(text, &columns); err != nil {
		return Region{}, badRegion(path, "want a list of whole numbers, or of true and false: %v", err)
	}
	return Region{Columns: columns}, nil
}

// regionText reads whole numbers, or the words true and false, between white space. Lines that
// begin with # are skipped.
func regionText(text []byte, path string) (Region, error) {
	var region Region
	line := 0
	for l := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		line++
		if strings.HasPrefix(strings.TrimSpace(l), "#") {
			continue
		}
		for field := range strings.FieldsSeq(l) {
			v, err := strconv.ParseFloat(field, 64)
			yes, no := strings.EqualFold(field, "true"), strings.EqualFold(field, "false")
			switch {
			case yes || no:
				region.Mask = append(region.Mask, yes)
			case err == nil && whole(v):
				region.Columns = append(region.Columns, int(v))
			default:
				return Region{}, badRegion(path, "line %d: %s is not a column", line, quoted([]byte(field)))
			}
			if region.Mask != nil && region.Columns != nil {
				return Region{}, badRegion(path, "line %d: %s stands among others of another kind", line,
					quoted([]byte(field)))
			}
		}
	}
	return region, nil
}

func (f folder) regionNPY(name string) (Region, error) {
	path, err := f.find(name)
	if err != nil {
		return Region{}, err
	}
	array, err := npy.Read(path)
	if err != nil {
		return Region{}, err
	}
	if len(array.Shape) != 1 {
		return Region{}, badRegion(path, "shape %v, want one dimension", array.Shape)
	}
	if array.DType == npy.Bool {
		mask, err := array.Bool()
		return Region{Mask: mask}, err
	}
	// Through floats, since atlases are often saved as such.
	numbers, err := array.Float64()
	if err != nil {
		return Region{}, err
	}
	region := Region{Columns: make([]int, len(numbers))}
	for i, v := range numbers {
		if !whole(v) {
			return Region{}, badRegion(path, "element %d is %g, not a column", i, v)
		}
		region.Columns[i] = int(v)
	}
	return region, nil
}

// whole reports whether v is a whole number small enough to be a column.
func whole(v float64) bool { return v == math.Trunc(v) && math.Abs(v) < 1<<31 }
