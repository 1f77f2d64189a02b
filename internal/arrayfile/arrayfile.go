// Package arrayfile opens files that hold several arrays, whatever kind they are of: NumPy archives, joblib files and
// pickles of arrays, HDF5 and MATLAB files.
package arrayfile

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/joblib"
	"github.com/brainwavlm/bwlm/internal/mat"
	"github.com/brainwavlm/bwlm/internal/npz"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// File is an open file of arrays. Its calls must not run at the same time.
type File interface {
	// Arrays returns the arrays of numbers, in the order of the file.
	Arrays() []stored.Array
	// Others returns what else is in the file.
	Others() []stored.Other
	// Close closes the file.
	Close() error
}

// suffixes are those of the files of each kind.
var suffixes = map[string]func(path string) (File, error){
	".npz":    func(path string) (File, error) { return npz.Open(path) },
	".jbl":    openJoblib,
	".joblib": openJoblib,
	".pkl":    openJoblib,
	".pickle": openJoblib,
	".mat":    func(path string) (File, error) { return mat.Open(path) },
	".hf5":    openHDF5,
	".h5":     openHDF5,
	".hdf5":   openHDF5,
	".hdf":    openHDF5,
}

func openJoblib(path string) (File, error) { return joblib.Open(path) }

// Has reports whether a file has the suffix of a file of arrays. Joblib files may have one of their compression, too.
func Has(name string) bool { return of(name) != nil }

func of(name string) func(path string) (File, error) {
	ext := strings.ToLower(filepath.Ext(name))
	if slices.Contains([]string{".z", ".gz", ".bz2", ".xz", ".lzma", ".lz4"}, ext) {
		inner := strings.ToLower(filepath.Ext(strings.TrimSuffix(name, filepath.Ext(name))))
		if inner == ".jbl" || inner == ".joblib" || inner == ".pkl" || inner == ".pickle" {
			return openJoblib
		}
		return nil
	}
	return suffixes[ext]
}

const op = "read arrays"

// nothing are kinds that stand for a file that is elsewhere.
var nothing = []sniff.Kind{sniff.Annex, sniff.LFS, sniff.HTML}

// Open opens a file of arrays by its content, and by its suffix where the content says nothing. The caller closes it.
func Open(path string) (File, error) {
	switch kind := sniff.File(path); kind {
	case sniff.NPZ:
		return npz.Open(path)
	case sniff.Pickle:
		return joblib.Open(path)
	case sniff.MAT4, sniff.MAT5:
		return mat.Open(path)
	case sniff.HDF5, sniff.MAT73:
		return openHDF5(path)
	default:
		if open := of(path); open != nil && !slices.Contains(nothing, kind) {
			return open(path)
		}
		if err := sniff.Other(op, path, kind, "a file of arrays"); err != nil {
			return nil, err
		}
		return nil, fault.New(fault.BadData, op, quote.OneLine(path), "is no file of arrays of a kind that is known").
			WithHint("save the array in it as .npy")
	}
}
