package nifti_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/internal/nifti"
)

// An image is written and read again.
func ExampleParse() {
	affine := [3][4]float64{{-2, 0, 0, 90}, {0, 2, 0, -126}, {0, 0, 2, -72}}
	var file bytes.Buffer
	if _, err := nifti.NewFloat([]int{2, 1, 2}, affine, []float32{1, 2, 3, 4}).WriteTo(&file); err != nil {
		fmt.Println(err)
		return
	}
	im, err := nifti.Parse(file.Bytes(), nil, "r.nii")
	fmt.Println(im.Dim, im.Affine[0], im.AffineFrom, im.Float32(), err)
	_, err = nifti.Parse(file.Bytes()[:360], nil, "r.nii")
	reason, _, _ := strings.Cut(err.Error(), ";")
	fmt.Println(reason)
	// Output:
	// [2 1 2] [-2 0 0 90] sform [1 2 3 4] <nil>
	// read nifti: r.nii: shape [2 1 2] of FLOAT32 needs a file of 368 bytes, it has 360
}
