package imports

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/internal/slowtest"
)

// realVoxels are those of subject UTS03 of ds003020.
const realVoxels = 95_556

// likeReal writes an HDF5 file as h5py does, of float64 (rows, realVoxels): the header of a small one with another
// shape.
func likeReal(t *testing.T, path string, rows int) {
	t.Helper()
	small, err := os.ReadFile(filepath.Join(labtest.Dir(t), "hdf5", "lebel_story.hf5"))
	require.NoError(t, err)
	const start = 2048
	number := func(values ...int) (out []byte) {
		for _, v := range values {
			out = binary.LittleEndian.AppendUint64(out, uint64(v))
		}
		return out
	}
	bytesOf := 8 * rows * realVoxels
	head := small[:start]
	for _, c := range [][2][]byte{{number(12, 7), number(rows, realVoxels)}, {number(12 * 7 * 8), number(bytesOf)},
		{number(start + 12*7*8), number(start + bytesOf)}} {
		require.Positive(t, bytes.Count(head, c[0]))
		head = bytes.ReplaceAll(head, c[0], c[1])
	}
	file, err := os.Create(path)
	require.NoError(t, err)
	out := bufio.NewWriterSize(file, 1<<20)
	_, _ = out.Write(head)
	random := rand.New(rand.NewPCG(1, 2))
	var data []byte
	for range rows {
		data = data[:0]
		for range realVoxels {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(random.Float64()*4-2))
		}
		_, err = out.Write(data)
		require.NoError(t, err)
	}
	require.NoError(t, out.Flush())
	require.NoError(t, file.Close())
}

// A file of real shape is imported in bounded memory, and its numbers are the source's rounded to float32.
func TestAFileOfRealShape(t *testing.T) {
	if testing.Short() { // also where the race detector takes memory of its own
		t.Skip("takes seconds; make test runs it")
	}
	rows := 72
	if slowtest.Thorough {
		rows = 291
	}
	dir := t.TempDir()
	source, sound := filepath.Join(dir, "souls.hf5"), filepath.Join(dir, "souls.wav")
	out := filepath.Join(t.TempDir(), "out") // not within the source
	likeReal(t, source, rows)
	require.NoError(t, audio.WriteWAV(sound, make([]float32, 2*rows*audio.Rate), audio.Rate, audio.PCM16))
	memory := func(what string) (kb int, used time.Duration) {
		command, answer, err := child(t, what, checking+"=1")
		require.NoError(t, err, answer)
		kb, err = strconv.Atoi(answer)
		require.NoError(t, err)
		return kb, command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	}
	nothing, _ := memory("")
	begin := time.Now()
	all, used := memory(fmt.Sprintf("%s:%s:%d:%d:%s", out, sound, rows, realVoxels, source))
	took := time.Since(begin)
	mb := float64(8*rows*realVoxels) / 1e6
	t.Logf("%d rows: %.1f MB above %.1f MB; %.0f MB/s of the source, %.0f for each second of a processor", rows,
		float64(all-nothing)/1e3, float64(nothing)/1e3, mb/took.Seconds(), mb/used.Seconds())
	assert.Less(t, all-nothing, 64_000, "KB")

	want, err := os.Open(source)
	require.NoError(t, err)
	defer want.Close()
	got, err := os.Open(filepath.Join(out, "s1", "story0.npy"))
	require.NoError(t, err)
	defer got.Close()
	_, err = want.Seek(2048, io.SeekStart)
	require.NoError(t, err)
	const header = 128 // NumPy's of such a shape, so that the numbers are aligned
	_, err = got.Seek(header, io.SeekStart)
	require.NoError(t, err)
	wide, narrow := make([]byte, 8*realVoxels), make([]byte, 4*realVoxels)
	for k := range rows {
		_, err = io.ReadFull(want, wide)
		require.NoError(t, err)
		_, err = io.ReadFull(got, narrow)
		require.NoError(t, err)
		for v := range realVoxels {
			x := math.Float64frombits(binary.LittleEndian.Uint64(wide[8*v:]))
			if y := binary.LittleEndian.Uint32(narrow[4*v:]); y != math.Float32bits(float32(x)) {
				t.Fatalf("row %d, voxel %d: %g is %g", k, v, x, math.Float32frombits(y))
			}
		}
	}
	_, err = got.Read(narrow)
	require.ErrorIs(t, err, io.EOF)
}
