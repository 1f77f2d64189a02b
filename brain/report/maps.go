package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/cortex"
	"github.com/brainwavlm/bwlm/cortex/render"
)

// Places is where a run's voxels are.
type Places struct {
	Left, Right *cortex.Surface // either may be nil
	Vertices    []int           // of each voxel; nil: voxel k is vertex k
	Volume      *cortex.Volume  // of a volume, else nil
}

// readPlaces reads surfaces or mask. Files that are no longer there are no error.
func (r *Run) readPlaces(p dataset.Places) error {
	out := &Places{Vertices: p.Vertices}
	for _, path := range []string{p.Left, p.Right, p.Mask} {
		if _, err := os.Stat(path); path != "" && os.IsNotExist(err) {
			r.Absent = append(r.Absent, NoMaps+"the data set's "+shortPath(path)+" is not there")
			return nil
		}
	}
	var err error
	if p.Left != "" {
		out.Left, err = cortex.ReadSurface(p.Left)
	}
	if err == nil && p.Right != "" {
		out.Right, err = cortex.ReadSurface(p.Right)
	}
	if err == nil && p.Mask != "" {
		out.Volume, err = cortex.ReadMask(p.Mask, cortex.ZFastest)
	}
	if err != nil {
		return err
	}
	if out.Size() > 0 {
		r.Places = out
	}
	return nil
}

// Size is the number of vertices, or of voxels of a volume.
func (p *Places) Size() int {
	if p.Volume != nil {
		return len(p.Volume.Voxels)
	}
	return points(p.Left) + points(p.Right)
}

func points(s *cortex.Surface) int {
	if s == nil {
		return 0
	}
	return len(s.Points)
}

// at is the place of a voxel, and whether there is one.
func (p *Places) at(voxel int) (int, bool) {
	if p.Vertices != nil {
		if voxel >= len(p.Vertices) {
			return 0, false
		}
		voxel = p.Vertices[voxel]
	}
	return voxel, voxel < p.Size()
}

// Fits tells whether so many voxels are all somewhere.
func (p *Places) Fits(voxels int) bool {
	if p.Vertices == nil {
		return voxels == p.Size()
	}
	return voxels == len(p.Vertices) && slices.Max(p.Vertices) < p.Size()
}

// Spread puts one number for each voxel in its place, NaN elsewhere; several voxels of one place are averaged.
func (p *Places) Spread(x []float32) []float32 {
	out, count := make([]float32, p.Size()), make([]float32, p.Size())
	for v, r := range x {
		if at, ok := p.at(v); ok && r == r {
			out[at] += r
			count[at]++
		}
	}
	for i := range out {
		out[i] /= count[i] // 0/0 is NaN
	}
	return out
}

// Mean averages what of gives over people whose voxels are in the run's places; nil if nobody's are.
func (r *Run) Mean(of func(*Person) []float32) []float32 {
	var out, count []float32
	for i := range r.People {
		p := &r.People[i]
		x := of(p)
		if x == nil || !r.Places.Fits(p.Voxels) {
			continue
		}
		if out == nil {
			out, count = make([]float32, p.Voxels), make([]float32, p.Voxels)
		}
		for v, y := range x {
			if y == y {
				out[v] += y
				count[v]++
			}
		}
	}
	for v := range out {
		out[v] /= count[v]
	}
	return out
}

const mapWidth, mapHeight = 660, 490

