package ridge

// Expected is what a fit will take.
type Expected struct {
	Form       Form
	Operations float64 // as Cost counts them
	Passes     float64 // over the responses

	// Memory is the most bytes beside x and what a Use keeps. What Options.Bytes bounds is included.
	Memory int64
}

// Expect estimates what [FitBlocks] takes with some rows, features and voxels. Errors are those of the options.
func Expect(rows, features, voxels int, opt Options) (Expected, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return Expected{}, err
	}
	f := &fit{opt: opt, x: &matrix{rows: rows, cols: features, factor: []float64{1}}, voxels: voxels, sets: opt.Weights}
	f.blockVoxels = f.voxelsOf(blockValues)
	y := &responses{Responses: Responses{Voxels: voxels}, rows: rows}
	e := Expected{Form: Direct, Memory: int64(57+8*len(opt.Lambdas)) * int64(voxels)} // choices, scores, constants
	var folds [][]int
	if opt.Given == nil && max(1, len(f.sets))*len(opt.Lambdas) > 1 {
		if folds, err = f.folds(); err != nil {
			return Expected{}, err
		}
	}
	direct, sums := f.estimate(voxels, folds)
	if folds != nil && f.fromSums(folds) {
		p := &pass{fit: f, directions: &directions{size: make([]float64, features)}, folds: len(folds)}
		widest, n := groupsOf(p.groups(y))
		e.Form, e.Operations, e.Passes = Sums, sums, float64(n)
		e.Memory += f.sumsMemory(widest, len(folds))
		return e, nil
	}
	widest, n := groupsOf(f.directGroups(y))
	if f.isDual() {
		e.Form, e.Passes = Kernel, float64(n)
		e.Operations = operations(2, rows, features, rows) + direct
		block := int64(min(voxels, f.voxelsOf(dualBlockValues)))
		// the responses, kernels and their decomposition, blocks of columns, coefficients, and 16 blocks of 8 MB
		e.Memory += int64(rows)*(4*int64(widest)+56*int64(rows)+8*block) + 6*8*int64(kernelValues) + 16<<23
		return e, nil
	}
	e.Operations, e.Passes = direct*float64(max(1, len(f.sets))), float64(n)
	r, k := int64(rows), int64(min(rows, features))
	// the responses, features, their decomposition, projections, predictors of the largest fold, and 16 blocks of 8 MB
	e.Memory += 4*int64(widest)*r + 8*r*int64(features) + 40*k*k + 24*r*k + f.foldMemory(folds) + 16<<23
	return e, nil
}

// foldMemory is the memory of what the largest fold needs of a decomposition that is shared: inverses, and predictors
// of each penalty.
func (f *fit) foldMemory(folds [][]int) (most int64) {
	k := int64(min(f.x.rows, f.x.cols))
	for _, held := range folds {
		h, penalties := int64(len(held)), int64(len(f.opt.Lambdas))
		if f.shares(len(held)) {
			most = max(most, h*(32*h+(24+8*penalties)*k))
		}
	}
	return most
}

// sumsMemory is the memory of a fit from sums over a group of columns.
func (f *fit) sumsMemory(columns, folds int) int64 {
	k, parts := int64(f.x.cols), int64(1+folds)
	// sums and the rows that are added, with half as much that is garbage; what a block takes beside, as measured
	group := (4*parts*k + 6*int64(min(sumRows, f.x.rows))) * int64(columns)
	block := int64(sumVoxels) * (24*int64(sumRows) + 80*k)
	directions := 4*int64(f.x.rows)*k + 8*(1+2*parts)*k*k + 40*k*k + 8*4*int64(sumRows)*k
	return group + block + directions + int64(folds)*8*k*k
}

// groupsOf returns the number of columns of the widest group, and the number of groups.
func groupsOf(groups func(yield func(from, to int) bool)) (widest, n int) {
	for from, to := range groups {
		widest, n = max(widest, to-from), n+1
	}
	return widest, n
}
