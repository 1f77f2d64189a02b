package stored

import (
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Choose returns the array of a file that is meant: the one of the given name or, if that is "", the only one
// of two or three dimensions that holds floats. Otherwise the error, of kind [fault.BadData], lists what there
// is. op and path are those of the error.
func Choose(op, path, name string, arrays []Array, others []Other) (Array, error) {
	if name == "" {
		return only(op, path, arrays, others)
	}
	for _, a := range arrays {
		if a.Name == name {
			return a, nil
		}
	}
	where := quote.OneLine(path) + ":" + quote.OneLine(quote.Short(name))
	for _, o := range others {
		if o.Name == name {
			return Array{}, fault.New(fault.BadData, op, where, "is %s, want an array of numbers", o.What).
				WithHint("%s", candidates(arrays))
		}
	}
	return Array{}, fault.New(fault.BadData, op, where, "there is no such array").WithHint("%s", candidates(arrays))
}

// only returns the only array that can be meant.
func only(op, path string, arrays []Array, others []Other) (Array, error) {
	var found []Array
	for _, a := range arrays {
		if rank := len(a.Shape); (rank == 2 || rank == 3) && (isFloat(a.DType) || a.Scale != 0) {
			found = append(found, a)
		}
	}
	unread := ""
	for _, o := range others {
		if o.Data || len(arrays) == 0 {
			unread += "; " + quote.OneLine(quote.Short(o.Name)) + " is " + o.What
		}
	}
	data := 0
	for _, o := range others {
		if o.Data {
			data++
		}
	}
	where := quote.OneLine(path)
	switch {
	case len(found) == 1 && data == 0:
		return found[0], nil
	case len(found) == 0 && len(arrays) == 0 && unread != "":
		return Array{}, fault.New(fault.BadData, op, where, "holds no array that can be read%s", unread).
			WithHint("save the numbers as a full array")
	case len(found) == 0:
		return Array{}, fault.New(fault.BadData, op, where, "holds no array of floats of two or three dimensions%s",
			unread).WithHint("%s", candidates(arrays))
	}
	return Array{}, fault.New(fault.BadData, op, where, "holds more than one array that can be meant%s", unread).
		WithHint("%s", candidates(arrays))
}

// isFloat reports whether a type holds fractions, as responses and features do.
func isFloat(k elements.Kind) bool {
	return k == elements.Float16 || k == elements.Float32 || k == elements.Float64
}

// maxListed is how many arrays a message lists.
const maxListed = 20

// candidates lists arrays for a message.
func candidates(arrays []Array) string {
	if len(arrays) == 0 {
		return "there is no array of numbers in it"
	}
	var list []string
	for _, a := range arrays[:min(len(arrays), maxListed)] {
		list = append(list, a.String())
	}
	if len(arrays) > maxListed {
		list = append(list, "…")
	}
	return "name one of them: " + strings.Join(list, "; ")
}
