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
	direct, sums := f.estimate(f.formVoxels(), folds)
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

// decomposing returns the operations of a decomposition of the features, or of the kernel, of all rows.
func (f *fit) decomposing() float64 {
	rows, features := f.x.rows, f.x.cols
	if f.isDual() {
		return operations(2*decomposition, rows, rows, rows)
	}
	k := min(rows, features)
	return operations(2, features, rows, k) + operations(2*decomposition, k, k, k) + operations(2, rows, features, k)
}

// solving returns the operations of weights, or of dual coefficients, with that.
func (f *fit) solving(voxels int) float64 {
	rows, features := f.x.rows, f.x.cols
	if f.isDual() {
		return operations(2*2, voxels, rows, rows)
	}
	k := min(rows, features)
	return operations(2, voxels, rows, k) + operations(2, features, k, voxels)
}

// comparing returns the operations of a cross-validation of the penalties, if the decomposition of all rows serves all.
func (f *fit) comparing(voxels int, folds [][]int) (n float64) {
	penalties := len(f.opt.Lambdas)
	for _, held := range folds {
		h, k := len(held), min(f.x.rows, f.x.cols)
		own := f.ownFold(f.x.rows-h, h)
		shared := sharedFold(h, k, penalties)
		n += min(own, shared) + operations(1, voxels, f.x.rows-h, k) + operations(float64(penalties), voxels, k, h)
	}
	return n
}

// ownFold returns the operations of what a fold needs of the features from a decomposition of its training rows.
func (f *fit) ownFold(train, held int) float64 {
	if f.isDual() {
		return operations(2*decomposition, train, train, train) + operations(2, held, train, train)
	}
	features := f.x.cols
	k := min(train, features)
	return operations(2, features, train, k) + operations(2*decomposition, k, k, k) +
		operations(2, train+held, features, k)
}

// sharedFold returns the operations of that from the decomposition of all rows, of K directions.
func sharedFold(held, k, penalties int) float64 {
	return float64(penalties) * (operations(4, held, k, held) + operations(1, held, held, held))
}

// shares reports whether it is cheaper for a fold to share the decomposition of all rows than to have its own.
func (f *fit) shares(held int) bool {
	k := min(f.x.rows, f.x.cols)
	return sharedFold(held, k, len(f.opt.Lambdas)) < f.ownFold(f.x.rows-held, held)
}

// estimate returns the operations of a fit of one set of weights of the bands in both forms, without those of a kernel.
func (f *fit) estimate(voxels int, folds [][]int) (direct, sums float64) {
	rows, features, penalties := f.x.rows, f.x.cols, len(f.opt.Lambdas)
	direct = f.decomposing() + f.solving(voxels) + f.comparing(voxels, folds)
	for range folds {
		sums += operations(2*(2*decomposition+4), features, features, features) +
			operations(2+.5625*float64(penalties), voxels, features, features)
	}
	share := shareOf(folds, rows)
	sums += operations(2*(2+share), features, rows, features) +
		operations(2*decomposition, features, features, features) + operations(share, voxels, rows, features) +
		operations(2, features, features, voxels)
	return direct, sums
}
