package cortex

import (
	"cmp"
	"math"
	"slices"
)

// Sheet is a synthetic hemisphere.
type Sheet struct {
	Surface *Surface
	Sulc    []float32    // depth of its sulci, about -1 to 1
	Sphere  [][3]float32 // each vertex before folding, on a unit sphere: outward, anterior, superior
}

// Synthetic makes two hemispheres that resemble those of a brain: an ellipsoid each, flat on the
// inside, with a temporal lobe below a fissure, and folds. level is the number of subdivisions of
// an icosahedron: 5 gives 10,242 vertices a side, as in fsaverage5. The sides are mirror images,
// vertex by vertex. The result is always the same.
func Synthetic(level int) (left, right *Sheet) {
	points, faces := icosphere(level)
	left, right = &Sheet{Surface: &Surface{}}, &Sheet{Surface: &Surface{}}
	for _, p := range points {
		q, depth := fold(p) // of a right hemisphere
		right.Surface.Points = append(right.Surface.Points, [3]float32{float32(q[0]), float32(q[1]), float32(q[2])})
		left.Surface.Points = append(left.Surface.Points, [3]float32{float32(-q[0]), float32(q[1]), float32(q[2])})
		right.Sulc, left.Sulc = append(right.Sulc, float32(depth)), append(left.Sulc, float32(depth))
		right.Sphere = append(right.Sphere, [3]float32{float32(p[0]), float32(p[1]), float32(p[2])})
		left.Sphere = append(left.Sphere, right.Sphere[len(left.Sphere)])
	}
	for _, f := range faces {
		right.Surface.Faces = append(right.Surface.Faces, f)
		// A mirror image needs the other orientation.
		left.Surface.Faces = append(left.Surface.Faces, [3]int32{f[0], f[2], f[1]})
	}
	return left, right
}

// fold maps a point of the unit sphere to the surface of a right hemisphere, in mm, and returns its
// depth in a sulcus.
func fold(p [3]float64) (q [3]float64, depth float64) {
	x, y, z := p[0], p[1], p[2]
	bump := func(cx, cy, cz, width float64) float64 {
		return math.Exp(-((x-cx)*(x-cx) + (y-cy)*(y-cy) + (z-cz)*(z-cz)) / (width * width))
	}
	// Folds are waves whose direction varies, shallower on the inside, where the medial wall is.
	wave := math.Sin(13*y+3*math.Sin(5*z+2*x)) * math.Cos(11*z+3*math.Sin(4*y+x))
	outside := .35 + .65/(1+math.Exp(-6*(x+.3)))
	temporal := bump(.55, .25, -.70, .50) // the lobe
	fissure := bump(.85, .18, -.16, .22) + bump(.90, -.12, -.02, .20)
	r := 1 + .033*wave*outside + .22*temporal - .17*fissure
	depth = -wave*outside*.8 + 1.4*fissure
	inner := x
	if inner < 0 {
		inner *= .35 // flat towards the other side
	}
	q = [3]float64{19.5 + 48*r*inner, -18 + 86*r*y, 14 + 58*r*z}
	if z < -.1 && y < -.1 { // less of the back below, where the cerebellum would be
		q[2] += 32 * (-.1 - z) * (-.1 - y)
	}
	return q, depth
}

// icosphere divides each triangle of an icosahedron into four, level times, with all vertices on
// the unit sphere.
func icosphere(level int) ([][3]float64, [][3]int32) {
	g := (1 + math.Sqrt(5)) / 2
	points := [][3]float64{{-1, g, 0}, {1, g, 0}, {-1, -g, 0}, {1, -g, 0}, {0, -1, g}, {0, 1, g}, {0, -1, -g},
		{0, 1, -g}, {g, 0, -1}, {g, 0, 1},
		{-g, 0, -1}, {-g, 0, 1}}
	for i := range points {
		points[i] = onSphere(points[i])
	}
	faces := [][3]int32{{0, 11, 5}, {0, 5, 1}, {0, 1, 7}, {0, 7, 10}, {0, 10, 11}, {1, 5, 9}, {5, 11, 4}, {11, 10, 2},
		{10, 7, 6}, {7, 1, 8},
		{3, 9, 4}, {3, 4, 2}, {3, 2, 6}, {3, 6, 8}, {3, 8, 9}, {4, 9, 5}, {2, 4, 11}, {6, 2, 10}, {8, 6, 7}, {9, 8, 1}}
	for range level {
		middles := map[[2]int32]int32{}
		middle := func(a, b int32) int32 {
			key := [2]int32{min(a, b), max(a, b)}
			if m, known := middles[key]; known {
				return m
			}
			p, q := points[a], points[b]
			points = append(points, onSphere([3]float64{p[0] + q[0], p[1] + q[1], p[2] + q[2]}))
			middles[key] = int32(len(points) - 1)
			return middles[key]
		}
		var finer [][3]int32
		for _, f := range faces {
			a, b, c := middle(f[0], f[1]), middle(f[1], f[2]), middle(f[2], f[0])
			finer = append(finer, [3]int32{f[0], a, c}, [3]int32{f[1], b, a}, [3]int32{f[2], c, b}, [3]int32{a, b, c})
		}
		faces = finer
	}
	return points, faces
}

func onSphere(p [3]float64) [3]float64 {
	n := math.Sqrt(p[0]*p[0] + p[1]*p[1] + p[2]*p[2])
	return [3]float64{p[0] / n, p[1] / n, p[2] / n}
}

// Patch is the set of the vertices of a sheet nearest to a direction from its middle: outward,
// anterior, superior. {1, .1, -.2} is near auditory cortex.
func (s *Sheet) Patch(direction [3]float64, vertices int) Mask {
	d := onSphere(direction)
	far := make([]float64, len(s.Sphere))
	order := make([]int, len(s.Sphere))
	for v, p := range s.Sphere {
		far[v], order[v] = -(float64(p[0])*d[0] + float64(p[1])*d[1] + float64(p[2])*d[2]), v
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(far[a], far[b]) })
	out := make(Mask, len(s.Sphere))
	for _, v := range order[:min(vertices, len(order))] {
		out[v] = true
	}
	return out
}
