package outlines

import (
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// line is one line of a path, from one M to the next: a first point, and what follows from each. It counts as closed.
type line struct {
	points []point
	curves []bool // for each step; a straight one has one more point, a curve three: Bézier's controls and the end
}

// pathReader reads the commands of a path.
type pathReader struct {
	scanner
	at          transform
	lines       []line
	pen, start  point
	control     point // the last control point of a curve, else pen
	afterC      bool  // the last command was a cubic curve
	afterQ      bool  // or a quadratic one
	beginsAgain bool  // the last command was Z: the next one begins a line
}

// parsePath reads the d of a path.
func parsePath(text string, at transform) ([]line, error) {
	r := &pathReader{scanner: scanner{text: text}, at: at}
	var command byte
	for r.err == nil {
		r.space()
		if r.text == "" {
			break
		}
		if c := r.text[0]; strings.IndexByte("MmLlHhVvCcSsQqTtAaZz", c) >= 0 {
			command, r.text = c, r.text[1:]
		} else if command == 0 || command|0x20 == 'z' || !r.atNumber() {
			return nil, fmt.Errorf("path: want a command before %q", quote.Short(r.text))
		}
		if len(r.lines) == 0 && command|0x20 != 'm' {
			return nil, fmt.Errorf("path: it begins with %c, want M or m", command)
		}
		r.step(command)
		switch command { // what follows an M without a command is an L
		case 'M':
			command = 'L'
		case 'm':
			command = 'l'
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("path: %w", r.err)
	}
	return r.lines, nil
}

// step reads the numbers of one command and takes it.
func (r *pathReader) step(command byte) {
	var from point // of relative numbers
	kind := command | 0x20
	if command == kind {
		from = r.pen
	}
	next := func() point { return from.plus(point{r.number(), r.number()}) }
	afterC, afterQ := r.afterC, r.afterQ
	r.afterC, r.afterQ = kind == 'c' || kind == 's', kind == 'q' || kind == 't'
	switch kind {
	case 'm':
		r.begin(next())
	case 'l':
		r.straight(next())
	case 'h':
		r.straight(point{from[0] + r.number(), r.pen[1]})
	case 'v':
		r.straight(point{r.pen[0], from[1] + r.number()})
	case 'c', 's':
		first := r.pen
		if kind == 'c' {
			first = next()
		} else if afterC {
			first = r.mirrored()
		}
		second := next()
		r.cubic(first, second, next())
		r.control = second
	case 'q', 't':
		control := r.pen
		if kind == 'q' {
			control = next()
		} else if afterQ {
			control = r.mirrored()
		}
		end := next()
		r.cubic(r.pen.plus(control.minus(r.pen).times(2./3)), end.plus(control.minus(end).times(2./3)), end)
		r.control = control
	case 'a':
		radii, turn := point{r.number(), r.number()}, r.number()
		large, sweep := r.flag(), r.flag()
		r.arc(radii, turn, large, sweep, next())
	case 'z':
		r.pen, r.beginsAgain = r.start, true
	}
}

// mirrored is the last control point on the other side of the pen.
func (r *pathReader) mirrored() point { return r.pen.times(2).minus(r.control) }

// begin begins a line.
func (r *pathReader) begin(at point) {
	r.lines = append(r.lines, line{})
	r.pen, r.start, r.beginsAgain = at, at, false
	r.put(at)
}

// continues begins a line where the last one began, if that was closed.
func (r *pathReader) continues() *line {
	if r.beginsAgain {
		r.begin(r.start)
	}
	return &r.lines[len(r.lines)-1]
}

func (r *pathReader) straight(to point) {
	l := r.continues()
	l.curves = append(l.curves, false)
	r.put(to)
	r.pen = to
}

func (r *pathReader) cubic(first, second, end point) {
	l := r.continues()
	l.curves = append(l.curves, true)
	r.put(first)
	r.put(second)
	r.put(end)
	r.pen = end
}

// put adds a point to the last line, in units of the page.
func (r *pathReader) put(p point) {
	p = r.at.apply(p)
	if far(p) && r.err == nil {
		r.err = errFar
	}
	l := &r.lines[len(r.lines)-1]
	l.points = append(l.points, p)
}
