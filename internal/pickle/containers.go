package pickle

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/brainwavlm/bwlm/internal/quote"
)

var emptyTuple any = Tuple(nil)

// tuple takes the items of a tuple from the stack.
func (m *machine) tuple(op byte) (any, error) {
	switch op {
	case opEmptyTuple:
		return emptyTuple, nil
	case opTuple:
		items, err := m.popMark()
		return Tuple(items), err
	}
	items, err := m.pop(int(op-opTuple1) + 1)
	return Tuple(items), err
}

// extend appends to a list.
func (m *machine) extend(marked bool) error {
	items, err := m.popItems(1, marked)
	if err != nil {
		return err
	}
	list, err := top[*List](m)
	if err != nil {
		return err
	}
	list.Items = append(list.Items, items...)
	m.spent += 24 * int64(len(items))
	return nil
}

// setItems puts pairs of key and value into a dictionary.
func (m *machine) setItems(marked bool) error {
	pairs, err := m.popItems(2, marked)
	if err != nil {
		return err
	}
	if len(pairs)%2 != 0 {
		return errors.New("a key without a value")
	}
	d, err := top[*Dict](m)
	if err != nil {
		return err
	}
	for i := 0; i < len(pairs); i += 2 {
		key, err := m.key(pairs[i])
		if err != nil {
			return err
		}
		if _, twice := d.Items[key]; twice {
			return fmt.Errorf("the key %s occurs twice", quote.OneLine(quote.Short(key)))
		}
		if d.Items == nil {
			d.Items = map[string]any{}
		}
		d.Items[key] = pairs[i+1]
		d.Keys = append(d.Keys, key)
	}
	m.spent += 64 * int64(len(pairs))
	return nil
}

// key is the key of a dictionary.
func (m *machine) key(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		if m.NumberKeys {
			return strconv.FormatInt(v, 10), nil
		}
	}
	return "", fmt.Errorf("the key of a dictionary is %s, want text", Kind(v))
}
