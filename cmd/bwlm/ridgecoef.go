package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/npy"
)

// The files of what a ridge is made of.
const (
	coefFile     = "coef.npy"
	dualCoefFile = "dual_coef.npy"
)

// writeCoefficients writes dual_coef.npy of a model with dual coefficients, and coef.npy of the others, or if it is
// wanted. It returns the files that it wrote.
func writeCoefficients(ctx context.Context, dir string, model *ridge.Model, rows int, wanted bool) (files []string,
	err error) {
	if model.Dual == nil {
		err = removed(filepath.Join(dir, dualCoefFile))
	} else {
		files = append(files, dualCoefFile)
		err = npy.Write(filepath.Join(dir, dualCoefFile), []int{rows, model.Voxels}, model.Dual)
	}
	path := filepath.Join(dir, coefFile)
	switch {
	case err != nil:
	case model.Dual == nil || wanted:
		files = append(files, coefFile)
		err = writeCoef(ctx, path, model)
	default:
		err = removed(path)
	}
	return files, err
}

// writeCoef writes the weights, (features, voxels), some features at a time.
func writeCoef(ctx context.Context, path string, model *ridge.Model) error {
	const values = 1 << 23
	step := max(1, values/model.Voxels)
	buffer := make([]float32, min(step, model.Features)*model.Voxels)
	return atomicfile.Write(path, func(w io.Writer) error {
		if _, err := w.Write(npyheader.Make(elements.Float32, []int{model.Features, model.Voxels})); err != nil {
			return err
		}
		for from := 0; from < model.Features; from += step {
			to := min(from+step, model.Features)
			some := buffer[:(to-from)*model.Voxels]
			if err := model.ReadWeights(ctx, from, to, some); err != nil {
				return err
			}
			if _, err := elements.Write(w, some); err != nil {
				return err
			}
		}
		return nil
	})
}

// removed removes a file of an earlier ridge, if it is there.
func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.IO, "ridge", path, err)
	}
	return nil
}
