package ckpt

import (
	"bytes"
	"encoding/binary"
)

const golden = "../../testdata/golden"

// fileBytes makes the bytes of a safetensors file of a header and data.
func fileBytes(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

// readBytes reads safetensors bytes.
func readBytes(b []byte) (*File, error) {
	return Read(bytes.NewReader(b), int64(len(b)), "x.safetensors")
}
