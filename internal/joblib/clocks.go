package joblib

import (
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/internal/pickle"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// Clock is the times of a run's volumes, from a TRFile. All are seconds of one clock.
type Clock struct {
	Name       string    // the keys that lead to it: "souls.0"
	Times      []float64 // when each volume began
	SoundStart float64
	SoundStop  float64 // -1 if it is not known
	TR         float64 // that the scanner was set to
}

// Clocks returns the clocks in the file, in its order.
func (f *File) Clocks() ([]Clock, error) {
	var out []Clock
	for _, c := range f.clocks {
		clock, err := f.clock(c)
		if err != nil {
			return nil, f.fail(fmt.Errorf("%s: %w", quote.OneLine(quote.Short(c.name)), err))
		}
		out = append(out, clock)
	}
	return out, nil
}

// clock reads the attributes of a TRFile.
func (f *File) clock(c namedClock) (Clock, error) {
	clock := Clock{Name: c.name, SoundStop: -1}
	d, err := pickle.Want[*pickle.Dict](c.object.state)
	if err != nil {
		return clock, err
	}
	if clock.Times, err = f.numbers(d.Items["trtimes"]); err != nil {
		return clock, fmt.Errorf("trtimes: %w", err)
	}
	for _, field := range []struct {
		key  string
		into *float64
		may  bool // be left out
	}{{"soundstarttime", &clock.SoundStart, false}, {"soundstoptime", &clock.SoundStop, true},
		{"expectedtr", &clock.TR, false}} {
		v, there := d.Items[field.key]
		if !there && field.may {
			continue
		}
		x, ok := number(v)
		if !ok {
			return clock, fmt.Errorf("%s is %s, want a number", field.key, pickle.Kind(v))
		}
		*field.into = x
	}
	return clock, nil
}

// numbers is a list of numbers, or an array of them.
func (f *File) numbers(v any) ([]float64, error) {
	if a, ok := v.(*array); ok {
		return f.vector(a)
	}
	list, err := pickle.Want[*pickle.List](v)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(list.Items))
	for i, v := range list.Items {
		x, ok := number(v)
		if !ok {
			return nil, fmt.Errorf("item %d is %s, want a number", i, pickle.Kind(v))
		}
		out[i] = x
	}
	return out, nil
}

// vector reads an array of one dimension.
func (f *File) vector(a *array) ([]float64, error) {
	if a.dtype == nil || a.what != "" || len(a.shape) != 1 {
		return nil, fmt.Errorf("an array of %d dimensions, want 1 of numbers", len(a.shape))
	}
	r, err := f.reader(stored.Array{Shape: slices.Clone(a.shape), DType: kinds[a.dtype.code],
		BigEndian: a.dtype.order == '>'}, a)
	if err != nil {
		return nil, err
	}
	out := make([]float64, a.shape[0])
	return out, stored.Elements(r, 0, out)
}

// number is an integer or a float.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
