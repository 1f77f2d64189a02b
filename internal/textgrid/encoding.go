package textgrid

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// decode returns data in UTF-8. UTF-16 without a byte order mark is known by the zero byte in its first character,
// which is of ASCII in every TextGrid.
func decode(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return wide(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return wide(data[2:], binary.BigEndian)
	case len(data) > 1 && data[1] == 0 && data[0] != 0:
		return wide(data, binary.LittleEndian)
	case len(data) > 1 && data[0] == 0 && data[1] != 0:
		return wide(data, binary.BigEndian)
	}
	if !utf8.Valid(data) {
		return "", errors.New("the text is neither UTF-8 nor UTF-16")
	}
	return string(data), nil
}

// wide decodes UTF-16. Half a pair of surrogates is refused.
func wide(data []byte, order binary.ByteOrder) (string, error) {
	if len(data)%2 != 0 {
		return "", errors.New("the UTF-16 text ends within a character")
	}
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		r := rune(order.Uint16(data))
		data = data[2:]
		if utf16.IsSurrogate(r) {
			if len(data) == 0 {
				return "", errors.New("the UTF-16 text ends within a character")
			}
			if r = utf16.DecodeRune(r, rune(order.Uint16(data))); r == utf8.RuneError {
				return "", errors.New("the UTF-16 text has half a character")
			}
			data = data[2:]
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out), nil
}
