package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
)

// testFlags are the flags of stats test.
type testFlags struct {
	pred, y, out, block string
	rows                []int // of each story
	opt                 stats.PermutationOptions
}

// testAnswer is the result of stats test.
type testAnswer struct {
	Schema       int     `json:"schema"`
	Out          string  `json:"out"`
	Rows         int     `json:"rows"`
	Voxels       int     `json:"voxels"`
	Scored       int     `json:"scored"`
	Constant     int     `json:"constant"` // not scored: predictions or responses do not vary
	Tail         string  `json:"tail"`     // one-sided or two-sided
	BlockRows    int     `json:"block"`
	Blocks       int     `json:"blocks"`
	Permutations int     `json:"permutations"`
	Seed         uint64  `json:"seed"`
	MeanR        float64 `json:"mean_r"`         // of the voxels scored
	P05          int     `json:"voxels_p_05"`    // voxels with p ≤ .05, each for itself
	Max05        int     `json:"voxels_pmax_05"` // corrected for all voxels
	Q05          int     `json:"voxels_q_05"`    // false discovery rate, Benjamini-Hochberg
	QBY05        int     `json:"voxels_qby_05"`  // Benjamini-Yekutieli
}

func testCommand(a *app) *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use:   "test --pred FILE --y FILE --out DIR",
		Short: "Test predictions against chance by block permutation",
		Long: `Correlates predictions with responses, both .npy of rows x voxels, and tests each voxel's r by permuting
blocks of the responses' rows: p = (#{r* >= r} + 1)/(permutations + 1). One value per voxel is written below DIR:

  r.npy      Pearson's r
  p.npy      p of each voxel, uncorrected
  p_max.npy  p corrected for all voxels (max statistic): how often the largest r* of all voxels reaches this r
  q.npy      false discovery rate by Benjamini and Hochberg, all voxels being one family
  q_by.npy   false discovery rate by Benjamini and Yekutieli, for any dependence between voxels

The test is one-sided (r above chance) unless --two-sided (|r| above chance) is given. A voxel whose predictions or
responses are constant has r 0 and p and q 1, and is not counted in the family.

Responses of neighbouring rows are autocorrelated, so blocks must be longer than the autocorrelation time; --block auto
takes three times that of the responses, and 10 rows at least. A story is cut into equal blocks of at least that many
rows; --stories gives the rows of each if there are several, one after another.

--json prints {"schema", "out", "rows", "voxels", "scored", "constant", "tail", "block", "blocks", "permutations",
"seed", "mean_r", "voxels_p_05", "voxels_pmax_05", "voxels_q_05", "voxels_qby_05"}, the last four being numbers of
voxels.`,
		Example: `  bwlm stats test --pred pred.npy --y responses.npy --block 10 --permutations 1000 --seed 1 --out test
  bwlm stats test --pred pred.npy --y responses.npy --block auto --stories 291,340 --two-sided --out test --json`,
		Args: wantArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			answer, err := f.test(c.Context())
			if err != nil {
				return err
			}
			return a.answer(answer, answer.text)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.pred, "pred", "", ".npy `file` of predictions, rows x voxels")
	flags.StringVar(&f.y, "y", "", ".npy `file` of responses, rows x voxels")
	flags.StringVar(&f.out, "out", "", "`folder` for the results")
	flags.StringVar(&f.block, "block", "auto", "`rows` of a block, or auto")
	flags.IntVar(&f.opt.Permutations, "permutations", 1000, "number of permutations")
	flags.Uint64Var(&f.opt.Seed, "seed", 1, "seed of the permutations")
	flags.BoolVar(&f.opt.TwoSided, "two-sided", false, "test for negative r as well")
	flags.IntSliceVar(&f.rows, "stories", nil,
		"`rows` of each story, such as 291,340; no block crosses from one to the next")
	return c
}

// check finds what is wrong with the flags alone.
func (f *testFlags) check(c *cobra.Command) error {
	if err := required(c, "pred", "y", "out"); err != nil {
		return err
	}
	if f.opt.Permutations < 1 {
		return usage(c, "--permutations: %d, want 1 at least", f.opt.Permutations)
	}
	if f.block != "auto" {
		var err error
		if f.opt.BlockRows, err = strconv.Atoi(f.block); err != nil || f.opt.BlockRows < 1 {
			return usage(c, "--block: %q is neither auto nor a number of rows", f.block)
		}
	}
	for _, n := range f.rows {
		if n < 1 {
			return usage(c, "--stories: %d rows, want 1 at least", n)
		}
	}
	f.opt.Lengths = f.rows
	return nil
}

// test reads, computes and writes.
func (f *testFlags) test(ctx context.Context) (*testAnswer, error) {
	const what = "stats test"
	files := arrays{what: what, out: f.out}
	predShape, pred := files.read(f.pred, "rows", "voxels")
	shape, y := files.read(f.y, "rows", "voxels")
	if files.err != nil {
		return nil, files.err
	}
	if !slices.Equal(predShape, shape) {
		err := fault.New(fault.BadData, what, f.pred, "shape %v, the responses have %v", predShape, shape)
		if predShape[0] == shape[1] && predShape[1] == shape[0] {
			err = err.WithHint("it looks transposed: rows come first")
		}
		return nil, err
	}
	rows, voxels := shape[0], shape[1]
	if total := sum(f.rows); f.rows != nil && total != rows {
		return nil, fault.New(fault.BadData, what, f.y, "%d rows, the stories have %d", rows, total)
	}
	out, err := stats.PermutationTest(ctx, pred, y, rows, voxels, f.opt)
	if err != nil {
		return nil, err
	}
	answer := &testAnswer{Schema: 1, Out: f.out, Rows: rows, Voxels: voxels, Tail: "one-sided",
		BlockRows: out.BlockRows, Blocks: out.Blocks, Permutations: out.Permutations, Seed: f.opt.Seed}
	if out.TwoSided {
		answer.Tail = "two-sided"
	}
	answer.MeanR, answer.Scored = stats.Mean(out.R, out.Constant, nil)
	if answer.Constant = voxels - answer.Scored; answer.Scored == 0 {
		return nil, fault.New(fault.BadData, what, f.pred,
			"no voxel can be scored: predictions or responses are constant in all")
	}
	answer.P05, answer.Max05, answer.Q05, answer.QBY05 = small(out.P), small(out.PMax), small(out.Q), small(out.QBY)
	files.folder()
	write(&files, "r", out.R)
	write(&files, "p", out.P)
	write(&files, "p_max", out.PMax)
	write(&files, "q", out.Q)
	write(&files, "q_by", out.QBY)
	return answer, files.err
}

func sum(values []int) (total int) {
	for _, n := range values {
		total += n
	}
	return total
}

// small counts the p that are .05 at most.
func small(p []float64) (n int) {
	for _, x := range p {
		if x <= .05 {
			n++
		}
	}
	return n
}

func (x *testAnswer) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, `%s: mean r %.3f of %d voxels (%d are constant)
%s, %d permutations of %d blocks of at least %d rows
voxels at .05: %d by p alone, %d corrected for all voxels, %d by false discovery rate (%d by Benjamini-Yekutieli)
`,
		x.Out, x.MeanR, x.Scored, x.Constant, x.Tail, x.Permutations, x.Blocks, x.BlockRows, x.P05, x.Max05, x.Q05,
		x.QBY05)
	return err
}
