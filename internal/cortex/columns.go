package cortex

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const readRegion = "read region"

// ReadColumns reads a region of a number of columns from a .txt or .json file: a list of columns,
// counted from 0, or 0 or 1, or true or false, for each column. Text may have comments after #. For
// a .npy file use npy.Read and [ColumnMask].
func ReadColumns(path string, columns int) (Mask, error) {
	data, err := raw.ReadFile(readRegion, path)
	if err != nil {
		return nil, err
	}
	var numbers []float64
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".json":
		var mask []bool
		if json.Unmarshal(data, &mask) == nil && len(mask) > 0 {
			for _, in := range mask {
				numbers = append(numbers, truth(in))
			}
			if len(mask) != columns {
				return nil, wrongLength(path, len(mask), columns)
			}
		} else if err := json.Unmarshal(data, &numbers); err != nil {
			return nil, raw.Bad(readRegion, path, "want a list of columns, or of true and false: %v", err)
		}
	case ".txt":
		line := 0
		for text := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
			line++
			text, _, _ = strings.Cut(text, "#")
			for field := range strings.FieldsSeq(text) {
				v, err := strconv.ParseFloat(field, 64)
				switch {
				case strings.EqualFold(field, "true"), strings.EqualFold(field, "false"):
					v = truth(strings.EqualFold(field, "true"))
				case err != nil:
					return nil, raw.Bad(readRegion, path, "line %d: %q is not a column", line, quote.Short(field))
				}
				numbers = append(numbers, v)
			}
		}
	default:
		return nil, raw.Bad(readRegion, path, "the name ends in %q, want .txt or .json", ext)
	}
	return ColumnMask(numbers, columns, path)
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func wrongLength(path string, have, columns int) error {
	return raw.Bad(readRegion, path, "the mask is for %d columns, there are %d", have, columns)
}

// ColumnMask makes a mask of a number of columns from a list of them, or from 0 or 1 for each.
// Errors call it name.
func ColumnMask(numbers []float64, columns int, name string) (Mask, error) {
	m := make(Mask, columns)
	asMask := len(numbers) == columns && columns > 2
	for _, v := range numbers {
		asMask = asMask && (v == 0 || v == 1)
	}
	for i, v := range numbers {
		switch {
		case asMask:
			m[i] = v == 1
		case !(v >= 0 && v < float64(columns)) || v != float64(int(v)):
			return nil, raw.Bad(readRegion, name, "number %d is %v, not one of %d columns, counted from 0", i, v,
				columns)
		case m[int(v)]:
			return nil, raw.Bad(readRegion, name, "column %v is listed twice", v)
		default:
			m[int(v)] = true
		}
	}
	if m.Count() == 0 {
		return nil, raw.Bad(readRegion, name, "the region is empty")
	}
	return m, nil
}
