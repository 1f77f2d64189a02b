package stats

import (
	"cmp"
	"slices"
)

// BenjaminiHochberg returns the q of each p: the least false discovery rate at which that p is a
// discovery (Benjamini and Hochberg, J. R. Stat. Soc. B 57(1), 1995). All p of a table belong in
// one call, as one family. It is valid for tests that are independent or positively dependent, such
// as those of neighbouring voxels.
func BenjaminiHochberg(p []float64) []float64 { return stepUp(p, 1) }

// BenjaminiYekutieli is [BenjaminiHochberg] for tests with any dependence; q are larger by a factor
// of 1 + 1/2 + … + 1/m (Ann. Stat. 29(4), 2001).
func BenjaminiYekutieli(p []float64) []float64 {
	factor := 0.
	for k := range p {
		factor += 1 / float64(k+1)
	}
	return stepUp(p, factor)
}

// stepUp returns the minimum over all p' ≥ p of factor·m·p'/rank(p'), at most 1.
func stepUp(p []float64, factor float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) }) // largest first
	q, least := make([]float64, len(p)), 1.
	for k, i := range order {
		rank := float64(len(p) - k)
		least = min(least, factor*p[i]*float64(len(p))/rank)
		q[i] = least
	}
	return q
}
