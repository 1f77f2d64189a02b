package freesurfer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/raw"
)

// ScannerOf reads, from the bytes of a surface, which errors call name, the map from its coordinates to those of the
// scanner: out[i] = sum of map[i][j]·p[j], plus map[i][3]. It is in the geometry of the volume behind the triangles; a
// surface without it is an error. mris_convert --to-scanner does the same.
func ScannerOf(data []byte, name string) (scanner [3][4]float64, err error) {
	if !isSurface(data) {
		return scanner, raw.Bad(readingSurface, name, "it is no surface of FreeSurfer")
	}
	rest := data[len(triangles):]
	for range 2 {
		_, rest, _ = bytes.Cut(rest, []byte{'\n'})
	}
	if len(rest) < 8 {
		return scanner, raw.Damaged(readingSurface, name, errors.New("the file ends in its header"))
	}
	v, f := int64(int32(binary.BigEndian.Uint32(rest))), int64(int32(binary.BigEndian.Uint32(rest[4:])))
	if end := 8 + 12*(v+f); v < 0 || f < 0 || end > int64(len(rest)) {
		return scanner, raw.Damaged(readingSurface, name, errors.New("the file ends in its triangles"))
	} else {
		rest = rest[end:]
	}
	if scanner, err = geometry(string(rest[:min(len(rest), 1<<16)])); err != nil {
		return scanner, raw.Bad(readingSurface, name, "%v", err).
			WithHint("convert it to a .surf.gii with coordinates of the scanner")
	}
	return scanner, nil
}

// geometry reads lines such as "cras   = 1.5 -2 3". The surface's own axes are those of the conformed volume: x is
// minus its columns, y its slices, z minus its rows.
func geometry(text string) (scanner [3][4]float64, err error) {
	found := map[string][3]float64{}
	for line := range strings.Lines(text) {
		name, numbers, ok := strings.Cut(line, "=")
		// Four bytes of a tag stand before the first name.
		if name = strings.TrimLeft(name, "\x00\x01\x02\x14"); !ok {
			continue
		}
		name = strings.TrimSpace(name)
		if name == "valid" && !strings.HasPrefix(strings.TrimSpace(numbers), "1") {
			return scanner, errors.New("it says that the geometry of its volume is not valid")
		}
		fields := strings.Fields(numbers)
		if len(fields) != 3 || !strings.HasSuffix(name, "ras") {
			continue
		}
		var x [3]float64
		for k, field := range fields {
			if x[k], err = strconv.ParseFloat(field, 64); err != nil || math.IsInf(x[k], 0) || math.IsNaN(x[k]) {
				return scanner, fmt.Errorf("the geometry of its volume has %q for %s", field, name)
			}
		}
		found[name] = x
	}
	for k, axis := range []struct {
		name string
		sign float64
	}{{"xras", -1}, {"zras", 1}, {"yras", -1}, {"cras", 1}} {
		x, ok := found[axis.name]
		if !ok {
			return scanner, fmt.Errorf("it does not say where its volume is (%s)", axis.name)
		}
		for i := range 3 {
			scanner[i][k] = axis.sign * x[i]
		}
	}
	return scanner, nil
}
