package probe

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// memory is the number of steps that L-BFGS keeps.
const memory = 12

// step is one kept step of L-BFGS: the changes of x and of the gradient.
type step struct{ dx, dg []float64 }

// minimise finds the least of a smooth, strictly convex function by L-BFGS with backtracking
// (Nocedal & Wright, Numerical Optimization, 2nd ed., algorithms 7.4 and 3.1), from x on, until no
// entry of the gradient exceeds the tolerance. In Go's own arithmetic, since package gonum/optimize
// calls the function on goroutines where tensors must not be touched.
func minimise(x []float64, f func([]float64) (float64, []float64), tolerance float64, most int) []float64 {
	value, gradient := f(x)
	var steps []step
	for range most {
		if floats.Norm(gradient, maxNorm) <= tolerance {
			break
		}
		direction := descend(gradient, steps)
		slope := floats.Dot(direction, gradient)
		length := 1.
		if len(steps) == 0 {
			length = 1 / max(1, floats.Norm(gradient, 1))
		}
		next, nextGradient, nextValue := x, gradient, value
		const armijo, shortest = 1e-4, 1e-12
		for ; length > shortest; length /= 2 {
			next = append([]float64(nil), x...)
			floats.AddScaled(next, length, direction)
			if nextValue, nextGradient = f(next); nextValue <= value+armijo*length*slope {
				break
			}
		}
		if length <= shortest { // rounding is all that is left
			break
		}
		s := step{floats.SubTo(make([]float64, len(x)), next, x),
			floats.SubTo(make([]float64, len(x)), nextGradient, gradient)}
		if floats.Dot(s.dx, s.dg) > 0 {
			steps = append(steps, s)
			steps = steps[max(0, len(steps)-memory):]
		}
		x, value, gradient = next, nextValue, nextGradient
	}
	return x
}

// maxNorm selects the maximum norm of floats.Norm.
var maxNorm = math.Inf(1)

// descend returns minus the gradient times the approximate inverse Hessian of the kept steps.
func descend(gradient []float64, steps []step) []float64 {
	q := append([]float64(nil), gradient...)
	along := make([]float64, len(steps))
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		along[i] = floats.Dot(s.dx, q) / floats.Dot(s.dx, s.dg)
		floats.AddScaled(q, -along[i], s.dg)
	}
	if n := len(steps); n > 0 {
		s := steps[n-1]
		floats.Scale(floats.Dot(s.dx, s.dg)/floats.Dot(s.dg, s.dg), q)
	}
	for i, s := range steps {
		floats.AddScaled(q, along[i]-floats.Dot(s.dg, q)/floats.Dot(s.dx, s.dg), s.dx)
	}
	floats.Scale(-1, q)
	return q
}
