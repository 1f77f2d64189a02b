package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// delta returns tuned − base of each component over some sounds.
func (p *predictions) delta(sounds []int) []float64 {
	d, base := p.r("tuned", sounds), p.r("base", sounds)
	for v := range d {
		d[v] -= base[v]
	}
	return d
}

// bootstrap returns two 95 % intervals of tuned − base of each component: from draws of sounds within each category,
// and from draws of whole categories.
func (p *predictions) bootstrap(draws int) [][4]float64 {
	of := map[string][]int{}
	var names []string
	for k, c := range p.category {
		if of[c] == nil {
			names = append(names, c)
		}
		of[c] = append(of[c], k)
	}
	r := rand.New(rand.NewPCG(1, 2))
	stratified := func() (sounds []int) {
		for _, name := range names {
			for range of[name] {
				sounds = append(sounds, of[name][r.IntN(len(of[name]))])
			}
		}
		return sounds
	}
	whole := func() (sounds []int) {
		for range names {
			sounds = append(sounds, of[names[r.IntN(len(names))]]...)
		}
		return sounds
	}
	out := make([][4]float64, len(p.components))
	for i, draw := range []func() []int{stratified, whole} {
		values := make([][]float64, len(p.components))
		for range draws {
			for v, d := range p.delta(draw()) {
				values[v] = append(values[v], d)
			}
		}
		for v, x := range values {
			slices.Sort(x)
			out[v][2*i], out[v][2*i+1] = x[int(.025*float64(draws))], x[int(math.Ceil(.975*float64(draws)))-1]
		}
	}
	return out
}

// permute returns the two-sided p of tuned − base of each component: the share of exchanges of the two predictions of
// sounds, drawn for each sound, whose difference is at least as large.
func (p *predictions) permute(draws int) []float64 {
	r := rand.New(rand.NewPCG(3, 4))
	width := len(p.components)
	base, tuned := slices.Clone(p.of["base"]), slices.Clone(p.of["tuned"])
	found, count := p.delta(nil), make([]float64, width)
	for range draws {
		for k := range p.category {
			if r.IntN(2) == 0 {
				continue
			}
			for v := k * width; v < (k+1)*width; v++ {
				base[v], tuned[v] = tuned[v], base[v]
			}
		}
		a, b := correlate(tuned, p.measured, width, nil), correlate(base, p.measured, width, nil)
		for v := range count {
			if math.Abs(a[v]-b[v]) >= math.Abs(found[v])-1e-12 {
				count[v]++
			}
		}
	}
	for v := range count {
		count[v] = (count[v] + 1) / float64(draws+1)
	}
	return count
}

// holm returns p values corrected for their number (Holm 1979).
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return a - b
	})
	out, largest := make([]float64, len(p)), 0.
	for rank, i := range order {
		largest = max(largest, min(1, p[i]*float64(len(p)-rank)))
		out[i] = largest
	}
	return out
}
