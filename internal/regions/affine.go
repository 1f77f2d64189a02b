package regions

import (
	"encoding/json"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const reading = "read transform"

// affine maps points: out[i] = sum of affine[i][j]·p[j], plus affine[i][3].
type affine [3][4]float64

func (a affine) apply(p [3]float64) (out [3]float64) {
	for i, row := range a {
		out[i] = row[0]*p[0] + row[1]*p[1] + row[2]*p[2] + row[3]
	}
	return out
}

// inverse returns the map back, and false if there is none.
func (a affine) inverse() (out affine, ok bool) {
	minor := func(i, j int) float64 {
		r, s := (i+1)%3, (i+2)%3
		c, d := (j+1)%3, (j+2)%3
		return a[r][c]*a[s][d] - a[r][d]*a[s][c]
	}
	determinant := a[0][0]*minor(0, 0) + a[0][1]*minor(0, 1) + a[0][2]*minor(0, 2)
	if !(math.Abs(determinant) > 1e-12) {
		return out, false
	}
	for i := range 3 {
		for j := range 3 {
			out[i][j] = minor(j, i) / determinant
		}
	}
	for i := range 3 {
		out[i][3] = -(out[i][0]*a[0][3] + out[i][1]*a[1][3] + out[i][2]*a[2][3])
	}
	return out, true
}

// readTransform reads a matrices.xfm of pycortex: the matrix "coord", from the millimetres of the surfaces to indices
// of voxels (x, y, z), and its inverse.
func readTransform(path string) (to, from affine, err error) {
	data, err := raw.ReadFile(reading, path)
	if err != nil {
		return to, from, err
	}
	var file struct {
		Coord [][]float64 `json:"coord"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return to, from, raw.Damaged(reading, path, err)
	}
	bad := func(why string) *fault.Error {
		return raw.Bad(reading, path, "%s", why).WithHint("give the matrices.xfm of a pycortex transform")
	}
	if len(file.Coord) != 4 {
		return to, from, bad("it has no matrix coord of 4 × 4")
	}
	for i, row := range file.Coord {
		if len(row) != 4 {
			return to, from, bad("its matrix coord is not 4 × 4")
		}
		if i < 3 {
			to[i] = [4]float64(row)
		} else if [4]float64(row) != [4]float64{0, 0, 0, 1} {
			return to, from, bad("the last row of its matrix coord is not 0 0 0 1")
		}
	}
	from, ok := to.inverse()
	if !ok {
		return to, from, bad("its matrix coord has no inverse")
	}
	return to, from, nil
}
