package brain

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/activations"
	"github.com/brainwavlm/bwlm/torch"
)

// Memory takes what fits, to the byte, first come first kept.
func TestTheCacheKeepsToItsBudget(t *testing.T) {
	require.NoError(t, torch.Do(t.Context(), torch.Mode{}, func(s *torch.Scope) error {
		framesOf, vectors := newCache(100, nil, nil), newCache(100, nil, nil)
		defer framesOf.close()
		defer vectors.close()
		for _, c := range []struct {
			story   string
			numbers int // of 4 bytes
			kept    bool
		}{{"a", 20, true}, {"b", 6, false}, {"c", 5, true}, {"d", 1, false}} {
			f, v := frameKey{story: c.story}, vectorKey{story: c.story, windows: 1}
			framesOf.putFrames(f, s.Zeros(c.numbers), nil)
			assert.Equal(t, c.kept, framesOf.frames(s, f, nil) != nil, "frames %s", c.story)
			vectors.putVectors(v, make([]float32, c.numbers), nil)
			assert.Equal(t, c.kept, vectors.vectors(v, c.numbers, nil) != nil, "vectors %s", c.story)
		}
		a, b, c := vectorKey{story: "a", windows: 1}, vectorKey{story: "b", windows: 1}, vectorKey{story: "c", windows: 1}
		assert.Len(t, vectors.allVectors([]vectorKey{a, c}), 2)
		assert.Nil(t, vectors.allVectors([]vectorKey{a, b, c}), "one is not there")
		return nil
	}))
}

// What the disk gave is in memory from then on. Vectors of another width are not taken.
func TestWhatTheDiskGaveIsKept(t *testing.T) {
	store := openStore(t, t.TempDir(), 1<<20)
	print := func(n byte) func() fingerprint {
		return func() fingerprint { return fingerprint{activations.Key{n}, "made"} }
	}
	f, v := frameKey{story: "a"}, vectorKey{story: "a", windows: 2}
	require.NoError(t, torch.Do(t.Context(), torch.Mode{}, func(s *torch.Scope) error {
		small, large := newCache(0, store, nil), newCache(1<<20, store, nil)
		defer small.close()
		defer large.close()
		small.putFrames(f, s.FromFloat32([]float32{1, 2, 3}, 3), print(1))
		small.putVectors(v, []float32{4, 5, 6, 7}, print(2))
		assert.Nil(t, large.vectors(v, 3, print(2)), "of width 2")
		for _, of := range []string{"disk", "memory"} {
			x := large.frames(s, f, print(1))
			require.NotNil(t, x, of)
			assert.Equal(t, []float32{1, 2, 3}, x.Float32s(), of)
			assert.Equal(t, []float32{4, 5, 6, 7}, large.vectors(v, 2, print(2)), of)
			require.NoError(t, os.RemoveAll(store.Dir))
		}
		return nil
	}))
}

// A disk that fails costs a warning each time, at reading and at writing, and nothing else.
func TestADiskThatFailsIsWarnedOf(t *testing.T) {
	store := openStore(t, t.TempDir(), 1<<20)
	warned := 0
	c := newCache(0, store, func(error) { warned++ })
	defer c.close()
	key, print := vectorKey{story: "a", windows: 1}, func() fingerprint { return fingerprint{activations.Key{1}, "made"} }
	store.Close()
	c.putVectors(key, []float32{1}, print)
	assert.Equal(t, 1, warned)
	assert.Nil(t, c.vectors(key, 1, print))
	assert.Equal(t, 2, warned)
}
