package report

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// picture makes a data URL of an image, with at most 256 colours: shading needs no more, and the page stays small.
func picture(im image.Image) template.URL {
	p := image.NewPaletted(im.Bounds(), palette(im))
	nearest := map[color.Color]uint8{} // a search through the palette for each pixel would take seconds
	b := im.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := im.At(x, y)
			i, known := nearest[c]
			if !known {
				i = uint8(p.Palette.Index(c))
				nearest[c] = i
			}
			p.SetColorIndex(x, y, i)
		}
	}
	var out bytes.Buffer
	_ = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, p) // a Buffer does not fail
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes()))
}

// palette picks up to 256 colours of an image: the box of colours that is longest is cut at its
// median, again and again, and each box stands for its mean (Heckbert 1982).
func palette(im image.Image) color.Palette {
	type pixel [3]uint8
	seen := map[pixel]int{}
	b := im.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := im.At(x, y).RGBA()
			seen[pixel{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8)}]++
		}
	}
	all := make([]pixel, 0, len(seen))
	for p := range seen {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b pixel) int { return slices.Compare(a[:], b[:]) })
	longest := func(box []pixel) (axis, length int) {
		for k := range 3 {
			low, high := 255, 0
			for _, p := range box {
				low, high = min(low, int(p[k])), max(high, int(p[k]))
			}
			if high-low > length {
				axis, length = k, high-low
			}
		}
		return axis, length
	}
	boxes := [][]pixel{all}
	for len(boxes) < 256 {
		cut, axis, most := -1, 0, 0
		for i, box := range boxes {
			if k, length := longest(box); length > most {
				cut, axis, most = i, k, length
			}
		}
		if cut < 0 {
			break
		}
		box := boxes[cut]
		slices.SortStableFunc(box, func(a, b pixel) int { return int(a[axis]) - int(b[axis]) })
		boxes[cut] = box[:len(box)/2]
		boxes = append(boxes, box[len(box)/2:])
	}
	var out color.Palette
	for _, box := range boxes {
		var sum [3]int
		n := 0
		for _, p := range box {
			w := seen[p]
			n += w
			for k := range 3 {
				sum[k] += w * int(p[k])
			}
		}
		if n > 0 {
			out = append(out, color.NRGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), 255})
		}
	}
	return out
}
