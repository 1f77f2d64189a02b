package ckpt

import (
	"bytes"
	"encoding/binary"

	"github.com/brainwavlm/bwlm/internal/pickle"
)

const golden = "../../testdata/golden"

// maxStack is how many values a pickle may have on its stack.
const maxStack = pickle.MaxStack

// fileBytes makes the bytes of a safetensors file of a header and data.
func fileBytes(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

// readBytes reads safetensors bytes.
func readBytes(b []byte) (*File, error) {
	return Read(bytes.NewReader(b), int64(len(b)), "x.safetensors")
}
