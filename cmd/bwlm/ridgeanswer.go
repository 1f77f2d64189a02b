package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/decimal"
	"github.com/brainwavlm/bwlm/npy"
)

// ridgeAnswer is the result of ridge. Means are over voxels that are not constant.
type ridgeAnswer struct {
	Schema   int        `json:"schema"`
	Out      string     `json:"out"`
	Files    []string   `json:"files"`
	Rows     int        `json:"rows"`
	TestRows int        `json:"test_rows"`
	Features int        `json:"features"`
	Voxels   int        `json:"voxels"`
	Folds    int        `json:"folds"`
	Select   string     `json:"select"`
	CV       *float64   `json:"mean_cv_score"` // null with one lambda, for which nothing is held out
	R        *float64   `json:"mean_r"`        // null without test rows
	R2       *float64   `json:"mean_r2"`
	Split    []*float64 `json:"mean_split_r2"` // per band
	Constant int        `json:"constant_voxels"`
	Smallest int        `json:"smallest_lambda_voxels"` // voxels that chose an end of the grid
	Largest  int        `json:"largest_lambda_voxels"`

	Form       ridge.Form `json:"form"` // direct, sums or kernel
	Operations float64    `json:"operations"`
	Passes     float64    `json:"passes"` // over Y
}

// countEnds counts voxels that chose the smallest or the largest lambda, between which others might have been better.
func (r *ridgeAnswer) countEnds(model *ridge.Model) {
	if model.Scores == nil {
		return
	}
	least, most := slices.Min(model.Candidates), slices.Max(model.Candidates)
	for v, alpha := range model.Alphas {
		switch {
		case model.Constant[v]:
		case alpha == least:
			r.Smallest++
		case alpha == most:
			r.Largest++
		}
	}
}

// makeResults makes the folder that results are written to, file by file, if it is not there.
func makeResults(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fault.New(fault.Exists, "ridge", dir, "is a file, not a folder").WithHint("choose another --out")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrap(fault.IO, "ridge", dir, err).WithHint("choose a folder that can be made")
	}
	return nil
}

// write writes the results and notes their means. A file of an earlier ridge that this one does not make is removed, so
// that the folder holds one ridge. coef is whether weights are wanted that the model does not keep.
func (r *ridgeAnswer) write(ctx context.Context, dir string, model *ridge.Model, scores *ridge.Evaluation,
	coef bool) error {
	voxels, bands := []int{model.Voxels}, []int{len(model.Bands), model.Voxels}
	constant, lambda := model.Constant, voxels
	if model.Bands != nil {
		lambda = bands
	}
	if scores == nil {
		scores = &ridge.Evaluation{}
	} else {
		constant = scores.Constant
	}
	intercept := model.Intercept
	if !model.Centred {
		intercept = nil
	}
	for _, c := range constant {
		if c {
			r.Constant++
		}
	}
	for _, x := range []struct {
		name   string
		shape  []int
		values []float64
	}{{"lambda", lambda, model.Lambdas}, {"intercept", voxels, intercept}, {"cv", voxels, model.Scores},
		{"r", voxels, scores.R}, {"r2", voxels, scores.R2}, {"split_r2", bands, scores.Split}} {
		path := filepath.Join(dir, x.name+".npy")
		if x.values == nil {
			if err := removed(path); err != nil {
				return err
			}
			continue
		}
		if err := npy.Write(path, x.shape, x.values); err != nil {
			return err
		}
		r.Files = append(r.Files, x.name+".npy")
	}
	coefficients, err := writeCoefficients(ctx, dir, model, r.Rows, coef)
	if err != nil {
		return err
	}
	r.Files = append(append(r.Files, coefficients...), "constant.npy")
	r.CV, r.R, r.R2 = meanOf(model.Scores, model.Constant), meanOf(scores.R, constant), meanOf(scores.R2, constant)
	for b := range scores.Split[:len(scores.Split)/model.Voxels] {
		r.Split = append(r.Split, meanOf(scores.Split[b*model.Voxels:(b+1)*model.Voxels], constant))
	}
	return npy.Write(filepath.Join(dir, "constant.npy"), voxels, constant)
}

// meanOf is the mean over voxels that are not constant, nil if there is none.
func meanOf(x []float64, constant []bool) *float64 {
	if x == nil {
		return nil
	}
	mean, n := stats.Mean(x, constant, nil)
	if n == 0 {
		return nil
	}
	return &mean
}

func (r *ridgeAnswer) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d rows, %d features, %d voxels, %d folds, lambda by %s\n",
		r.Out, r.Rows, r.Features, r.Voxels, r.Folds, r.Select)
	line := func(name string, x *float64, of string) {
		if x != nil {
			fmt.Fprintf(&b, "%-14s%s%s\n", name, decimal.Signed(*x, 4), of)
		}
	}
	line("held-out folds", r.CV, ", mean "+r.Select+" of the chosen lambda")
	line("test r", r.R, fmt.Sprintf(", mean; %d rows", r.TestRows))
	line("test R²", r.R2, ", mean")
	for i, x := range r.Split {
		line(fmt.Sprintf("  band %d", i), x, " of it, mean")
	}
	if r.Constant > 0 {
		fmt.Fprintf(&b, "constant      %d voxels, which score 0 and are not in the means\n", r.Constant)
	}
	if r.Smallest+r.Largest > 0 {
		fmt.Fprintf(&b, "ends          %d voxels chose the smallest lambda, %d the largest\n", r.Smallest, r.Largest)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
