package nn

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

func TestSavedWeightsAreReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	build := func(st *Store, src Source, out int) error {
		return torch.Do(t.Context(), torch.Mode{Seed: 1}, func(s *torch.Scope) error {
			return st.Build(s, src, nil, func(b *Builder) {
				var l Linear
				b.Linear(&l, "layer", 3, out)
			})
		})
	}
	saved := NewStore()
	require.NoError(t, build(saved, Fresh{}, 2))
	require.NoError(t, saved.Save(t.Context(), path))

	file, err := Open(path)
	require.NoError(t, err)
	defer file.Close()
	read := NewStore()
	defer read.Close()
	require.NoError(t, build(read, file, 2))
	require.Equal(t, 2, read.Len())
	for name, p := range saved.Params() {
		assert.Equal(t, p.Float32s(), read.Param(name).Float32s(), name)
	}

	other := NewStore()
	defer other.Close()
	assert.ErrorContains(t, build(other, file, 4), "layer.weight: shape [2 3] in the file, want [4 3]")
	_, err = Open(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	saved.Close()
	assert.ErrorIs(t, saved.Save(t.Context(), path), fault.ErrClosed)
}

func TestFileLacksAParameter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	empty, st := NewStore(), NewStore()
	defer empty.Close()
	defer st.Close()
	require.NoError(t, empty.Save(t.Context(), path))
	file, err := Open(path)
	require.NoError(t, err)
	defer file.Close()
	err = torch.Do(t.Context(), torch.Mode{}, func(s *torch.Scope) error {
		return st.Build(s, file, nil, func(b *Builder) { b.Param("bias", Zeros, 2) })
	})
	assert.ErrorContains(t, err, "bias: the file has no bias")
}
