package main

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/torch"
)

// ridgeFlags are the flags of ridge.
type ridgeFlags struct {
	x, y, testX, testY, out           string
	lambdas, bands, selection, device string
	folds                             int
	intercept, coef                   bool
	opt                               ridge.Options
}

func ridgeCommand(a *app) *cobra.Command {
	var f ridgeFlags
	c := &cobra.Command{
		Use:   "ridge --x FILE --y FILE --out DIR",
		Short: "Fit a ridge regression with a penalty per voxel",
		Long: `Fits a ridge regression from X.npy (rows x features) to Y.npy (rows x voxels), each voxel with the lambda
that predicts contiguous held-out folds best: by the mean over folds of r, or of R². Lambda is the penalty of
scikit-learn and himalaya; the alphas of HuthLab's code and of experiment files are its root, lambda = alpha². Equal
scores go to the larger lambda.

The arrays are used as given: no z-scoring, no delays, and no intercept, so centre them or give --intercept, which
removes the means of the training rows (of each fold, and of all rows). They may hold floats or integers, by rows or by
columns, and are computed with as 32-bit floats; a Y of one dimension is one voxel. Y is read some voxels at a time.

With --bands each band of features has a lambda of its own for each voxel (banded ridge): --tries sets of weights, which
divide the lambdas of the bands, are compared like the lambdas. The first set is all ones, the ordinary ridge; then
comes each band nearly alone; the others are random, from --seed. Every set costs as much as an ordinary ridge.

DIR gets, file by file:
  lambda.npy    (voxels), or (bands, voxels)
  coef.npy      (features, voxels), and intercept.npy (voxels) with --intercept
  dual_coef.npy (rows, voxels) instead of coef.npy, where there are more than twice as many features as rows and
                coef.npy or X have 64 MB or more: coef = X.T @ dual_coef, with --intercept
                (X - X.mean(0)).T @ dual_coef. --coef writes coef.npy, too
  cv.npy        (voxels): the score of the chosen lambda on the held-out folds; not with a single lambda
  r.npy         (voxels): r on the test rows; r2.npy: 1 - sum((y-p)²)/sum((y-mean(y))²); only with --test-x and --test-y
  split_r2.npy  (bands, voxels): sum(p_b·(2y-p))/sum(y²), with sum 1 - sum((y-p)²)/sum(y²); p_b is the part of band b in
                the prediction p; with --intercept, y and p are minus the training means
  constant.npy  (voxels): voxels that are constant in the training rows or, like their prediction, in the test
                rows; they score 0 and are left out of means

--json prints {"schema", "out", "files", "rows", "test_rows", "features", "voxels", "folds", "select", "mean_cv_score",
"mean_r", "mean_r2", "mean_split_r2", "constant_voxels", "smallest_lambda_voxels", "largest_lambda_voxels", "form",
"operations", "passes"}: two counts of voxels that chose an end of the list, and whether lambdas were compared by
predictions of held-out rows (direct), from sums over rows (sums), which takes fewer operations where rows are many, or
from the kernel of the features (kernel), which holds X once and nothing else of its size.`,
		Example: `  bwlm ridge --x X.npy --y Y.npy --test-x X2.npy --test-y Y2.npy --lambdas 1e2,1e3,1e4,1e5 --folds 5 \
      --out scores
  bwlm ridge --x X.npy --y Y.npy --test-x X2.npy --test-y Y2.npy --bands 0:768,768:808 --tries 40 --intercept \
      --out banded`,
		Args: wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			answer, err := a.ridge(c.Context(), &f)
			if err != nil {
				return err
			}
			return a.answer(answer, answer.text)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.x, "x", "", "`file` of the training features, .npy")
	flags.StringVar(&f.y, "y", "", "`file` of the training responses, .npy")
	flags.StringVar(&f.testX, "test-x", "", "`file` of the test features")
	flags.StringVar(&f.testY, "test-y", "", "`file` of the test responses")
	flags.StringVar(&f.out, "out", "", "`folder` to write to")
	flags.StringVar(&f.lambdas, "lambdas", "",
		"penalties to try, in any order, such as 1e2,1e3 (default ten from 1e2 to 1e8)")
	flags.IntVar(&f.folds, "folds", 5, "contiguous folds, each held out once")
	flags.StringVar(&f.bands, "bands", "", "bands of features, first:end without the end, such as 0:10,10:30")
	flags.StringVar(&f.selection, "select", "r", "score that chooses the lambda: r or r2")
	flags.IntVar(&f.opt.Tries, "tries", 20, "sets of weights of the bands to try")
	flags.Uint64Var(&f.opt.Seed, "seed", 0, "seed of the random sets of weights")
	flags.BoolVar(&f.intercept, "intercept", false, "fit an intercept, which is not penalised")
	flags.BoolVar(&f.coef, "coef", false, "write coef.npy also where dual coefficients are kept")
	flags.StringVar(&f.device, "device", "cpu", "auto, cpu, cuda or cuda:N")
	return c
}

