package dataset

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
)

// matrix reads a .npy file of two or three dimensions, or text.
func (f folder) matrix(_ context.Context, name string) (*Matrix, error) {
	if !strings.EqualFold(filepath.Ext(name), ".npy") {
		text, err := f.read(name)
		if err != nil {
			return nil, err
		}
		return ReadText(bytes.NewReader(text), f.join(name))
	}
	path, err := f.find(name)
	if err != nil {
		return nil, err
	}
	array, err := ckpt.ReadNPY(path)
	if err != nil {
		return nil, err
	}
	m := &Matrix{Repeats: 1}
	switch shape := array.Shape; len(shape) {
	case 2:
		m.Rows, m.Voxels = shape[0], shape[1]
	case 3:
		m.Repeats, m.Rows, m.Voxels = shape[0], shape[1], shape[2]
	default:
		return nil, fault.New(fault.BadData, "read matrix", path, "shape %v, want TRs × voxels or repeats × TRs × voxels", shape)
	}
	switch array.DType {
	case ckpt.F16, ckpt.F32, ckpt.F64:
	case ckpt.BOOL:
		return nil, fault.New(fault.BadData, "read matrix", path, "the values are booleans, want numbers")
	default:
		m.Stored = array.DType.String()
	}
	m.Data, err = array.Float32()
	return m, err
}
