package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/render"
)

// plotFlags say what to draw, and how.
type plotFlags struct {
	left, right, values     string
	labelsLeft, labelsRight string
	sulc, flat              []string
	outline, views          []string
	mask, order             string
	cmap, limit, size, out  string
	noNames                 bool
	opt                     render.Options
}

func plotCommand(a *app) *cobra.Command {
	var f plotFlags
	c := &cobra.Command{
		Use:   "plot --left FILE --right FILE --values FILE --out FILE",
		Short: "Plot values on the cortical surface or a glass brain",
		Long: `Draws one value for each vertex, left then right, on two surfaces (GIFTI, or FreeSurfer's lh.pial), seen
from several sides; or, with --mask, one value for each voxel of a volume through a glass brain. Values are a .npy file,
two maps (L.gii,R.gii or lh.curv,rh.curv) or the first map of a .dscalar.nii; NaN is grey. --out is .png, or .svg with
text and lines as vectors; it is replaced as a whole.

--outline draws the borders of regions of an atlas, and their names; each is an expression as --select of bwlm roi takes
(without commas). Sulci are darker if --sulc gives their depth. The view flat needs the flat surfaces of --flat, whose
vertices are those of --left and --right.

Colours: balance (blue to red, for values on both sides of 0, with symmetric limits), tide (white to dark blue), dusk
and ember (dark to bright). The limits are the 99th percentile unless --limit gives them; the bar ends in an arrow where
values go beyond.

--json prints {"schema", "out", "values", "nan", "low", "high", "cmap"}.`,
		Example: `  bwlm plot --left lh.pial.gii --right rh.pial.gii --values delta.npy --unit 'Δr' --out delta.png
  bwlm plot --left lh.infl.gii --right rh.infl.gii --sulc lh.sulc.gii,rh.sulc.gii --values r.npy \
      --labels-left lh.annot --labels-right rh.annot --outline A1,A4 --views lateral,medial --out r.svg
  bwlm plot --left surf/lh.inflated --right surf/rh.inflated --sulc surf/lh.sulc,surf/rh.sulc --values r.npy --out r.png
  bwlm plot --mask mask.nii.gz --values r.npy --out glass.png`,
		Args: wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := required(c, "out"); err != nil {
				return err
			}
			if f.left == "" && f.right == "" && f.mask == "" {
				return usage(c, "--left and --right, or --mask, are missing")
			}
			return a.plot(f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.left, "left", "", "surface `file` of the left hemisphere")
	flags.StringVar(&f.right, "right", "", "surface `file` of the right hemisphere")
	flags.StringVar(&f.values, "values", "", "`file` of values; without it the bare brain is drawn")
	flags.StringVar(&f.labelsLeft, "labels-left", "", "atlas `file` of the left hemisphere, or a .dlabel.nii of both")
	flags.StringVar(&f.labelsRight, "labels-right", "", "atlas `file` of the right hemisphere")
	flags.StringSliceVar(&f.outline, "outline", nil, "atlas `regions` to outline, separated by commas")
	flags.BoolVar(&f.noNames, "no-names", false, "outlines without names")
	flags.StringSliceVar(&f.views, "views", nil,
		"lateral, medial, dorsal, ventral, flat; all that there are surfaces for")
	flags.StringSliceVar(&f.sulc, "sulc", nil, "`files` of sulcal depth (GIFTI or lh.sulc), left,right")
	flags.StringSliceVar(&f.flat, "flat", nil, "`files` of flat surfaces, left,right")
	flags.StringVar(&f.mask, "mask", "", "NIfTI mask `file` of the voxels of the values: draws a glass brain")
	flags.StringVar(&f.order, "order", "nilearn",
		"order of the mask's voxels: nilearn (z runs fastest) or pycortex (x does)")
	flags.StringVar(&f.cmap, "cmap", "", "colours: balance, tide, dusk or ember")
	flags.StringVar(&f.limit, "limit", "", "limits of the colours: `HIGH`, or LOW,HIGH")
	flags.StringVar(&f.opt.Title, "title", "", "`text` above the picture")
	flags.StringVar(&f.opt.Unit, "unit", "", "`text` at the colour bar")
	flags.StringVar(&f.size, "size", "1600x1200", "`pixels`, width x height")
	flags.BoolVar(&f.opt.Nearest, "nearest", false, "a colour for each vertex, without interpolation")
	flags.StringVar(&f.out, "out", "", "`file` to write, .png or .svg")
	return c
}

// plotAnswer describes the picture.
type plotAnswer struct {
	Schema int     `json:"schema"`
	Out    string  `json:"out"`
	Values int     `json:"values"`
	NaN    int     `json:"nan"` // of the values
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Colors string  `json:"cmap"`
}

func (a *app) plot(f plotFlags) error {
	if err := f.options(); err != nil {
		return err
	}
	figure, values, err := f.draw()
	if err != nil {
		return err
	}
	write := figure.PNG
	if strings.EqualFold(filepath.Ext(f.out), ".svg") {
		write = figure.SVG
	}
	if err := atomicfile.Write(f.out, write); err != nil {
		return err
	}
	answer := plotAnswer{Schema: 1, Out: f.out, Values: len(values)}
	for _, v := range values {
		if v != v {
			answer.NaN++
		}
	}
	answer.Low, answer.High, answer.Colors = figure.Scale()
	return a.answer(answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %d values, %d of them NaN, colours %s from %.3g to %.3g\n", f.out, answer.Values,
			answer.NaN, answer.Colors,
			answer.Low, answer.High)
		return err
	})
}

