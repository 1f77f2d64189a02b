package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
)

func statsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "stats COMMAND",
		Short: "Compute noise ceilings and permutation tests of arrays",
		Long: `Computes noise ceilings, and tests predictions against chance, from .npy files that any program can
write: one row per TR, one column per voxel.`,
		Example: `  bwlm stats ceiling --y repeats.npy --out ceiling
  bwlm stats intersubject --y subjects.npy --out isc
  bwlm stats test --pred pred.npy --y responses.npy --block auto --out test`,
		Args: onlyCommands,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(ceilingCommand(a), intersubjectCommand(a), testCommand(a))
	return c
}

// arrays reads and writes the .npy files of a command until something goes wrong.
type arrays struct {
	what string
	out  string // folder
	err  error
}

// read gives a .npy file whose shape has one of these names for each axis, and refuses values that are not finite.
func (x *arrays) read(path string, axes ...string) (shape []int, data []float32) {
	if x.err != nil {
		return nil, nil
	}
	refuse := func(why string, args ...any) *fault.Error {
		return fault.New(fault.BadData, x.what, path, why, args...)
	}
	array, err := npy.Read(path)
	if err != nil {
		x.err = err
		return nil, nil
	}
	if len(array.Shape) != len(axes) || slices.Contains(array.Shape, 0) {
		x.err = refuse("shape %v, want %s", array.Shape, strings.Join(axes, " × "))
		return nil, nil
	}
	if data, x.err = array.Float32(); x.err != nil {
		return nil, nil
	}
	for at, v := range data {
		if v-v == 0 { // false for NaN and the infinities
			continue
		}
		place := make([]string, len(axes))
		for k := len(axes) - 1; k >= 0; k-- {
			place[k], at = fmt.Sprintf("%s %d", strings.TrimSuffix(axes[k], "s"), at%array.Shape[k]), at/array.Shape[k]
		}
		x.err = refuse("%s is %g", strings.Join(place, ", "),
			v).WithHint("correct or remove these values before; no value is imputed")
		return nil, nil
	}
	return array.Shape, data
}

// folder makes the folder of results.
func (x *arrays) folder() {
	if x.err != nil {
		return
	}
	info, err := os.Stat(x.out)
	switch {
	case err == nil && !info.IsDir():
		x.err = fault.New(fault.Exists, x.what, x.out, "is a file").WithHint("name a folder")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		x.err = fault.Wrap(fault.IO, x.what, "", err)
	case err != nil:
		if err := os.MkdirAll(x.out, 0o777); err != nil {
			x.err = fault.Wrap(fault.IO, x.what, "", err)
		}
	}
}

// write puts one value per voxel into NAME.npy of the folder.
func write[T npy.Element](x *arrays, name string, values []T) {
	if x.err == nil {
		x.err = npy.Write(filepath.Join(x.out, name+".npy"), []int{len(values)}, values)
	}
}

// median of values; nil if there are none, since JSON has no NaN.
func median(values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	m := (values[(n-1)/2] + values[n/2]) / 2
	return &m
}

// where keeps the values that satisfy a flag's condition.
func where(values []float64, keep func(v int) bool) (kept []float64) {
	for v, x := range values {
		if keep(v) {
			kept = append(kept, x)
		}
	}
	return kept
}

func number(x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *x)
}
