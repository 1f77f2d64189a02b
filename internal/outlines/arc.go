package outlines

import "math"

// arc draws an elliptical arc as Bézier curves of at most a quarter turn each, which differ from it by less than 3 in
// 10,000 of a radius. The middle and the angles follow from the ends as in SVG 1.1, appendix F.6.
func (r *pathReader) arc(radii point, degrees float64, large, sweep bool, to point) {
	rx, ry := math.Abs(radii[0]), math.Abs(radii[1])
	if rx == 0 || ry == 0 || to == r.pen {
		r.straight(to)
		return
	}
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	half := r.pen.minus(to).times(.5)
	x, y := (cos*half[0]+sin*half[1])/rx, (cos*half[1]-sin*half[0])/ry // on the unit circle
	square := x*x + y*y
	if square > 1 { // the ellipse is too small: it grows
		grow := math.Sqrt(square)
		rx, ry, x, y, square = rx*grow, ry*grow, x/grow, y/grow, 1
	}
	away := math.Sqrt((1 - square) / square)
	if large == sweep {
		away = -away
	}
	middle := point{away * y, -away * x}
	from := math.Atan2(y-middle[1], x-middle[0])
	turn := math.Atan2(-y-middle[1], -x-middle[0]) - from
	if sweep && turn < 0 {
		turn += 2 * math.Pi
	} else if !sweep && turn > 0 {
		turn -= 2 * math.Pi
	}
	centre := r.pen.plus(to).times(.5)
	place := func(p point) point {
		u, v := rx*(p[0]+middle[0]), ry*(p[1]+middle[1])
		return point{cos*u - sin*v + centre[0], sin*u + cos*v + centre[1]}
	}
	pieces := int(math.Ceil(math.Abs(turn)/(math.Pi/2) - 1e-9))
	if pieces < 1 || pieces > 4 { // turn is not finite
		r.straight(point{math.NaN(), 0})
		return
	}
	step := turn / float64(pieces)
	arm := 4. / 3 * math.Tan(step/4)
	for i := range pieces {
		s0, c0 := math.Sincos(from + float64(i)*step)
		s1, c1 := math.Sincos(from + float64(i+1)*step)
		end := place(point{c1, s1})
		if i == pieces-1 {
			end = to
		}
		r.cubic(place(point{c0 - arm*s0, s0 + arm*c0}), place(point{c1 + arm*s1, s1 - arm*c1}), end)
	}
}
