package joblib

import (
	"encoding/binary"
	"math/bits"
)

// xxh32 is the checksum of LZ4 frames with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md).
type xxh32 struct {
	lanes [4]uint32
	rest  [16]byte // bytes that do not fill the lanes yet
	n     uint64   // bytes in all
}

// The primes of the checksum.
const (
	prime1 uint32 = 0x9e3779b1
	prime2 uint32 = 0x85ebca77
	prime3 uint32 = 0xc2b2ae3d
	prime4 uint32 = 0x27d4eb2f
	prime5 uint32 = 0x165667b1
)

func (x *xxh32) reset() {
	p := prime1 // sums of variables wrap around
	*x = xxh32{lanes: [4]uint32{p + prime2, prime2, 0, -p}}
}

// write adds bytes.
func (x *xxh32) write(p []byte) {
	used := int(x.n % 16)
	x.n += uint64(len(p))
	if used > 0 {
		k := copy(x.rest[used:], p)
		p = p[k:]
		if used+k < 16 {
			return
		}
		x.round(x.rest[:])
	}
	for ; len(p) >= 16; p = p[16:] {
		x.round(p)
	}
	copy(x.rest[:], p)
}

// round adds 16 bytes, 4 to each lane.
func (x *xxh32) round(p []byte) {
	for i := range x.lanes {
		x.lanes[i] = bits.RotateLeft32(x.lanes[i]+binary.LittleEndian.Uint32(p[4*i:])*prime2, 13) * prime1
	}
}

// sum is the checksum of all bytes so far.
func (x *xxh32) sum() uint32 {
	h := prime5
	if x.n >= 16 {
		h = bits.RotateLeft32(x.lanes[0], 1) + bits.RotateLeft32(x.lanes[1], 7) +
			bits.RotateLeft32(x.lanes[2], 12) + bits.RotateLeft32(x.lanes[3], 18)
	}
	h += uint32(x.n)
	p := x.rest[:x.n%16]
	for ; len(p) >= 4; p = p[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(p)*prime3, 17) * prime4
	}
	for _, b := range p {
		h = bits.RotateLeft32(h+uint32(b)*prime5, 11) * prime1
	}
	h ^= h >> 15
	h *= prime2
	h ^= h >> 13
	h *= prime3
	return h ^ h>>16
}

// hash32 is the checksum of some bytes.
func hash32(p []byte) uint32 {
	var x xxh32
	x.reset()
	x.write(p)
	return x.sum()
}
