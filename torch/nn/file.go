package nn

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch"
)

// Save writes the parameters under their names, as float32, to the safetensors file at path, which
// is replaced as a whole or not at all. [Open] reads it back, as PyTorch does.
func (st *Store) Save(ctx context.Context, path string) error {
	var tensors []ckpt.Tensor
	ss := Session{Stores: []*Store{st}}
	err := ss.Infer(ctx, func(*torch.Scope) error {
		for name, p := range st.Params() {
			tensors = append(tensors, ckpt.NewTensor(name, p.Shape(), p.ToType(torch.Float32).Float32s()))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return ckpt.Write(path, tensors, map[string]string{"format": "pt"})
}

// File is a [Source]: the tensors of a safetensors file, from which a model takes those that it
// declares.
type File struct{ file *ckpt.File }

// Open opens a safetensors file by its header, which is checked. The error for a file that is not
// there matches fs.ErrNotExist.
func Open(path string) (*File, error) {
	f, err := ckpt.Open(path)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// Close closes the file. Models that were built from it do not need it.
func (f *File) Close() error { return f.file.Close() }

// Tensor returns the file's tensor of a name as float32. Half precision is widened.
func (f *File) Tensor(s *torch.Scope, name string, shape []int, _ Init) (*torch.Tensor, error) {
	info, ok := f.file.Info(name)
	switch {
	case !ok:
		return nil, fmt.Errorf("the file has no %s", name)
	case !slices.Equal(info.Shape, shape):
		return nil, fmt.Errorf("shape %v in the file, want %v", info.Shape, shape)
	}
	values, err := f.file.Float32(name)
	if err != nil {
		return nil, err
	}
	return s.FromFloat32(values, shape...), nil
}
