// Package readback reads files of events for tests. It shares no code with the writer.
package readback

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// CRC is the CRC-32C of data, bit by bit.
func CRC(data []byte) uint32 {
	c := ^uint32(0)
	for _, b := range data {
		c ^= uint32(b)
		for range 8 {
			c = c>>1 ^ 0x82f63b78&-(c&1)
		}
	}
	return ^c
}

// Event is an event of a file.
type Event struct {
	Seconds float64
	Step    int64
	Version string
	Start   bool // of a session
	Scalars map[string]float32
}

// Curves reads the files of a folder as TensorBoard does: in the order of their names, and a
// session start drops its step and later ones. It returns the numbers of each tag by step; two for
// one step fail the test.
func Curves(t testing.TB, dir string) map[string]map[int64]float32 {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	require.NoError(t, err)
	out := map[string]map[int64]float32{}
	for _, path := range paths {
		for _, e := range File(t, path) {
			for _, curve := range out {
				for step := range curve {
					if e.Start && step >= e.Step {
						delete(curve, step)
					}
				}
			}
			for tag, v := range e.Scalars {
				if out[tag] == nil {
					out[tag] = map[int64]float32{}
				}
				require.NotContains(t, out[tag], e.Step, "%s stands twice", tag)
				out[tag][e.Step] = v
			}
		}
	}
	return out
}

// field is a field of a message: its number, and its bytes or number.
type field struct {
	number int
	data   []byte
	value  uint64
}

// fields returns the fields of a message.
func fields(t testing.TB, b []byte) (out []field) {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		require.Positive(t, n)
		b = b[n:]
		f := field{number: int(key >> 3)}
		switch key & 7 {
		case 0:
			f.value, n = binary.Uvarint(b)
			require.Positive(t, n)
			b = b[n:]
		case 1:
			f.value, b = binary.LittleEndian.Uint64(b), b[8:]
		case 2:
			size, n := binary.Uvarint(b)
			require.Positive(t, n)
			f.data, b = b[n:n+int(size)], b[n+int(size):]
		case 5:
			f.value, b = uint64(binary.LittleEndian.Uint32(b)), b[4:]
		default:
			require.Fail(t, "type of field")
		}
		out = append(out, f)
	}
	return out
}

// File reads one file, to its end.
func File(t testing.TB, path string) (out []Event) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	unmask := func(c uint32) uint32 { c -= 0xa282ead8; return c>>17 | c<<15 }
	for len(b) > 0 {
		size := int(binary.LittleEndian.Uint64(b))
		require.Equal(t, CRC(b[:8]), unmask(binary.LittleEndian.Uint32(b[8:])))
		event := b[12 : 12+size]
		require.Equal(t, CRC(event), unmask(binary.LittleEndian.Uint32(b[12+size:])))
		b = b[16+size:]
		var d Event
		for _, f := range fields(t, event) {
			switch f.number {
			case 1:
				d.Seconds = math.Float64frombits(f.value)
			case 2:
				d.Step = int64(f.value)
			case 3:
				d.Version = string(f.data)
			case 5:
				d.Scalars = map[string]float32{}
				for _, value := range fields(t, f.data) {
					parts := fields(t, value.data)
					require.Equal(t, []int{1, 2}, []int{parts[0].number, parts[1].number})
					d.Scalars[string(parts[0].data)] = math.Float32frombits(uint32(parts[1].value))
				}
			case 7:
				d.Start = fields(t, f.data)[0].value == 1
			default:
				require.Fail(t, "field", f.number)
			}
		}
		out = append(out, d)
	}
	return out
}
