package hdf5

import "fmt"

// undefined is the address of what does not exist.
const undefined = ^uint64(0)

// fields reads little-endian numbers from the start of b. Past its end they are 0, and err says so.
type fields struct {
	b     []byte
	short bool
}

// take returns the next n bytes, nil past the end.
func (f *fields) take(n int) []byte {
	if n < 0 || n > len(f.b) {
		f.b, f.short = nil, true
		return nil
	}
	out := f.b[:n:n]
	f.b = f.b[n:]
	return out
}

// uint reads a number of n bytes, at most 8.
func (f *fields) uint(n int) uint64 {
	var v uint64
	for i, b := range f.take(n) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

// int reads a number of n bytes, at most 4.
func (f *fields) int(n int) int { return int(f.uint(n)) }

// address reads an address or a length.
func (f *fields) address() uint64 { return f.uint(8) }

// err is an error if the bytes ended too early; what names the structure.
func (f *fields) err(what string) error {
	if f.short {
		return fmt.Errorf("%s ends too early", what)
	}
	return nil
}
