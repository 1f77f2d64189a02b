package ckpt

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// push puts a value on the stack, unless there was an error in making it.
func (u *unpickler) push(v any, err error) error {
	if err == nil {
		u.stack = append(u.stack, v)
	}
	return err
}

// has checks that there are n values on the stack above the last mark.
func (u *unpickler) has(n int) error {
	floor := 0
	if len(u.marks) > 0 {
		floor = u.marks[len(u.marks)-1]
	}
	if len(u.stack)-n < floor {
		return fmt.Errorf("%d values are wanted, the stack has %d", n, len(u.stack)-floor)
	}
	return nil
}

// pop takes n values from the stack.
func (u *unpickler) pop(n int) ([]any, error) {
	if err := u.has(n); err != nil {
		return nil, err
	}
	from := len(u.stack) - n
	items := append([]any(nil), u.stack[from:]...)
	clear(u.stack[from:])
	u.stack = u.stack[:from]
	return items, nil
}

// popMark takes all values above the last mark, and the mark.
func (u *unpickler) popMark() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, errors.New("there is no mark")
	}
	items, err := u.pop(len(u.stack) - u.marks[len(u.marks)-1])
	u.marks = u.marks[:len(u.marks)-1]
	return items, err
}

// popItems takes the values for the container below them: n, or all above the mark.
func (u *unpickler) popItems(n int, marked bool) ([]any, error) {
	if marked {
		return u.popMark()
	}
	return u.pop(n)
}

// top is the uppermost value, which stays there and must be of type T.
func top[T any](u *unpickler) (value T, err error) {
	if err := u.has(1); err != nil {
		return value, err
	}
	value, ok := u.stack[len(u.stack)-1].(T)
	if !ok {
		err = fmt.Errorf("there is a %T where a %T should be", u.stack[len(u.stack)-1], value)
	}
	return value, err
}

// remember puts the top of the stack into the memo, or a value of the memo on the stack.
func (u *unpickler) remember(op byte) error {
	width := 1
	if op == opLongPut || op == opLongGet {
		width = 4
	}
	raw, err := u.take(width)
	if err != nil {
		return err
	}
	var number [4]byte
	copy(number[:], raw)
	key := binary.LittleEndian.Uint32(number[:])
	if op == opPut || op == opLongPut {
		if err := u.has(1); err != nil {
			return err
		}
		u.memo[key] = u.stack[len(u.stack)-1]
		return nil
	}
	v, ok := u.memo[key]
	if !ok {
		return fmt.Errorf("nothing was remembered as number %d", key)
	}
	return u.push(v, nil)
}
