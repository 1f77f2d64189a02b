package joblib

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/internal/pickle"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// The names that a file of arrays needs.
var (
	wrappers = names("joblib.numpy_pickle.NumpyArrayWrapper", "sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper")
	clocks   = names("huth.stimulus_utils.TRFile", "ridge_utils.stimulus_utils.TRFile", "stimulus_utils.TRFile")
	// numpy._core is numpy.core since NumPy 2.
	reconstruct = names("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
	fromBuffer  = names("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer")
	scalars     = names("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
	dtypes      = names("numpy.dtype")
	ordered     = names("collections.OrderedDict")
	encode      = names("_codecs.encode")          // bytes in protocol 2
	oldObject   = names("copy_reg._reconstructor") // an object of Python 2
	plainNames  = names("numpy.ndarray", "__builtin__.object", "builtins.object", "__builtin__.bytearray",
		"builtins.bytearray", "__builtin__.bytes", "builtins.bytes")
	sideFiles = names("joblib.numpy_pickle.NDArrayWrapper", "joblib.numpy_pickle.ZNDArrayWrapper",
		"joblib.numpy_pickle_compat.NDArrayWrapper", "joblib.numpy_pickle_compat.ZNDArrayWrapper",
		"sklearn.externals.joblib.numpy_pickle.NDArrayWrapper", "sklearn.externals.joblib.numpy_pickle.ZNDArrayWrapper")
)

func names(list ...pickle.Global) []pickle.Global { return list }

// advised is an error with a hint.
type advised struct {
	error
	hint string
}

// Unwrap returns the error.
func (a *advised) Unwrap() error { return a.error }

const (
	distrust  = "do not open it with another program either; get the arrays from their source as .npy files"
	saveAgain = "load it where it was made and save its arrays again with numpy.save"
)

// needed refuses a name that no file of arrays needs.
func needed(g pickle.Global) error {
	for _, list := range [][]pickle.Global{wrappers, clocks, reconstruct, fromBuffer, scalars, dtypes, ordered, encode,
		oldObject, plainNames} {
		if slices.Contains(list, g) {
			return nil
		}
	}
	if slices.Contains(sideFiles, g) {
		return &advised{errors.New("its arrays are in files of their own, as joblib wrote before version 0.10"),
			saveAgain}
	}
	hint := distrust
	if module, _, _ := strings.Cut(string(g), "."); !slices.Contains([]string{"builtins", "__builtin__", "os", "posix",
		"nt", "sys", "subprocess", "importlib", "runpy", "shutil", "socket"}, module) {
		hint = saveAgain
	}
	return &advised{fmt.Errorf("makes a %s, which is neither an array nor a plain value",
		quote.OneLine(quote.Short(string(g)))), hint}
}

// object is an inert object of a class.
type object struct {
	class pickle.Global
	state any
}

// dialect is what a file of arrays may hold, whose values may need so much memory.
func dialect(memory int64) *pickle.Dialect {
	return &pickle.Dialect{
		Name: "the pickle", Least: 2, Most: 5, Opcodes: pickle.Protocol5, NumberKeys: true, Memory: memory,
		Global: needed, Call: call, New: newObject, Build: build,
		Distrust: func(err error) error { return &advised{err, distrust} }, Unneeded: "no file of arrays",
	}
}

// newObject returns what an object of a class stands for.
func newObject(class pickle.Global, _ pickle.Tuple) (any, error) {
	switch {
	case slices.Contains(wrappers, class):
		return &array{wrapped: true}, nil
	case slices.Contains(clocks, class):
		return &object{class: class}, nil
	}
	return nil, pickle.ErrNotCallable
}

// call returns what the call of a name stands for. No call runs code.
func call(name pickle.Global, args pickle.Tuple) (any, error) {
	switch {
	case slices.Contains(ordered, name) && len(args) == 0:
		return &pickle.Dict{Ordered: true}, nil
	case slices.Contains(dtypes, name) && len(args) > 0:
		code, err := pickle.Want[string](args[0])
		return &dtype{code: code, order: '|'}, err
	case slices.Contains(reconstruct, name) && len(args) == 3:
		return newArray(args[0])
	case slices.Contains(fromBuffer, name) && len(args) == 4:
		return buffered(args)
	case slices.Contains(scalars, name) && len(args) == 2:
		return scalar(args)
	case slices.Contains(encode, name) && len(args) == 2:
		return encoded(args)
	case slices.Contains(oldObject, name) && len(args) > 0:
		class, err := pickle.Want[pickle.Global](args[0])
		if err != nil {
			return nil, err
		}
		return newObject(class, nil)
	case strings.HasSuffix(string(name), ".bytearray") && len(args) == 1:
		return args[0], nil
	case strings.HasSuffix(string(name), ".bytes") && len(args) == 0: // none, in protocol 2
		return "", nil
	}
	return nil, fmt.Errorf("%w: %s with %d arguments", pickle.ErrNotCallable, name, len(args))
}

// build gives an object its attributes.
func build(v, state any, text *pickle.Text) (any, error) {
	switch v := v.(type) {
	case *array:
		if v.wrapped {
			return v, v.wrap(state, text)
		}
		return v, v.fill(state)
	case *dtype:
		return v, v.setOrder(state)
	case *object:
		v.state = state
		return v, nil
	}
	return nil, errors.New("attributes for what has none")
}

// encoded is the bytes of a text, as protocol 2 has them: those of _codecs.encode(text, "latin1").
func encoded(args pickle.Tuple) (any, error) {
	text, err := pickle.Want[string](args[0])
	if err == nil && args[1] != "latin1" {
		err = fmt.Errorf("a text is encoded as %v, want latin1", args[1])
	}
	return text, err
}
