package raw

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
)

// bestRatio is the highest compression of deflate: 258 bytes in 2 bits.
const bestRatio = 1032

// IsGzip reports whether data begin as gzip does.
func IsGzip(data []byte) bool { return len(data) > 2 && data[0] == 0x1f && data[1] == 0x8b }

// Gunzip opens gzip data, which may have several members.
func Gunzip(data []byte) (io.Reader, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	return r, compressed(err)
}

// Inflate expands the zlib data to exactly n bytes.
func Inflate(data []byte, n int) ([]byte, error) {
	if err := CanHold(len(data), n); err != nil {
		return nil, err
	}
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, compressed(err)
	}
	out, err := ReadExactly(r, n)
	if err != nil {
		return nil, err
	}
	switch n, err := r.Read(make([]byte, 1)); {
	case n > 0:
		return nil, fmt.Errorf("the compressed data hold more than the %d bytes that are declared", len(out))
	case err != io.EOF:
		return nil, compressed(err)
	}
	return out, nil
}

// Expansion is how many bytes a gzip or zlib file of size bytes can expand to.
func Expansion(size int64) int64 {
	if size > math.MaxInt64/bestRatio {
		return math.MaxInt64
	}
	return size * bestRatio
}

// CanHold returns an error unless have compressed bytes can expand to n.
func CanHold(have, n int) error {
	if n > MaxBytes || n > have*bestRatio {
		return fmt.Errorf("%d bytes are declared, more than %d compressed bytes can hold or than the allowed %d", n,
			have, MaxBytes)
	}
	return nil
}

// ReadExactly reads n bytes, and allocates memory only as they arrive.
func ReadExactly(r io.Reader, n int) ([]byte, error) {
	const first = 1 << 16
	out := make([]byte, 0, min(n, first))
	for len(out) < n {
		if len(out) == cap(out) {
			bigger := make([]byte, len(out), min(n, 2*cap(out)))
			copy(bigger, out)
			out = bigger
		}
		k, err := io.ReadFull(r, out[len(out):cap(out)])
		out = out[:len(out)+k]
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("the data end after %d of %d bytes", len(out), n)
		}
		if err != nil {
			return nil, compressed(err)
		}
	}
	return out, nil
}

func compressed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the compressed data are damaged: %w", err)
}

// GunzipAll expands gzip data of unknown size.
func GunzipAll(data []byte) ([]byte, error) {
	r, err := Gunzip(data)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, MaxBytes+1))
	if n > MaxBytes {
		return nil, fmt.Errorf("the compressed data expand to more than the allowed %d bytes", MaxBytes)
	}
	return out.Bytes(), compressed(err)
}
