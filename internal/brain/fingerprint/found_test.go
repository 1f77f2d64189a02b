package fingerprint

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/activations"
)

// What was found once comes from the cache, also for prints that were decoded anew, and a damaged entry is found anew.
func TestWhatIsFoundIsKept(t *testing.T) {
	take := func(seed uint64, seconds int) *Print { // tones of random pitch and length
		m, rng := NewMaker(), rand.New(rand.NewPCG(seed, 3))
		samples := make([]float32, seconds*Rate)
		for at := 0; at < len(samples); {
			n, pitch, level := Rate/10+rng.IntN(Rate/4), 100*math.Exp2(5*rng.Float64()), rng.Float64()
			for i := at; i < min(at+n, len(samples)); i++ {
				samples[i] = float32(level * math.Sin(2*math.Pi*pitch*float64(i-at)/Rate))
			}
			at += n
		}
		m.Write(samples)
		return m.Print()
	}
	cache, err := activations.Open(t.TempDir(), 1<<20)
	require.NoError(t, err)
	a, b := take(1, 150), take(2, 150)
	for _, pair := range [][2]*Print{{a, b}, {a, a}} {
		want := Compare(pair[0], pair[1])
		if pair[0] == pair[1] {
			want = Repeats(pair[0])
		}
		for range 2 {
			found, err := Find(cache, pair[0], pair[1])
			require.NoError(t, err)
			require.Equal(t, len(want), len(found))
		}
	}

	same, err := Decode(a.Encode())
	require.NoError(t, err)
	found, err := Find(cache, a, same) // another comparison than of a with itself
	require.NoError(t, err)
	require.Equal(t, []Stretch{{A: Interval{0, 150}, B: Interval{0, 150}, Seconds: 150, Similarity: 1}}, found)

	// A print with the hash of b and the sound of a: what is found tells where it was found.
	odd := *a
	odd.Hash, odd.Samples = b.Hash, b.Samples
	kept, err := Find(cache, a, &odd)
	require.NoError(t, err)
	require.Equal(t, Compare(a, b), kept)
	anew, err := Find(nil, a, &odd)
	require.NoError(t, err)
	require.NotEqual(t, kept, anew)

	none, err := Find(nil, b, b)
	require.NoError(t, err)
	require.Equal(t, Repeats(b), none)
}
