package windows_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/activations"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/torch"
)

// Memory takes what fits, to the byte, first come first kept.
func TestTheCacheKeepsToItsBudget(t *testing.T) {
	require.NoError(t, torch.Do(t.Context(), torch.Mode{}, func(s *torch.Scope) error {
		framesOf, vectors := windows.NewCache(100, nil, nil), windows.NewCache(100, nil, nil)
		defer framesOf.Close()
		defer vectors.Close()
		for _, c := range []struct {
			story   string
			numbers int // of 4 bytes
			kept    bool
		}{{"a", 20, true}, {"b", 6, false}, {"c", 5, true}, {"d", 1, false}} {
			f, v := windows.FrameKey{Story: c.story}, windows.VectorKey{Story: c.story, Windows: 1}
			framesOf.PutFrames(f, s.Zeros(c.numbers), nil)
			assert.Equal(t, c.kept, framesOf.Frames(s, f, nil) != nil, "frames %s", c.story)
			vectors.PutVectors(v, make([]float32, c.numbers), nil)
			assert.Equal(t, c.kept, vectors.Vectors(v, c.numbers, nil) != nil, "vectors %s", c.story)
		}
		a, b, c := windows.VectorKey{Story: "a", Windows: 1}, windows.VectorKey{Story: "b", Windows: 1},
			windows.VectorKey{Story: "c", Windows: 1}
		assert.Len(t, vectors.AllVectors([]windows.VectorKey{a, c}), 2)
		assert.Nil(t, vectors.AllVectors([]windows.VectorKey{a, b, c}), "one is not there")
		return nil
	}))
}

// What the disk gave is in memory from then on. Vectors of another width are not taken.
func TestWhatTheDiskGaveIsKept(t *testing.T) {
	store := studytest.OpenStore(t, t.TempDir(), 1<<20)
	print := func(n byte) func() windows.Fingerprint {
		return func() windows.Fingerprint { return windows.Fingerprint{Key: activations.Key{n}, About: "made"} }
	}
	f, v := windows.FrameKey{Story: "a"}, windows.VectorKey{Story: "a", Windows: 2}
	require.NoError(t, torch.Do(t.Context(), torch.Mode{}, func(s *torch.Scope) error {
		small, large := windows.NewCache(0, store, nil), windows.NewCache(1<<20, store, nil)
		defer small.Close()
		defer large.Close()
		small.PutFrames(f, s.FromFloat32([]float32{1, 2, 3}, 3), print(1))
		small.PutVectors(v, []float32{4, 5, 6, 7}, print(2))
		assert.Nil(t, large.Vectors(v, 3, print(2)), "of width 2")
		for _, of := range []string{"disk", "memory"} {
			x := large.Frames(s, f, print(1))
			require.NotNil(t, x, of)
			assert.Equal(t, []float32{1, 2, 3}, x.Float32s(), of)
			assert.Equal(t, []float32{4, 5, 6, 7}, large.Vectors(v, 2, print(2)), of)
			require.NoError(t, os.RemoveAll(store.Dir))
		}
		return nil
	}))
}

// A disk that fails costs a warning each time, at reading and at writing, and nothing else.
func TestADiskThatFailsIsWarnedOf(t *testing.T) {
	store := studytest.OpenStore(t, t.TempDir(), 1<<20)
	warned := 0
	c := windows.NewCache(0, store, func(error) { warned++ })
	defer c.Close()
	key, print := windows.VectorKey{Story: "a", Windows: 1},
		func() windows.Fingerprint { return windows.Fingerprint{Key: activations.Key{1}, About: "made"} }
	store.Close()
	c.PutVectors(key, []float32{1}, print)
	assert.Equal(t, 1, warned)
	assert.Nil(t, c.Vectors(key, 1, print))
	assert.Equal(t, 2, warned)
}
