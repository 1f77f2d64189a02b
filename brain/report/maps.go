package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/brain/finished"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/render"
)

// size of a picture of all subjects, and of one subject.
var (
	large  = [2]int{660, 490}
	little = [2]int{420, 312}
)

// drawing is a map that is to be drawn.
type drawing struct {
	title, unit, colors string
	x                   []float32 // by voxel
	high                float64   // upper limit of the colours
}

// Maps are pictures of base, tuned and difference, averaged over subjects; the first two share
// their limits. None if the places of the voxels are unknown, or others for each subject.
func (r *pageOfRun) Maps() (out []figureHTML, err error) {
	if r.Places == nil {
		return nil, nil
	}
	base, tuned := r.Mean(func(p *finished.Subject) []float32 { return p.Base }),
		r.Mean(func(p *finished.Subject) []float32 { return p.Tuned })
	gain := r.Mean(func(p *finished.Subject) []float32 { return p.Delta })
	if base == nil {
		return nil, nil
	}
	high := upper(append(slices.Clone(base), tuned...))
	for _, d := range []drawing{{"Untuned model", "r", "tide", base, high}, {"Tuned model", "r", "tide", tuned, high},
		{"Δr", "tuned − untuned", "balance", gain, upper(magnitudes(gain))}} {
		if d.x == nil {
			continue
		}
		f, err := r.draw(d, r.Places, large)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// subjectMaps are the pictures of one subject.
type subjectMaps struct {
	Name string
	Maps []figureHTML
}

// mapsOfSubjects returns pictures of up to n subjects, all with the same limits: the tuned
// model, or the untuned one where nothing is tuned, and the difference. None for one subject, whose
// maps are those of the run.
func (r *pageOfRun) mapsOfSubjects(most int) (out []subjectMaps, err error) {
	if !r.Placed() || r.Places != nil && len(r.Subjects) < 2 {
		return nil, nil
	}
	var all, gains []float32
	for i := range r.Subjects {
		all, gains = append(all, r.Subjects[i].Scored()...), append(gains, magnitudes(r.Subjects[i].Delta)...)
	}
	for i := range r.Subjects {
		p := &r.Subjects[i]
		if !p.Places.Fits(p.Voxels) || len(out) == most {
			continue
		}
		score := drawing{p.Name + ", untuned model", "r", "tide", p.Base, upper(all)}
		if p.Tuned != nil {
			score.title, score.x = p.Name+", tuned model", p.Tuned
		}
		maps := subjectMaps{Name: p.Name}
		for _, d := range []drawing{score, {p.Name + ", Δr", "tuned − untuned", "balance", p.Delta, upper(gains)}} {
			if d.x == nil {
				continue
			}
			f, err := r.draw(d, p.Places, little)
			if err != nil {
				return nil, err
			}
			maps.Maps = append(maps.Maps, f)
		}
		out = append(out, maps)
	}
	return out, nil
}

// draw draws a map in places.
func (r *pageOfRun) draw(d drawing, in *finished.Places, size [2]int) (figureHTML, error) {
	opt := render.Options{Width: size[0], Height: size[1], Views: []render.View{render.Lateral, render.Medial},
		Colors: render.ColormapByName(d.colors), High: d.high, Unit: d.unit}
	var figure *render.Figure
	var err error
	if in.Volume != nil {
		opt.Views = nil
		figure, err = render.Glass(in.Volume, in.Spread(d.x), opt)
	} else {
		figure, err = render.Draw(render.Brain{Left: in.Left, Right: in.Right}, in.Spread(d.x),
			r.outlines(in), opt)
	}
	if err != nil {
		return figureHTML{}, err
	}
	low, top, _ := figure.Scale()
	alt := fmt.Sprintf("Map of %s on the cortex, colours from %.2g to %.2g.", d.unit, low, top)
	if name, v := r.extreme(d.x); name != "" {
		alt += fmt.Sprintf(" Highest on average in %s (%.3f).", name, v)
	}
	return figureHTML{Title: d.title, Alt: alt, Image: picture(figure.Image())}, nil
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
func (r *pageOfRun) outlines(in *finished.Places) (out []render.Region) {
	if len(r.Subjects) == 0 || len(r.Subjects[0].ROIs) > mostOutlines {
		return nil
	}
	for _, region := range r.Subjects[0].ROIs {
		mask := make(cortex.Mask, in.Size())
		for _, c := range region.Columns {
			if at, ok := in.At(c); ok {
				mask[at] = true
			}
		}
		out = append(out, render.Region{Name: short(region.Name, 20), Mask: mask})
	}
	return out
}

// extreme is the region whose mean is highest.
func (r *pageOfRun) extreme(x []float32) (name string, most float64) {
	for _, region := range r.Subjects[0].ROIs {
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
