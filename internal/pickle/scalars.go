package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// number reads an integer or a float.
func (m *machine) number(op byte) (any, error) {
	width := map[byte]int64{opInt: 4, opInt1: 1, opInt2: 2, opFloat: 8, opLong1: 1}[op]
	raw, err := m.text.Take(width)
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
	return m.long(int(data[0]))
}

// long is an integer of n bytes, which must fit 64 bits.
func (m *machine) long(n int) (any, error) {
	raw, err := m.text.Take(int64(n))
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

// length reads the length before bytes or a text, which is what: 1, 4 or 8 bytes.
func (m *machine) length(op byte, what string) (int64, error) {
	width := int64(4)
	switch op {
	case opText1, opBytes1, opString1:
		width = 1
	case opText8, opBytes8, opByteArray8:
		width = 8
	}
	raw, err := m.text.Take(width)
	if err != nil {
		return 0, err
	}
	var number [8]byte
	copy(number[:], raw)
	n := int64(binary.LittleEndian.Uint64(number[:]))
	err = m.text.fits(n)
	switch {
	case err != nil && m.text.size < 0:
		return 0, fmt.Errorf("%s of %d bytes, which no file has", what, uint64(n))
	case err != nil:
		return 0, fmt.Errorf("%s of %d bytes, there are %d", what, uint64(n), m.text.size-m.text.pos)
	}
	return n, nil
}

// fitsMemory refuses a text that would not fit in the memory of the dialect.
func (m *machine) fitsMemory(n int64) error {
	if m.Memory > 0 && n > m.Memory-m.spent {
		return fmt.Errorf("a text of %d bytes, all values together may have %d", n, m.Memory)
	}
	return nil
}

func (m *machine) string(op byte) (any, error) {
	n, err := m.length(op, "a text")
	if err == nil {
		err = m.fitsMemory(n)
	}
	if err != nil {
		return nil, err
	}
	text, err := m.text.Take(n)
	if err == nil && !utf8.ValidString(text) {
		err = errors.New("a text is not valid UTF-8")
	}
	return text, err
}

// bytes reads bytes, or a string of Python 2. Those that are long are passed over.
func (m *machine) bytes(op byte) (any, error) {
	n, err := m.length(op, "bytes")
	if err != nil {
		return nil, err
	}
	b := Bytes{At: m.text.pos, Len: n}
	if n > KeptBytes {
		return b, m.text.Skip(n)
	}
	b.Data, err = m.text.Take(n)
	if err == nil && (op == opString || op == opString1) {
		return latin1(b.Data), nil
	}
	return b, err
}

// latin1 is the text of bytes of Python 2, which are one letter each.
func latin1(data string) string {
	runes := make([]rune, len(data))
	for i := range data {
		runes[i] = rune(data[i])
	}
	return string(runes)
}
