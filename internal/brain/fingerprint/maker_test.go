package fingerprint

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// print makes the print of samples.
func print(samples []float32) *Print {
	m := NewMaker()
	m.Write(samples)
	return m.Print()
}

func TestPrintDoesNotDependOnTheBlocksThatAreWritten(t *testing.T) {
	x := talk(1, 9)
	whole := print(x)
	assert.EqualValues(t, len(x), whole.Samples)
	for _, size := range []int{1, 37, 512, 2047, 100_000} {
		m := NewMaker()
		for b := range slices.Chunk(x, size) {
			m.Write(b)
		}
		assert.Equal(t, whole, m.Print(), size)
	}
}

func TestHashIsOfSamples(t *testing.T) {
	x := talk(1, 3)
	y := slices.Clone(x)
	assert.Equal(t, print(x).Hash, print(y).Hash)
	y[12345] = math.Nextafter32(y[12345], 1)
	assert.NotEqual(t, print(x).Hash, print(y).Hash)
	assert.NotEqual(t, print(x).Hash, print(x[1:]).Hash)
}

func TestPrintIsOfShapeNotLevel(t *testing.T) {
	x := talk(1, 10)
	found := Compare(print(x), print(gain(x, -40)))
	require.Len(t, found, 1)
	assert.Greater(t, found[0].Similarity, .93, "levels are rounded to half a decibel")
	assert.Greater(t, found[0].Seconds, 8.5)
}

func TestStationarySoundHasNoLargeChanges(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for name, x := range map[string][]float32{
		"silence":     make([]float32, 20*Rate),
		"white noise": noise(r, 20), "pink noise": pink(r, 20), "rounding noise": round(gain(noise(r, 20), -80), 16),
		"hum": tones(20, 50, 100, 150, 250, 350), "a chord that is held": tones(20, 220, 277, 330, 440),
	} {
		large := 0
		for _, w := range print(x).Large {
			if w != 0 {
				large++
			}
		}
		assert.Zero(t, large, name)
	}
}

func TestPrintsAreEncodedAndDecoded(t *testing.T) {
	p := print(talk(2, 5))
	data := p.Encode()
	got, err := Decode(data)
	require.NoError(t, err)
	assert.Equal(t, p, got)
	longer := append(slices.Clone(data), 1, 2, 3, 4)
	for _, bad := range [][]byte{nil, data[:10], data[:len(data)-1], data[:len(data)-4], longer} {
		_, err := Decode(bad)
		assert.Error(t, err)
	}
	data[0]++
	_, err = Decode(data)
	assert.ErrorContains(t, err, "version")
	empty, err := Decode(NewMaker().Print().Encode())
	require.NoError(t, err)
	assert.Zero(t, empty.Samples)
}

// Twenty minutes take less than 3 MB at any time, so that six hours, the longest recording, stay below 64 MB.
func TestMakerTakesLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	x := talk(3, 60)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := NewMaker()
	most := uint64(0)
	look := func() {
		runtime.GC()
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
	}
	for range 20 {
		m.Write(x)
		look()
	}
	p := m.Print()
	look()
	runtime.KeepAlive(m)
	assert.InDelta(t, 1200, p.Seconds(), 1)
	t.Logf("%.2f MB for 20 minutes", float64(most)/1e6)
	assert.Less(t, most, uint64(3e6))
}
