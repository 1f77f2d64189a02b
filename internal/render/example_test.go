package render_test

import (
	"bytes"
	"fmt"
	"image/png"

	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/render"
)

// A picture of values on a made-up brain, with a region outlined.
func ExampleDraw() {
	left, right := cortex.Synthetic(3)
	patch := append(left.Patch([3]float64{1, .1, -.2}, 60), right.Patch([3]float64{1, .1, -.2}, 60)...)
	values := make([]float32, len(patch))
	for v, in := range patch {
		if in {
			values[v] = .3
		}
	}
	figure, err := render.Draw(
		render.Brain{Left: left.Surface, Right: right.Surface, Sulc: append(left.Sulc, right.Sulc...)}, values,
		[]render.Region{{Name: "auditory", Mask: patch}},
		render.Options{Width: 320, Height: 240, Views: []render.View{render.Lateral}, Unit: "r"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	if err := figure.PNG(&file); err != nil {
		fmt.Println(err)
		return
	}
	picture, _ := png.Decode(&file)
	low, high, colors := figure.Scale()
	fmt.Println(picture.Bounds().Size(), low, high, colors)
	// Output: (320,240) 0 0.3 tide
}
