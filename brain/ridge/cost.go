package ridge

import "cmp"

// Form is how penalties are compared.
type Form string

// A fit is direct, which predicts the held-out rows with each penalty, or from sums over rows, which needs no
// predictions. Sums take fewer operations where there are many held-out rows for each feature. They agree to 1e-5 in
// r; fits of less than a second are direct in any case. With more than twice as many features as rows, of 64 MB or
// more, a fit is direct and comes from the kernel of the features: nothing else of their size is made, and the model
// keeps dual coefficients.
const (
	Direct Form = "direct"
	Sums   Form = "sums"
	Kernel Form = "kernel"
)

// Cost is what a fit took.
type Cost struct {
	Form       Form
	Operations float64 // multiplications and additions of matrix products; those in float64 count twice
	Bytes      int64   // of responses that were read
	Passes     float64 // over the responses, the check of their values included
	Condition  float64 // of Sums: largest over smallest singular value of the features of a fold's training rows
}

// count adds the operations of products of an m × k and a k × n matrix.
func (f *fit) count(times float64, m, k, n int) {
	f.cost.Operations += operations(times, m, k, n)
}

func operations(times float64, m, k, n int) float64 {
	return 2 * times * float64(m) * float64(k) * float64(n)
}

const worthSums = 1e11 // operations of a direct fit

// onlyForm is the form of all fits in tests; "": the one that takes fewer operations.
var onlyForm Form

// formVoxels is the number of voxels that the form is chosen for.
func (f *fit) formVoxels() int { return cmp.Or(f.opt.Of, f.voxels) }

// fromSums reports whether penalties are compared from sums: if that takes fewer operations. Bands would need sums for
// each set of their weights.
func (f *fit) fromSums(folds [][]int) bool {
	if f.opt.Bands != nil || onlyForm == Direct || f.x.scaleIsZero() || f.isDual() {
		return false
	}
	if onlyForm == Sums {
		return true
	}
	direct, sums := estimate(f.x.rows, f.x.cols, f.formVoxels(), len(f.opt.Lambdas), folds)
	return sums < direct && direct > worthSums
}

// shareOf returns the rows of all shares in relation to the rows.
func shareOf(folds [][]int, rows int) float64 {
	n := 0
	for _, share := range sharesOf(foldsOfRows(folds, rows), len(folds), 0, rows) {
		n += len(share.rows)
	}
	return float64(n) / float64(rows)
}

// decomposition is the products that a decomposition counts as.
const decomposition = 9

// estimateDual returns the operations of a fit of dual coefficients, without those of the kernel itself.
func estimateDual(rows, voxels, penalties int, folds [][]int) (n float64) {
	for _, held := range folds {
		train := rows - len(held)
		n += operations(2*decomposition, train, train, train) + operations(2, len(held), train, train) +
			operations(1, voxels, train, train) + operations(float64(penalties), voxels, train, len(held))
	}
	return n + operations(2*decomposition, rows, rows, rows) + operations(2*2, voxels, rows, rows)
}

// directly returns the operations of a direct fit, or of one from a kernel that is there.
func (f *fit) directly(voxels, penalties int, folds [][]int) float64 {
	if f.isDual() {
		return estimateDual(f.x.rows, voxels, penalties, folds)
	}
	n, _ := estimate(f.x.rows, f.x.cols, voxels, penalties, folds)
	return n
}

// estimate returns the operations of a fit in both forms.
func estimate(rows, features, voxels, penalties int, folds [][]int) (direct, sums float64) {
	for _, held := range folds {
		train := rows - len(held)
		k := min(train, features)
		direct += operations(2, features, train, k) + operations(2*decomposition, k, k, k) +
			operations(2, train, features, k) + operations(2, len(held), features, k) +
			operations(1, voxels, train, k) + operations(float64(penalties), voxels, k, len(held))
		sums += operations(2*(2*decomposition+4), features, features, features) +
			operations(2+.5625*float64(penalties), voxels, features, features)
	}
	k := min(rows, features)
	direct += operations(2, features, rows, k) + operations(2*decomposition, k, k, k) +
		operations(2, rows, features, k) + operations(2, voxels, rows, k) + operations(2, features, k, voxels)
	share := shareOf(folds, rows)
	sums += operations(2*(2+share), features, rows, features) +
		operations(2*decomposition, features, features, features) + operations(share, voxels, rows, features) +
		operations(2, features, features, voxels)
	return direct, sums
}
