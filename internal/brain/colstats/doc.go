// Package colstats computes statistics of the columns of a matrix whose rows are given one after
// another: mean and SD, and the drift that Legendre polynomials fit.
package colstats
