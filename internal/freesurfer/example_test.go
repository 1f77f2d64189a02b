package freesurfer_test

import (
	"fmt"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/freesurfer"
)

// A curvature file of two vertices: its mark, the numbers of vertices, triangles and values for
// each vertex, and the values.
func ExampleParseCurvature() {
	file := []byte{0xff, 0xff, 0xff, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0}
	fmt.Println(freesurfer.ParseCurvature(file, "lh.sulc"))
	_, err := freesurfer.ParseCurvature(file[:19], "lh.sulc") // cut off
	fmt.Println(fault.KindOf(err) == fault.BadData)
	// Output:
	// [1 -0.5] <nil>
	// true
}
