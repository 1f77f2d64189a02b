package cortex

import "github.com/brainwavlm/bwlm/internal/gifti"

// LabelsGIFTI makes a GIFTI label image of one hemisphere of an atlas of surfaces.
func (a *Atlas) LabelsGIFTI(h Hemisphere) *gifti.Image {
	labels := a.Labels[:a.Left]
	if h == Right {
		labels = a.Labels[a.Left:]
	}
	im := &gifti.Image{Meta: structure(h), Labels: []gifti.LabelEntry{{Key: 0, Name: "???"}}}
	keys := make([]int32, len(labels))
	for i, r := range a.Regions {
		if r.Hemisphere != h {
			continue
		}
		key := int32(len(im.Labels))
		red, green, blue := labelColor(int(key))
		im.Labels = append(im.Labels, gifti.LabelEntry{Key: key, Name: r.FullName, R: red, G: green, B: blue, A: 1})
		for v, l := range labels {
			if l == int32(i) {
				keys[v] = key
			}
		}
	}
	im.Arrays = []gifti.Array{gifti.NewInt(gifti.Label, "regions", []int{len(keys)}, keys)}
	return im
}

// labelColor returns a colour that differs from those of neighbouring keys: steps of the golden
// ratio through each channel.
func labelColor(key int) (r, g, b float32) {
	part := func(step float64) float32 {
		x := float64(key) * step
		return float32(int(100*(.2+.75*(x-float64(int(x)))))) / 100
	}
	return part(.6180339887), part(.7548776662), part(.5698402910)
}
