package gifti_test

import (
	"bytes"
	"fmt"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/gifti"
)

// A map is written and read again; a file that points to another one is refused.
func ExampleParse() {
	im := gifti.Image{Arrays: []gifti.Array{gifti.NewFloat(gifti.None, "r", []int{3}, []float32{.1, .2, .3})}}
	var file bytes.Buffer
	if _, err := im.WriteTo(&file); err != nil {
		fmt.Println(err)
		return
	}
	again, err := gifti.Parse(file.Bytes(), "r.func.gii")
	fmt.Println(again.Arrays[0].Meta["Name"], again.Arrays[0].Float32(), err)

	outside := `<GIFTI><DataArray DataType="NIFTI_TYPE_INT32" Dimensionality="1" Dim0="1" ` +
		`Encoding="ExternalFileBinary" ExternalFileName="../x"/></GIFTI>`
	_, err = gifti.Parse([]byte(outside), "x.gii") // other files are not opened
	fmt.Println(fault.KindOf(err) == fault.BadData)
	// Output:
	// r [0.1 0.2 0.3] <nil>
	// true
}
