package imports

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/internal/slowtest"
)

// importing is the variable of the environment with which this program imports a file and prints its largest memory:
// the file, the folder to make, the recording and the rows.
const importing = "BWLM_TEST_IMPORT"

func TestMain(m *testing.M) {
	text, ok := os.LookupEnv(importing)
	if !ok {
		os.Exit(m.Run())
	}
	if text != "" {
		fields := strings.Split(text, ":")
		rows, _ := strconv.Atoi(fields[3])
		f, err := Start("test", filepath.Dir(fields[0]), true)
		if err == nil {
			f.TR = 2
			f.Stories = []Story{{Name: "souls", Audio: fields[2]}}
			f.Subjects = []Subject{{Name: "s1", Responses: []Response{{Story: "souls", File: fields[0],
				Shape: []int{rows, realVoxels}, Open: OpenArray(fields[0], "data")}}}}
			_, err = f.Import(context.Background(), Options{Dir: fields[1]})
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Println(strings.Fields(kb)[0])
		}
	}
}

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
	rows := 24
	if slowtest.Thorough {
		rows = 291
	}
	dir := t.TempDir()
	source, sound := filepath.Join(dir, "souls.hf5"), filepath.Join(dir, "souls.wav")
	out := filepath.Join(t.TempDir(), "out") // not within the source
	likeReal(t, source, rows)
	require.NoError(t, audio.WriteWAV(sound, make([]float32, 2*rows*audio.Rate), audio.Rate, audio.PCM16))
	memory := func(what string) (kb int, used time.Duration) {
		self, err := os.Executable()
		require.NoError(t, err)
		command := exec.Command(self)
		command.Env = append(os.Environ(), importing+"="+what)
		answer, err := command.Output()
		require.NoError(t, err, string(answer))
		kb, err = strconv.Atoi(strings.TrimSpace(string(answer)))
		require.NoError(t, err)
		return kb, command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	}
	nothing, _ := memory("")
	begin := time.Now()
	all, used := memory(fmt.Sprintf("%s:%s:%s:%d", source, out, sound, rows))
	took := time.Since(begin)
	mb := float64(8*rows*realVoxels) / 1e6
	t.Logf("%d rows: %.1f MB above %.1f MB; %.0f MB/s of the source, %.0f for each second of a processor", rows,
		float64(all-nothing)/1e3, float64(nothing)/1e3, mb/took.Seconds(), mb/used.Seconds())
	assert.Less(t, all-nothing, 64_000, "KB")

	want, err := os.Open(source)
	require.NoError(t, err)
	defer want.Close()
	got, err := os.Open(filepath.Join(out, "s1", "souls.npy"))
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
