package freesurfer_test

import (
	"fmt"

	"github.com/brainwavlm/bwlm/internal/freesurfer"
)

// A curvature file of two vertices: its mark, the numbers of vertices, triangles and values for
// each vertex, and the values.
func ExampleParseCurvature() {
	file := []byte{0xff, 0xff, 0xff, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0}
	fmt.Println(freesurfer.ParseCurvature(file, "lh.sulc"))
	fmt.Println(freesurfer.ParseCurvature(file[:19], "lh.sulc"))
	// Output: [1 -0.5] <nil> [] read map: lh.sulc: 2 vertices are declared, 4 bytes follow; the
	// file is damaged or was made by a faulty program: get it again
}
