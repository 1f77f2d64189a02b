package ckpt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/brainwavlm/bwlm/internal/quote"
)

func (u *unpickler) number(op byte) (any, error) {
	width := map[byte]int{opInt: 4, opInt1: 1, opInt2: 2, opFloat: 8, opLong1: 1}[op]
	raw, err := u.take(width)
	if err != nil {
		return nil, err
	}
	data := []byte(raw)
	switch op {
	case opInt:
		return int64(int32(binary.LittleEndian.Uint32(data))), nil
	case opInt1:
		return int64(data[0]), nil
	case opInt2:
		return int64(binary.LittleEndian.Uint16(data)), nil
	case opFloat:
		return math.Float64frombits(binary.BigEndian.Uint64(data)), nil
	}
	return u.long(int(data[0]))
}

// long is an integer of n bytes, which must fit 64 bits.
func (u *unpickler) long(n int) (any, error) {
	raw, err := u.take(n)
	if err != nil {
		return nil, err
	}
	if n > 8 {
		return nil, fmt.Errorf("an integer of %d bytes, at most 8 are allowed", n)
	}
	var bits uint64
	for i := range n {
		bits |= uint64(raw[i]) << (8 * i)
	}
	shift := 64 - 8*n
	if n == 0 {
		return int64(0), nil
	}
	return int64(bits<<shift) >> shift, nil // extends the sign
}

func (u *unpickler) string() (any, error) {
	raw, err := u.take(4)
	if err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32([]byte(raw))
	if int64(n) > int64(len(u.text)-u.pos) {
		return nil, fmt.Errorf("a text of %d bytes, there are %d", n, len(u.text)-u.pos)
	}
	text, err := u.take(int(n))
	if err == nil && !utf8.ValidString(text) {
		err = errors.New("a text is not valid UTF-8")
	}
	return text, err
}

// extend appends to a list.
func (u *unpickler) extend(marked bool) error {
	items, err := u.popItems(1, marked)
	if err != nil {
		return err
	}
	list, err := top[*array](u)
	if err != nil {
		return err
	}
	list.items = append(list.items, items...)
	return nil
}

// setItems puts pairs of key and value into a dictionary.
func (u *unpickler) setItems(marked bool) error {
	pairs, err := u.popItems(2, marked)
	if err != nil {
		return err
	}
	if len(pairs)%2 != 0 {
		return errors.New("a key without a value")
	}
	d, err := top[*dict](u)
	if err != nil {
		return err
	}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return fmt.Errorf("the key of a dictionary is a %T, want text", pairs[i])
		}
		if _, twice := d.items[key]; twice {
			return fmt.Errorf("the key %s occurs twice", quote.OneLine(quote.Short(key)))
		}
		if d.items == nil {
			d.items = map[string]any{}
		}
		d.items[key] = pairs[i+1]
		d.keys = append(d.keys, key)
	}
	return nil
}