// check reads the flags and finds what is wrong with them alone.
func (f *ridgeFlags) check(c *cobra.Command) (err error) {
	if err := required(c, "x", "y", "out"); err != nil {
		return err
	}
	f.opt.NoIntercept = !f.intercept
	switch {
	case (f.testX == "") != (f.testY == ""):
		return usage(c, "--test-x and --test-y go together")
	case f.bands == "" && (c.Flags().Changed("tries") || c.Flags().Changed("seed")):
		return usage(c, "--tries and --seed are about --bands, which is not given")
	case f.folds < 2:
		return usage(c, "--folds: %d, want at least 2", f.folds)
	case f.opt.Tries < 1:
		return usage(c, "--tries: %d, want at least 1", f.opt.Tries)
	case f.selection == "r2":
		f.opt.Metric = ridge.R2
	case f.selection != "r":
		return usage(c, "--select: %q is neither r nor r2", f.selection)
	}
	if c.Flags().Changed("lambdas") {
		if f.opt.Lambdas, err = parseLambdas(f.lambdas); err != nil {
			return usage(c, "--lambdas: %v", err)
		}
	}
	if c.Flags().Changed("bands") {
		if f.opt.Bands, err = parseBands(f.bands); err != nil {
			return usage(c, "--bands: %v", err)
		}
	}
	f.opt.Device, err = torch.OpenDevice(f.device)
	return err
}

func parseLambdas(text string) (lambdas []float64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		l, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(l >= 0) || math.IsInf(l, 0) {
			return nil, fmt.Errorf("%q is not a number from 0 up", part)
		}
		lambdas = append(lambdas, l)
	}
	return lambdas, nil
}

func parseBands(text string) (bands []ridge.Band, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, end, _ := strings.Cut(strings.TrimSpace(part), ":")
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(end)
		if err1 != nil || err2 != nil || from < 0 || to <= from {
			return nil, fmt.Errorf("%q is not first:end with first below end", part)
		}
		bands = append(bands, ridge.Band{From: from, To: to})
	}
	return bands, nil
}

// ridge reads, fits, scores and writes.
func (a *app) ridge(ctx context.Context, f *ridgeFlags) (*ridgeAnswer, error) {
	// collect early: the heap is a few large arrays, cheap to look through and costly to have twice
	debug.SetGCPercent(10)
	train, err := openPair(f.x, f.y)
	if err != nil {
		return nil, err
	}
	defer train.close()
	if f.opt.Folds, err = ridge.KFold(train.x.Rows, f.folds); err != nil {
		return nil, train.name(err)
	}
	var test *pair
	if f.testX != "" {
		if test, err = openPair(f.testX, f.testY); err != nil {
			return nil, err
		}
		defer test.close()
		if err := test.like(train); err != nil {
			return nil, err
		}
		if err := ridge.Check(ctx, test.x.Data, columnsOf(test.y), test.x.Rows, test.y.Cols); err != nil {
			// now rather than after the fit
			return nil, test.name(err)
		}
	}
	if err := makeResults(f.out); err != nil {
		return nil, err
	}
	var bar *ui.Progress
	f.opt.Progress = func(done, all int) {
		if bar == nil {
			bar = a.ui.Progress("cross-validate", 0, all)
		}
		if bar.Set(done, ""); done == all {
			bar.End()
		}
	}
	model, err := ridge.FitColumns(ctx, train.x.Data, columnsOf(train.y), train.x.Rows, train.y.Cols, f.opt)
	if err != nil {
		return nil, train.name(err)
	}
	answer := &ridgeAnswer{Schema: 1, Out: f.out, Rows: train.x.Rows, Features: model.Features, Voxels: model.Voxels,
		Folds: f.folds, Select: f.selection,
		Form: model.Cost.Form, Operations: model.Cost.Operations, Passes: model.Cost.Passes}
	answer.countEnds(model)
	var scores *ridge.Evaluation
	if test == nil {
		a.ui.Note("note: without --test-x and --test-y there is no r.npy; cv.npy has the scores on the held-out folds")
	} else if scores, err = model.Evaluate(ctx, test.x.Data, columnsOf(test.y), test.x.Rows); err != nil {
		return nil, test.name(err)
	} else {
		answer.TestRows = test.x.Rows
	}
	if model.Dual != nil && !f.coef {
		a.ui.Note("note: dual coefficients are kept, since features far outnumber rows; --coef writes coef.npy, %s",
			megabytes(4e-6*float64(model.Features)*float64(model.Voxels)))
	}
	return answer, answer.write(ctx, f.out, model, scores, f.coef)
}

// columnsOf reads a file by rows if it is stored so.
func columnsOf(y *npy.Columns) ridge.ColumnReader {
	if rows := y.ByRows(); rows != nil {
		return rows
	}
	return y
}
