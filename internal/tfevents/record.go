package tfevents

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is TFRecord's CRC-32C of data: rotated and shifted, so that the CRC of data with CRCs in
// it stays useful.
func masked(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// record frames the bytes of an event.
func record(event []byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(event)))
	out = binary.LittleEndian.AppendUint32(out, masked(out))
	out = append(out, event...)
	return binary.LittleEndian.AppendUint32(out, masked(event))
}

// Types of fields on the wire (protobuf.dev/programming-guides/encoding).
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

func appendTag(b []byte, field, kind int) []byte {
	return binary.AppendUvarint(b, uint64(field<<3|kind))
}

func appendBytes(b []byte, field int, x []byte) []byte {
	b = binary.AppendUvarint(appendTag(b, field, wireBytes), uint64(len(x)))
	return append(b, x...)
}

// event is an Event at a time, in seconds, and a step; content is one of its fields 3 and up,
// encoded.
func event(seconds float64, step int64, content []byte) []byte {
	b := binary.LittleEndian.AppendUint64(appendTag(nil, 1, wireFixed64), math.Float64bits(seconds))
	if step != 0 {
		b = binary.AppendUvarint(appendTag(b, 2, wireVarint), uint64(step))
	}
	return append(b, content...)
}

// version is the field file_version.
func version() []byte { return appendBytes(nil, 3, []byte("brain.Event:2")) }

// start is the field session_log with the status START.
func start() []byte {
	return appendBytes(nil, 7, binary.AppendUvarint(appendTag(nil, 1, wireVarint), 1))
}

// summary is the field summary of scalars, each in Float32, as in TensorBoard.
func summary(scalars []Scalar) []byte {
	var all []byte
	for _, s := range scalars {
		value := appendBytes(nil, 1, []byte(s.Tag))
		value = binary.LittleEndian.AppendUint32(appendTag(value, 2, wireFixed32), math.Float32bits(float32(s.Value)))
		all = appendBytes(all, 1, value)
	}
	return appendBytes(nil, 5, all)
}
