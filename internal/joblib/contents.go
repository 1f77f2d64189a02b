package joblib

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/brainwavlm/bwlm/internal/pickle"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// Bounds of the walk over what a pickle holds, which may contain itself.
const (
	maxDepth = 16
	maxSteps = 1 << 20
	itemCost = 256 // bytes of an array in the list, without its name
)

// contents lists what a pickle holds.
type contents struct {
	arrays []stored.Array
	made   []*array // of arrays
	others []stored.Other
	clocks []namedClock
	seen   map[string]bool // names
	left   int64           // bytes of the lists that may still come
	steps  int
	packed bool // offsets are not those in the file
}

// namedClock is an object of a clock and the keys that lead to it.
type namedClock struct {
	name   string
	object *object
}

// list lists what value holds.
func (c *contents) list(value any) error {
	if a, ok := value.(*array); ok {
		return c.add("array", a)
	}
	return c.walk("", value, 0)
}

// walk lists what a value holds whose keys are name.
func (c *contents) walk(name string, value any, depth int) error {
	if c.steps++; c.steps > maxSteps || depth > maxDepth {
		return fmt.Errorf("more than %d values, or more than %d in each other", maxSteps, maxDepth)
	}
	within := func(key string, value any) error {
		switch value.(type) {
		case *pickle.Dict, *pickle.List, pickle.Tuple, *array, *object: // the others have no part in the lists
		default:
			return nil
		}
		if name != "" {
			key = name + "." + key
		}
		return c.walk(key, value, depth+1)
	}
	items := func(list []any) error {
		for i, v := range list {
			if err := within(strconv.Itoa(i), v); err != nil {
				return err
			}
		}
		return nil
	}
	switch v := value.(type) {
	case *pickle.Dict:
		for _, key := range v.Keys {
			if err := within(key, v.Items[key]); err != nil {
				return err
			}
		}
	case *pickle.List:
		return items(v.Items)
	case pickle.Tuple:
		return items(v)
	case *array:
		return c.add(name, v)
	case *object:
		return c.addObject(name, v)
	}
	return nil
}

// spend counts the memory of a name in the lists.
func (c *contents) spend(name string) error {
	if c.left -= itemCost + int64(len(name)); c.left < 0 {
		return errors.New("names its arrays too often")
	}
	if c.seen[name] {
		return fmt.Errorf("two arrays have the name %s", quote.OneLine(quote.Short(name)))
	}
	c.seen[name] = true
	return nil
}

// add lists an array.
func (c *contents) add(name string, a *array) error {
	if err := c.spend(name); err != nil {
		return err
	}
	switch {
	case a.dtype == nil:
		return fmt.Errorf("%s: an array without a shape", quote.OneLine(quote.Short(name)))
	case a.what != "":
		data := a.dtype.code[0] == 'c' || a.dtype.code[0] == 'f'
		c.others = append(c.others, stored.Other{Name: name, What: a.what, Data: data})
		return nil
	}
	offset := a.at
	if c.packed || a.inline != nil {
		offset = -1
	}
	c.arrays = append(c.arrays, stored.Array{Name: name, Shape: slices.Clip(a.shape), DType: kinds[a.dtype.code],
		BigEndian: a.dtype.order == '>', ByColumns: a.byColumns && len(a.shape) > 1, Offset: offset})
	c.made = append(c.made, a)
	return nil
}

// addObject lists a clock.
func (c *contents) addObject(name string, o *object) error {
	if !slices.Contains(clocks, o.class) {
		return nil
	}
	if err := c.spend(name); err != nil {
		return err
	}
	c.clocks = append(c.clocks, namedClock{name, o})
	return nil
}
