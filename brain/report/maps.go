package report

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/cortex"
	"github.com/brainwavlm/bwlm/cortex/render"
)

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
