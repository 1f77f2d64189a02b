package tfevents

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/tfevents/readback"
)

// The reader of the tests is checked against published sums, and the writer against the reader.
func TestChecksums(t *testing.T) {
	ascending := make([]byte, 32)
	for i := range ascending {
		ascending[i] = byte(i)
	}
	descending := slices.Clone(ascending)
	slices.Reverse(descending)
	ones := slices.Repeat([]byte{0xff}, 32)
	for _, c := range []struct { // RFC 3720, B.4
		data []byte
		want uint32
	}{{make([]byte, 32), 0x8a9136aa}, {ones, 0x62a8ab43}, {ascending, 0x46dd794e}, {descending, 0x113fdb5c},
		{[]byte("123456789"), 0xe3069283}} {
		require.Equal(t, c.want, readback.CRC(c.data))
		assert.Equal(t, (c.want>>15|c.want<<17)+0xa282ead8, masked(c.data))
	}
	// The first bytes of every event file that TensorFlow 2 and PyTorch write: a record of 24
	// bytes.
	assert.Equal(t, []byte("\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\""), record(make([]byte, 24))[:12])
}

func files(t *testing.T, dir string) []string {
	paths, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	require.NoError(t, err)
	return paths
}

func TestWhatIsWrittenIsThereAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	before := float64(time.Now().UnixMicro()) / 1e6
	w, err := Create(dir)
	require.NoError(t, err)
	require.NoError(t, w.Start(7))
	require.NoError(t, w.Write(7, Scalar{"loss/train", -.25}, Scalar{"regions/ä b", math.Inf(1)}))
	require.NoError(t, w.Write(1<<40, Scalar{"loss/train", 1.5}))
	got := readback.File(t, files(t, dir)[0]) // which is open
	for i := range got {
		assert.GreaterOrEqual(t, got[i].Seconds, before)
		assert.Less(t, got[i].Seconds, before+60)
		got[i].Seconds = 0
	}
	assert.Equal(t, []readback.Event{{Version: "brain.Event:2"}, {Step: 7, Start: true},
		{Step: 7, Scalars: map[string]float32{"loss/train": -.25, "regions/ä b": float32(math.Inf(1))}},
		{Step: 1 << 40, Scalars: map[string]float32{"loss/train": 1.5}}}, got)
	require.NoError(t, w.Close())
	assert.Len(t, files(t, dir), 1)
}

func TestFilesSortInTheOrderTheyWereMade(t *testing.T) {
	dir := t.TempDir()
	var made []string
	for range 5 { // within a second, and after one that a clock put ahead
		w, err := Create(dir)
		require.NoError(t, err)
		require.NoError(t, w.Start(0))
		made = append(made, w.file.Name())
		require.NoError(t, w.Close())
	}
	assert.Equal(t, made, files(t, dir))
	w, err := Create(dir)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	assert.Equal(t, made, files(t, dir), "one that nothing was written to is taken away")
}

func TestFoldersThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Create(filepath.Join(file, "below"))
	assert.Equal(t, fault.IO, fault.KindOf(err))
	require.ErrorContains(t, err, "not a directory; make room, or choose another folder")

	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	w := &Writer{file: full}
	require.ErrorContains(t, w.Write(1, Scalar{"a", 1}), "no space left on device; make room")
}