// options reads the flags of the picture's style, before any file is read.
func (f *plotFlags) options() error {
	if ext := strings.ToLower(filepath.Ext(f.out)); ext != ".png" && ext != ".svg" {
		return fault.New(fault.Usage, "plot", "--out", "the name ends in %q, want .png or .svg", ext)
	}
	if f.cmap != "" {
		if f.opt.Colors = render.ColormapByName(f.cmap); f.opt.Colors == nil {
			return fault.New(fault.Usage, "plot", "--cmap", "there are no colours %q",
				f.cmap).WithHint("there are balance, tide, dusk and ember")
		}
	}
	for _, name := range f.views {
		v, err := render.ViewByName(name)
		if err != nil {
			return err
		}
		f.opt.Views = append(f.opt.Views, v)
	}
	if _, err := fmt.Sscanf(f.size+"$", "%dx%d$", &f.opt.Width, &f.opt.Height); err != nil {
		return fault.New(fault.Usage, "plot", "--size", "%q is not WIDTHxHEIGHT", f.size)
	}
	if f.limit != "" {
		low, high, two := strings.Cut(f.limit, ",")
		if !two {
			low, high = "0", low
		}
		var errLow, errHigh error
		f.opt.Low, errLow = strconv.ParseFloat(low, 64)
		f.opt.High, errHigh = strconv.ParseFloat(high, 64)
		if errLow != nil || errHigh != nil || !(f.opt.Low < f.opt.High) {
			return fault.New(fault.Usage, "plot", "--limit", "%q is neither a number above 0 nor LOW,HIGH", f.limit)
		}
	}
	return nil
}

// draw reads what is to be drawn and draws it.
func (f *plotFlags) draw() (*render.Figure, []float32, error) {
	if f.mask != "" {
		return f.drawGlass()
	}
	var b render.Brain
	var flats [2]*cortex.Surface
	for _, s := range []struct {
		path string
		to   **cortex.Surface
	}{{f.left, &b.Left}, {f.right, &b.Right}, {nth(f.flat, 0), &flats[0]}, {nth(f.flat, 1), &flats[1]}} {
		if s.path == "" {
			continue
		}
		var err error
		if *s.to, err = cortex.ReadSurface(s.path); err != nil {
			return nil, nil, err
		}
	}
	b.FlatLeft, b.FlatRight = flats[0], flats[1]
	if b.Left == nil { // files are given for the hemispheres there are
		b.FlatLeft, b.FlatRight = nil, flats[0]
	}
	for _, path := range f.sulc {
		depth, err := cortex.ReadMap(path)
		if err != nil {
			return nil, nil, err
		}
		b.Sulc = append(b.Sulc, depth...)
	}
	left, right := points(b.Left), points(b.Right)
	var values []float32
	if f.values != "" {
		var err error
		if values, err = readValues(f.values, left, right); err != nil {
			return nil, nil, err
		}
	}
	regions, err := f.regions(left, right)
	if err != nil {
		return nil, nil, err
	}
	figure, err := render.Draw(b, values, regions, f.opt)
	return figure, values, err
}

func nth(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func points(s *cortex.Surface) int {
	if s == nil {
		return 0
	}
	return len(s.Points)
}

// regions reads the atlas and what to outline.
func (f *plotFlags) regions(left, right int) ([]render.Region, error) {
	if len(f.outline) == 0 {
		return nil, nil
	}
	files := []string{f.labelsLeft, f.labelsRight}
	switch {
	case f.labelsLeft == "" && f.labelsRight == "":
		return nil, fault.New(fault.Usage, "plot", "--outline",
			"there is no atlas").WithHint("give --labels-left and --labels-right")
	case f.labelsRight == "" && strings.HasSuffix(f.labelsLeft, ".nii"):
		files = files[:1]
	}
	atlas, err := cortex.ReadAtlas(nil, files...)
	if err != nil {
		return nil, err
	}
	if atlas.Left != left || atlas.Right != right {
		return nil, fault.New(fault.BadData, "plot", strings.Join(files, ", "),
			"the atlas has %d + %d vertices, the surfaces %d + %d",
			atlas.Left, atlas.Right, left, right).WithHint("give an atlas of this mesh")
	}
	selector := cortex.Selector{Atlas: atlas}
	var out []render.Region
	for _, expression := range f.outline {
		mask, err := selector.Select(expression)
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(expression, "@")
		if f.noNames {
			name = ""
		}
		out = append(out, render.Region{Name: name, Mask: mask})
	}
	return out, nil
}

// drawGlass draws a volume.
func (f *plotFlags) drawGlass() (*render.Figure, []float32, error) {
	if f.left != "" || f.right != "" || len(f.outline)+len(f.flat)+len(f.sulc)+len(f.views) > 0 {
		return nil, nil, fault.New(fault.Usage, "plot", "--mask",
			"a glass brain has no surfaces, outlines or views").WithHint("leave out their flags")
	}
	order, err := voxelOrder(f.order)
	if err != nil {
		return nil, nil, err
	}
	mask, err := cortex.ReadMask(f.mask, order)
	if err != nil {
		return nil, nil, err
	}
	var values []float32
	if f.values != "" {
		if values, err = readValues(f.values, len(mask.Voxels), 0); err != nil {
			return nil, nil, err
		}
	}
	figure, err := render.Glass(mask, values, f.opt)
	return figure, values, err
}