// Maps are pictures of base, tuned and difference, averaged over people; the first two share their limits. None if nobody
// knows where the voxels are.
func (r *Run) Maps() (out []Figure, err error) {
	if r.Places == nil {
		return nil, nil
	}
	base, tuned := r.Mean(func(p *Person) []float32 { return p.Base }), r.Mean(func(p *Person) []float32 { return p.Tuned })
	if base == nil {
		return nil, nil
	}
	high := upper(append(slices.Clone(base), tuned...))
	for _, m := range []struct {
		title, unit string
		x           []float32
		colors      string
		high        float64
	}{
		{"Untuned model", "r", base, "tide", high},
		{"Tuned model", "r", tuned, "tide", high},
		{"Difference", "r, tuned less untuned", r.Mean(func(p *Person) []float32 { return p.Gain }), "balance", 0},
	} {
		if m.x == nil {
			continue
		}
		opt := render.Options{Width: mapWidth, Height: mapHeight, Views: []render.View{render.Lateral, render.Medial}, Colors: render.ColormapByName(m.colors),
			High: m.high, Unit: m.unit}
		if m.colors == "balance" {
			opt.High = max(1e-6, upper(magnitudes(m.x)))
		}
		var figure *render.Figure
		if r.Places.Volume != nil {
			opt.Views = nil
			figure, err = render.Glass(r.Places.Volume, r.Places.Spread(m.x), opt)
		} else {
			figure, err = render.Draw(render.Brain{Left: r.Places.Left, Right: r.Places.Right}, r.Places.Spread(m.x), r.outlines(), opt)
		}
		if err != nil {
			return nil, err
		}
		low, top, _ := figure.Scale()
		alt := fmt.Sprintf("Map of %s on the cortex, colours from %.2g to %.2g.", m.unit, low, top)
		if name, v := r.extreme(m.x); name != "" {
			alt += fmt.Sprintf(" Highest on average in %s (%.3f).", name, v)
		}
		out = append(out, Figure{Title: m.title, Alt: alt, Image: picture(figure.Image())})
	}
	return out, nil
}

// upper is the 99th percentile, at least a little above 0.
func upper(x []float32) float64 {
	s := slices.Sorted(slices.Values(numbers(x)))
	if len(s) == 0 {
		return 1
	}
	return max(1e-3, s[int(math.Round(.99*float64(len(s)-1)))])
}

func magnitudes(x []float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = max(v, -v)
	}
	return out
}

// mostOutlines are drawn: more would hide what they are around.
const mostOutlines = 6

// outlines are the borders of the regions on the surface, if they are few.
func (r *Run) outlines() (out []render.Region) {
	if len(r.People) == 0 || len(r.People[0].Regions) > mostOutlines {
		return nil
	}
	for _, region := range r.People[0].Regions {
		mask := make(cortex.Mask, r.Places.Size())
		for _, c := range region.Columns {
			if at, ok := r.Places.at(c); ok {
				mask[at] = true
			}
		}
		out = append(out, render.Region{Name: short(region.Name, 20), Mask: mask})
	}
	return out
}

// extreme is the region whose mean is highest.
func (r *Run) extreme(x []float32) (name string, most float64) {
	for _, region := range r.People[0].Regions {
		sum, n := 0., 0.
		for _, c := range region.Columns {
			if c < len(x) && x[c] == x[c] {
				sum, n = sum+float64(x[c]), n+1
			}
		}
		if n > 0 && (name == "" || sum/n > most) {
			name, most = region.Name, sum/n
		}
	}
	return name, most
}

// picture makes a data URL of an image, with at most 256 colours: shading needs no more, and the page stays small.
func picture(im image.Image) template.URL {
	p := image.NewPaletted(im.Bounds(), palette(im))
	draw.Draw(p, p.Bounds(), im, im.Bounds().Min, draw.Src)
	var b bytes.Buffer
	_ = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, p) // a Buffer does not fail
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()))
}

// palette picks up to 256 colours of an image: the box of colours that is longest is cut at its median, again and again,
// and each box stands for its mean (Heckbert 1982).
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

// shortPath leaves of an absolute path its last two parts, and never the first two: whose folder it is in is nobody's business.
func shortPath(path string) string {
	if len(path) < 2 || path[0] != '/' {
		return path
	}
	parts := strings.Count(filepath.Clean(path), "/")
	if parts == 1 {
		return path
	}
	return "…/" + tail(path, min(2, max(1, parts-2)))
}
