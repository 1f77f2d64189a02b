package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// push puts a value on the stack, unless there was an error in making it.
func (m *machine) push(v any, err error) error {
	if err == nil {
		m.stack = append(m.stack, v)
		m.spent += cost(v)
	}
	return err
}

// cost estimates the memory of a new value without what it holds.
func cost(v any) int64 {
	switch v := v.(type) {
	case nil, bool:
		return 0
	case int64, float64:
		return 8
	case string:
		return 16 + int64(len(v))
	case Global:
		return 16 + int64(len(v))
	case Bytes:
		return 32 + int64(len(v.Data))
	case Tuple:
		return 24 + 16*int64(len(v))
	case *List:
		return 24
	}
	return 64
}

// has checks that there are n values on the stack above the last mark.
func (m *machine) has(n int) error {
	floor := 0
	if len(m.marks) > 0 {
		floor = m.marks[len(m.marks)-1]
	}
	if len(m.stack)-n < floor {
		return fmt.Errorf("%d values are wanted, the stack has %d", n, len(m.stack)-floor)
	}
	return nil
}

// pop takes n values from the stack.
func (m *machine) pop(n int) ([]any, error) {
	if err := m.has(n); err != nil {
		return nil, err
	}
	from := len(m.stack) - n
	items := append([]any(nil), m.stack[from:]...)
	clear(m.stack[from:])
	m.stack = m.stack[:from]
	return items, nil
}

// popMark takes all values above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("there is no mark")
	}
	items, err := m.pop(len(m.stack) - m.marks[len(m.marks)-1])
	m.marks = m.marks[:len(m.marks)-1]
	return items, err
}

// popItems takes the values for the container below them: n, or all above the mark.
func (m *machine) popItems(n int, marked bool) ([]any, error) {
	if marked {
		return m.popMark()
	}
	return m.pop(n)
}

// drop takes the uppermost value, or all above the mark, and forgets it.
func (m *machine) drop(marked bool) error {
	_, err := m.popItems(1, marked)
	return err
}

// top is the uppermost value, which stays there and must be of type T.
func top[T any](m *machine) (value T, err error) {
	if err := m.has(1); err != nil {
		return value, err
	}
	return Want[T](m.stack[len(m.stack)-1])
}

// memo holds what was remembered: by the numbers 0, 1, 2, ... that Python gives, or by others.
type memo struct {
	row    []any
	others map[uint32]any
}

func (r *memo) put(key uint32, v any) {
	switch {
	case int64(key) < int64(len(r.row)):
		r.row[key] = v
	case int64(key) == int64(len(r.row)):
		if len(r.row) == cap(r.row) { // twice as much, since append is frugal and copies often
			r.row = slices.Grow(r.row, len(r.row)+1)
		}
		r.row = append(r.row, v)
	default:
		if r.others == nil {
			r.others = map[uint32]any{}
		}
		r.others[key] = v
	}
}

func (r *memo) get(key uint32) (any, bool) {
	if int64(key) < int64(len(r.row)) {
		return r.row[key], true
	}
	v, ok := r.others[key]
	return v, ok
}

// remember puts the top of the stack into the memo, or a value of the memo on the stack.
func (m *machine) remember(op byte) error {
	key := uint32(len(m.memo.row) + len(m.memo.others)) // MEMOIZE counts
	if op != opMemoize {
		width := int64(1)
		if op == opLongPut || op == opLongGet {
			width = 4
		}
		raw, err := m.text.Take(width)
		if err != nil {
			return err
		}
		var number [4]byte
		copy(number[:], raw)
		key = binary.LittleEndian.Uint32(number[:])
	}
	if op == opPut || op == opLongPut || op == opMemoize {
		if err := m.has(1); err != nil {
			return err
		}
		m.memo.put(key, m.stack[len(m.stack)-1])
		m.spent += 32
		return nil
	}
	v, ok := m.memo.get(key)
	if !ok {
		return fmt.Errorf("nothing was remembered as number %d", key)
	}
	m.stack = append(m.stack, v) // no new value
	return nil
}
