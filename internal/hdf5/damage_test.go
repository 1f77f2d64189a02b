package hdf5

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/brainwavlm/bwlm/internal/slowtest"
)

// damage changes a file at random: bits, bytes, numbers that lie at an edge, blocks that move, and its length.
func damage(random *rand.Rand, data []byte) []byte {
	edges := []uint64{0, 1, 2, 0x7f, 0xff, 0xffff, 1 << 31, 1<<32 - 1, 1 << 62, 1<<63 - 1, 1<<64 - 1}
	out := bytes.Clone(data)
	for range 1 + random.IntN(6) {
		at := random.IntN(len(out) - 16)
		switch random.IntN(7) {
		case 0:
			out[at] ^= 1 << random.IntN(8)
		case 1:
			out[at] = byte(random.Uint32())
		case 2:
			binary.LittleEndian.PutUint64(out[at:], edges[random.IntN(len(edges))])
		case 3:
			binary.LittleEndian.PutUint32(out[at:], uint32(edges[random.IntN(len(edges))]))
		case 4:
			binary.LittleEndian.PutUint64(out[at/8*8:], uint64(random.IntN(len(out)))) // an address
		case 5:
			copy(out[at:], out[random.IntN(len(out)-16):][:8+random.IntN(8)])
		case 6:
			if random.IntN(8) == 0 {
				out = out[:max(100, at)]
			}
		}
	}
	return out
}

// Files with random damages give errors or numbers in bounded time and memory.
func TestRandomDamages(t *testing.T) {
	files := small(t)
	names := slices.Sorted(maps.Keys(files))
	random := rand.New(rand.NewPCG(3, 4))
	n := 300
	if slowtest.Thorough {
		n = 5_000
	}
	for i := range n {
		consume(t, damage(random, files[names[i%len(names)]]), i%4 != 0)
	}
}
