package render

import (
	"image"
	"math"
)

// frame is the sizes of text and lines on the page, in pixels.
type frame struct {
	text, small, line float32
}

// layOut sets the places of the panels, and draws title and colour bar. Views of single hemispheres
// are in rows, left before right; dorsal and ventral views next to them, one a row; flat maps in a
// row below, scaled to the same width.
func layOut(f *Figure, panels []*panel, s *scale, opt Options) frame {
	unit := float32(min(opt.Width, opt.Height*4/3))
	fr := frame{text: max(11, unit*.019), small: max(9, unit*.0135), line: max(1, unit*.0013)}
	top, bottom, margin := fr.text*.9, fr.text*.9, fr.text*.9
	if opt.Title != "" {
		top = fr.text * 2.7
		f.write(opt.Title, point{float32(opt.Width) / 2, fr.text * 1.75},
			min(fr.text*1.3, fr.text*1.3*float32(opt.Width)*.94/textWidth(opt.Title, fr.text*1.3)),
			middle, 0, ink)
	}
	if s.shown {
		bottom = fr.text * 4.6
		s.drawBar(f, opt, fr)
	}
	rows := arrange(panels)
	space := fr.text * 1.6
	scale := float32(math.MaxFloat32)
	widths, heights := make([]float32, len(rows)), float32(0)
	shrink := flatFactor(rows)
	for i, row := range rows {
		tall := float32(0)
		for _, p := range row {
			widths[i] += p.extent.width() * shrink[i]
			tall = max(tall, p.extent.height()*shrink[i])
		}
		heights += tall
		scale = min(scale, (float32(opt.Width)-2*margin-space*float32(len(row)-1))/widths[i])
	}
	scale = min(scale, (float32(opt.Height)-top-bottom-space*float32(len(rows)))/heights)
	free := float32(opt.Height) - top - bottom - scale*heights - space*float32(len(rows))
	y := top + free/2
	for i, row := range rows {
		tall := float32(0)
		for _, p := range row {
			p.scale = scale * shrink[i]
			tall = max(tall, p.extent.height()*p.scale)
		}
		y += space // room for the caption
		x := (float32(opt.Width) - widths[i]*scale - space*float32(len(row)-1)) / 2
		for _, p := range row {
			w, h := p.extent.width()*p.scale, p.extent.height()*p.scale
			p.rect = image.Rect(int(x)-1, int(y+(tall-h)/2)-1, int(x+w)+2, int(y+(tall+h)/2)+2).Intersect(f.pixels.Rect)
			x += w + space
		}
		y += tall
	}
	return fr
}

// arrange puts panels in rows.
func arrange(panels []*panel) [][]*panel {
	var rows [][]*panel
	row := map[View]int{}
	var axial []*panel
	for _, p := range panels {
		if p.view == Dorsal || p.view == Ventral {
			axial = append(axial, p)
			continue
		}
		i, known := row[p.view]
		if !known {
			i = len(rows)
			row[p.view] = i
			rows = append(rows, nil)
		}
		rows[i] = append(rows[i], p)
	}
	sides := 0
	for i, r := range rows {
		if r[0].view != Flat {
			sides = i + 1
		}
	}
	for i, p := range axial {
		if sides == 0 {
			if i == 0 {
				rows = append([][]*panel{nil}, rows...)
			}
			rows[0] = append(rows[0], p)
			continue
		}
		at := min(i, sides-1)
		rows[at] = append(rows[at], p)
	}
	return rows
}

// flatFactor is the scale of each row that makes flat maps as wide as the widest other row.
func flatFactor(rows [][]*panel) []float32 {
	out := make([]float32, len(rows))
	widest := float32(0)
	for i, row := range rows {
		out[i] = 1
		if w := widthOf(row); row[0].view != Flat {
			widest = max(widest, w)
		}
	}
	for i, row := range rows {
		if row[0].view == Flat && widest > 0 {
			out[i] = widest / widthOf(row)
		}
	}
	return out
}

func widthOf(row []*panel) float32 {
	w := float32(0)
	for _, p := range row {
		w += p.extent.width()
	}
	return w
}

// labelPanels writes the side and the view of each panel.
func labelPanels(f *Figure, panels []*panel, fr frame) {
	for _, p := range panels {
		y := float32(p.rect.Min.Y) - fr.small*.25
		x0, x1 := float32(p.rect.Min.X), float32(p.rect.Max.X)
		if len(p.meshes) == 2 {
			names := [2]string{"L", "R"}
			if p.view == Ventral {
				names = [2]string{"R", "L"}
			}
			f.write(names[0], point{x0, y}, fr.small, start, 0, ink)
			f.write(names[1], point{x1, y}, fr.small, end, 0, ink)
			f.write(p.view.String(), point{(x0 + x1) / 2, y}, fr.small, middle, 0, faint)
			continue
		}
		name := p.meshes[0].hemisphere.String()
		f.write(name, point{x0, y}, fr.small, start, 0, ink)
		f.write(p.view.String(), point{x0 + fr.small*1.5, y}, fr.small, start, 0, faint)
	}
}
