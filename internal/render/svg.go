package render

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image/color"
	"image/png"
	"io"
)

// SVG writes the picture as SVG: brains as embedded pixels; lines, text and the colour bar as
// vectors. It refers to no other file.
func (f *Figure) SVG(w io.Writer) error {
	out := bufio.NewWriter(w)
	size := f.pixels.Rect
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" `+
		`font-family="Helvetica, Arial, sans-serif">`+"\n",
		size.Dx(), size.Dy(), size.Dx(), size.Dy())
	var pixels bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&pixels, f.pixels); err != nil {
		return err
	}
	fmt.Fprintf(out, `<image width="%d" height="%d" href="data:image/png;base64,%s"/>`+"\n", size.Dx(), size.Dy(),
		base64.StdEncoding.EncodeToString(pixels.Bytes()))
	bars := 0
	for _, it := range f.items {
		switch {
		case it.bar != nil:
			bars++
			writeBar(out, it, bars)
		case it.text != "":
			halo := ""
			if it.halo > 0 {
				halo = fmt.Sprintf(` stroke="#fff" stroke-opacity=".8" stroke-width="%.1f" stroke-linejoin="round" `+
					`paint-order="stroke"`, 2*it.halo)
			}
			fmt.Fprintf(out, `<text x="%.1f" y="%.1f" font-size="%.1f" text-anchor="%s" fill="%s"%s>%s</text>`+"\n",
				it.at[0], it.at[1], it.size,
				[...]string{"start", "middle", "end"}[it.anchor], hex(it.color), halo, escape(it.text))
		case it.closed:
			fmt.Fprintf(out, `<path d="%sZ" fill="%s"/>`+"\n", path(it.strokes[0]), hex(it.color))
		default:
			for _, line := range it.strokes {
				writeLine(out, it, line)
			}
		}
	}
	fmt.Fprintln(out, "</svg>")
	return out.Flush()
}

func writeLine(w io.Writer, it item, line []point) {
	d := path(line)
	const form = `<path d="%s" fill="none" stroke="%s" stroke-width="%.2f" stroke-linecap="round" ` +
		`stroke-linejoin="round"%s>`
	if it.halo > 0 {
		fmt.Fprintf(w, form+"</path>\n", d, "#fff", it.width+2*it.halo, ` stroke-opacity=".8"`)
	}
	title := ""
	if it.name != "" {
		title = "<title>" + escape(it.name) + "</title>"
	}
	fmt.Fprintf(w, form+"%s</path>\n", d, hex(it.color), it.width, "", title)
}

func writeBar(w io.Writer, it item, number int) {
	from, to := it.strokes[0][0], it.strokes[0][1]
	fmt.Fprintf(w, `<linearGradient id="bar%d">`, number)
	const stops = 64
	for i := range stops + 1 {
		t := float64(i) / stops
		fmt.Fprintf(w, `<stop offset="%.4g" stop-color="%s"/>`, t, hex(it.bar.At(t)))
	}
	fmt.Fprintf(w, "</linearGradient>\n"+`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="url(#bar%d)"/>`+"\n",
		from[0], from[1], to[0]-from[0], to[1]-from[1], number)
}

func path(points []point) string {
	b := []byte{}
	for i, p := range points {
		c := byte('L')
		if i == 0 {
			c = 'M'
		}
		b = fmt.Appendf(b, "%c%.1f %.1f", c, p[0], p[1])
	}
	return string(b)
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a bytes.Buffer does not fail
	return b.String()
}
