package pickle

import "fmt"

// The values of a pickle next to nil, bool, int64, float64 and string.
type (
	// Tuple is a tuple.
	Tuple []any
	// Global is the name of something that is never looked up: "module.name".
	Global string
	// List is a list.
	List struct{ Items []any }
	// Dict is a dictionary whose keys are text. With [Dialect.NumberKeys] a key may be an integer, whose
	// digits are the key here.
	Dict struct {
		Keys    []string // in order
		Items   map[string]any
		Ordered bool // a collections.OrderedDict
	}
	// Bytes are bytes, or a string of Python 2.
	Bytes struct {
		At   int64  // where they begin in the text
		Len  int64  // how many they are
		Data string // themselves, if they are at most KeptBytes
	}
)

// KeptBytes is the length of the longest bytes that are kept in memory. Those of longer ones are in the text,
// where [Bytes.At] says.
const KeptBytes = 256

// mismatch is the error of a value of another kind than is wanted.
func mismatch(got, want any) error {
	return fmt.Errorf("there is %s where %s should be", Kind(got), Kind(want))
}

// Want returns v as a T, or an error that names both kinds.
func Want[T any](v any) (T, error) {
	value, ok := v.(T)
	if !ok {
		return value, mismatch(v, value)
	}
	return value, nil
}

// Kind names the kind of a value, with its article, for messages.
func Kind(v any) string {
	switch v.(type) {
	case nil:
		return "None"
	case bool:
		return "a truth value"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case string:
		return "a text"
	case Bytes:
		return "bytes"
	case Tuple:
		return "a tuple"
	case *List:
		return "a list"
	case *Dict:
		return "a dictionary"
	case Global:
		return "a name"
	}
	return "an object"
}
