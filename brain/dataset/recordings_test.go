package dataset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// A recording that ends early is refused unless the options allow it, and then there is a note. One that
// was written to a pipe is whole, with a note.
func TestTruncatedRecordings(t *testing.T) {
	dir := write(t,
		map[string]string{"dataset.yaml": "tr_seconds: 2\nstories: {a: {audio: a.wav}, b: {audio: b.wav}}\n" +
			"subjects: {s: {a: m.txt}}\n", "m.txt": "1 2\n3 4\n"})
	path := filepath.Join(dir, "a.wav")
	require.NoError(t, audio.WriteWAV(path, make([]float32, 16000), audio.Rate, audio.PCM16))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, whole[:len(whole)-2000], 0o600))
	piped := append([]byte{}, whole...)
	copy(piped[40:], "\xff\xff\xff\x7f")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.wav"), piped, 0o600))

	remarks := func(d *Dataset, name string) []string {
		story, err := d.Story(name)
		require.NoError(t, err)
		return story.Remarks()
	}
	d, err := Open(dir)
	require.NoError(t, err)
	_, err = d.Audio(t.Context(), "a")
	faulttest.Require(t, fault.BadData, err, "truncated: 30000 of 32000 bytes", "allow truncated audio")
	wave, err := d.Audio(t.Context(), "b")
	require.NoError(t, err)
	assert.Len(t, wave, 16000)
	assert.Contains(t, remarks(d, "b")[0], "streamed")

	d, err = Open(dir, func(s *Spec) { s.AllowTruncated = true })
	require.NoError(t, err)
	assert.Empty(t, remarks(d, "a"))
	wave, err = d.Audio(t.Context(), "a")
	require.NoError(t, err)
	assert.Len(t, wave, 15000)
	assert.Contains(t, remarks(d, "a")[0], "truncated: 30000 of 32000 bytes")
}
