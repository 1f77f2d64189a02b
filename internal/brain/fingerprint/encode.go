package fingerprint

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// version is that of a print; prints of other versions are not comparable.
const version = 1

const headBytes = 8 + 8 + 8 + sha256.Size

// Encode returns the print as bytes: version, samples, 1 if silent, hash, the rises of all frames, the large
// changes of all frames. Numbers are little-endian.
func (p *Print) Encode() []byte {
	out := make([]byte, 0, headBytes+4*len(p.Large))
	out = binary.LittleEndian.AppendUint64(out, version)
	out = binary.LittleEndian.AppendUint64(out, uint64(p.Samples))
	silent := uint64(0)
	if p.Silent {
		silent = 1
	}
	out = binary.LittleEndian.AppendUint64(out, silent)
	out = append(out, p.Hash[:]...)
	for _, words := range [][]uint16{p.Rises, p.Large} {
		for _, w := range words {
			out = binary.LittleEndian.AppendUint16(out, w)
		}
	}
	return out
}

// Decode reads what [Print.Encode] wrote.
func Decode(data []byte) (*Print, error) {
	if len(data) < headBytes || (len(data)-headBytes)%4 != 0 || binary.LittleEndian.Uint64(data) != version {
		return nil, errors.New("not a fingerprint of this version")
	}
	p := &Print{Samples: int64(binary.LittleEndian.Uint64(data[8:])), Silent: data[16] != 0}
	copy(p.Hash[:], data[24:])
	frames := (len(data) - headBytes) / 4
	if p.Samples < 0 || int64(frames) != framesOf(p.Samples) {
		return nil, errors.New("a fingerprint of another length than it says")
	}
	for i, words := range []*[]uint16{&p.Rises, &p.Large} {
		*words = make([]uint16, frames)
		for n := range *words {
			(*words)[n] = binary.LittleEndian.Uint16(data[headBytes+2*(i*frames+n):])
		}
	}
	return p, nil
}

// framesOf returns the number of frames of a recording.
func framesOf(samples int64) int64 { return samples/hop + 1 }
