package audio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// I7: levels and lengths.
func TestLevels(t *testing.T) {
	constant := func(n int, v float32) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = v
		}
		return x
	}
	clipped := tone(1600, 300, Rate)
	for i, v := range clipped {
		clipped[i] = max(-1, min(1, 2*v))
	}
	for _, c := range []struct {
		name string
		x    []float32
		note string
	}{
		{"silence", constant(400, 0), "silence: every sample is 0"},
		{"constant", constant(400, 0.25), "constant: every sample is 0.25"},
		{"clipped", clipped, "clipped: 60 runs of 3 or more samples at full scale"},
		{"full scale, not clipped", tone(1600, 300, Rate), ""},
		{"0.1 s", speech(1600), ""},
		{"one frame", speech(400), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			clip, err := decode(t, wav16(c.x), Options{})
			require.NoError(t, err)
			assert.Len(t, clip.Samples, len(c.x))
			assert.Equal(t, c.note, strings.Join(clip.Info.Notes, "\n"))
			assert.InDelta(t, float64(len(c.x))/16000, clip.Seconds(), 1e-12)
		})
	}
	for _, n := range []int{0, 1, 399} {
		_, err := decode(t, wav16(speech(n)), Options{})
		faulttest.Require(t, fault.BadData, err, "needs at least 400 (25 ms)")
	}
}

// A recorder is a WAV file of any length that is made while it is read.
type recorder struct {
	head []byte
	tone []byte // repeats
}

func (r recorder) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(r.head)) {
		n = copy(p, r.head[off:])
	}
	for n < len(p) {
		n += copy(p[n:], r.tone[(off+int64(n)-int64(len(r.head)))%int64(len(r.tone)):])
	}
	return n, nil
}

// I7: three hours stream in memory that does not grow with them.
func TestThreeHoursInBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("three hours of audio")
	}
	seconds := 3 * 3600
	if raced {
		seconds /= 10
	}
	size := int64(2*Rate) * int64(seconds)
	r := recorder{head: fmtHeader(tagPCM, 1, Rate, 2, uint32(size)), tone: ints(2, speech(Rate))}
	reader, err := newReader("three hours", r, size+44, Options{})
	require.NoError(t, err)
	require.Equal(t, int64(seconds*Rate), reader.declared)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	buf := make([]float32, 1<<16)
	n, highest := 0, uint64(0)
	for i := 0; ; i++ {
		k, err := reader.read(buf)
		n += k
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if i%1000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			highest = max(highest, now.HeapAlloc)
		}
	}
	assert.Equal(t, seconds*Rate, n)
	assert.Less(t, int64(highest)-int64(before.HeapAlloc), int64(1<<20))
}

// Load holds the result once: it does not grow it by copying.
func TestDecodeHoldsTheResultOnce(t *testing.T) {
	const seconds = 300
	size := int64(2 * Rate * seconds)
	r := recorder{head: fmtHeader(tagPCM, 1, Rate, 2, uint32(size)), tone: ints(2, speech(Rate))}
	var clip *Clip
	var err error
	bytes := allocated(func() { clip, err = Decode(t.Context(), "five minutes", r, size+44, Options{}) })
	require.NoError(t, err)
	require.Len(t, clip.Samples, seconds*Rate)
	assert.LessOrEqual(t, bytes, 4*seconds*Rate+size+1<<20, "the result, and once the file in blocks")
}

// I8: the rate is converted, with a note, or refused.
func TestRates(t *testing.T) {
	for _, c := range []struct {
		rate int
		note string
	}{
		{8000, "upsampled from 8000 Hz: nothing above 4000 Hz"},
		{22050, "resampled from 22050 Hz"},
		{44100, "resampled from 44100 Hz"},
		{48000, "resampled from 48000 Hz"},
		{44101, "resampled from 44101 Hz"},
	} {
		x := tone(c.rate/5, 300, float64(c.rate))
		file := riff(fmtChunk(3, 1, uint32(c.rate), 32), chunk("data", floats32(x)))
		for _, m := range []Method{"", Sinc, Torchaudio} {
			clip, err := decode(t, file, Options{Resample: m})
			require.NoError(t, err)
			want := resample(x, c.rate, Rate, m)
			assert.Equal(t, want, clip.Samples)
			require.NotEmpty(t, clip.Info.Notes)
			assert.Equal(t, c.note, clip.Info.Notes[0])
			assert.Equal(t, c.rate, clip.Info.SourceRate)
		}
		_, err := decode(t, file, Options{NoResample: true})
		faulttest.Require(t, fault.BadData, err, "want 16000 Hz")
	}
	_, err := decode(t, wav16(speech(400)), Options{NoResample: true})
	require.NoError(t, err)
}

// I9: channels that are equal, inverted, silent.
func TestChannels(t *testing.T) {
	x := speech(800)
	zero := make([]float32, len(x))
	inverted := make([]float32, len(x))
	half := make([]float32, len(x))
	for i, v := range x {
		inverted[i], half[i] = -v, v/2
	}
	stereo := func(a, b []float32) []byte {
		var both []float32
		for i := range a {
			both = append(both, a[i], b[i])
		}
		return riff(fmtChunk(3, 2, Rate, 32), chunk("data", floats32(both)))
	}
	for _, c := range []struct {
		name    string
		file    []byte
		channel int
		want    []float32
		note    string
	}{
		{"equal", stereo(x, x), 0, x, ""},
		{"one side silent", stereo(zero, x), 0, half, ""},
		{"inverted", stereo(x, inverted), 0, zero,
			"the channels cancel each other: their mean keeps 0 of their energy; pick one channel"},
		{"inverted, first", stereo(x, inverted), 1, x, ""},
		{"inverted, second", stereo(x, inverted), 2, inverted, ""},
		{"both silent", stereo(zero, zero), 0, zero, "silence: every sample is 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			clip, err := decode(t, c.file, Options{Channel: c.channel})
			require.NoError(t, err)
			assert.Equal(t, c.want, clip.Samples)
			if c.note == "" {
				assert.Empty(t, clip.Info.Notes)
			} else {
				assert.Contains(t, clip.Info.Notes, c.note)
			}
		})
	}
	_, err := decode(t, stereo(x, x), Options{Channel: 3})
	faulttest.Require(t, fault.BadData, err, "channel 3 was asked for, there are 2")
}

func TestImpossibleOptions(t *testing.T) {
	for _, opt := range []Options{{Channel: -1}, {MaxChannels: -1}, {Resample: "linear"}, {MaxSeconds: -1},
		{MaxSeconds: math.NaN()}} {
		_, err := decode(t, wav16(speech(400)), opt)
		faulttest.Require(t, fault.Usage, err, "")
	}
}

func TestTooManyChannels(t *testing.T) {
	stereo := riff(fmtChunk(3, 2, Rate, 32), chunk("data", floats32(speech(2000))))
	_, err := decode(t, stereo, Options{MaxChannels: 1})
	faulttest.Require(t, fault.BadData, err, "2 channels, more than the limit of 1")
	_, err = decode(t, stereo, Options{MaxChannels: 2})
	require.NoError(t, err)
}

// I10: the content counts, not the name; and what is no file is refused at once.
func TestLoadFiles(t *testing.T) {
	x := speech(500)
	clip, err := Load(t.Context(), write(t, "misnamed.mp3", wav16(x)), Options{})
	require.NoError(t, err)
	assert.Equal(t, "wav", clip.Info.Format)

	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o666))
	socket := filepath.Join(dir, "socket")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer listener.Close()
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink("nowhere", link))
	annex := filepath.Join(dir, "annex")
	require.NoError(t, os.Symlink("../.git/annex/objects/a/b/c.wav", annex))
	for _, c := range []struct {
		name, path string
		kind       fault.Kind
		words      string
	}{
		{"no file", filepath.Join(dir, "none.wav"), fault.Missing, "none.wav"},
		{"folder", dir, fault.BadData, "folder"},
		{"pipe", fifo, fault.BadData, "pipe"},
		{"socket", socket, fault.BadData, "socket"},
		{"/dev/zero", "/dev/zero", fault.BadData, "device"},
		{"dangling link", link, fault.Missing, "nowhere"},
		{"git-annex link", annex, fault.Missing, "datalad get"},
		{"git-annex pointer", write(t, "p.wav", []byte("/annex/objects/MD5E-s12--abc.wav\n")), fault.Missing,
			"datalad get"},
		{"git-lfs pointer", write(t, "p.wav", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:1\n")),
			fault.Missing, "git lfs pull"},
		{"newline in name", write(t, "a\nb.wav", nil), fault.BadData, "empty"},
		{"Ogg", write(t, "a.wav", []byte("OggS and so on, and so on")), fault.BadData, "Ogg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := make(chan error, 1)
			go func() {
				_, err := Load(background, c.path, Options{})
				done <- err
			}()
			select {
			case err := <-done:
				faulttest.Require(t, c.kind, err, c.words)
			case <-time.After(5 * time.Second):
				t.Fatal("Load waits")
			}
		})
	}
}

// broken fails from an offset on, as a bad disk does.
type broken struct {
	b  []byte
	at int64
}

func (r broken) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > r.at {
		return 0, &os.PathError{Op: "read", Path: "x", Err: syscall.EIO}
	}
	return bytes.NewReader(r.b).ReadAt(p, off)
}

func TestDiskErrors(t *testing.T) {
	for name, file := range map[string][]byte{
		"wav":   wav16(speech(100000)),
		"float": riff(fmtChunk(3, 1, Rate, 32), chunk("data", floats32(speech(100000)))),
		"flac":  flacFile(t, Rate, 16, speech(100000)),
		"mp3":   silentMP3(3000, true),
	} {
		for at := int64(0); at < int64(len(file)); at += int64(len(file)) / 50 {
			_, err := Decode(t.Context(), name, broken{file, at}, int64(len(file)), Options{})
			faulttest.Require(t, fault.IO, err, name+": input/output error")
		}
	}
}

// A file that becomes shorter while it is read is bad data, whatever the decoder makes of it.
func TestShrinkingFiles(t *testing.T) {
	for name, file := range map[string][]byte{
		"wav":   wav16(speech(100000)),
		"float": riff(fmtChunk(3, 1, Rate, 32), chunk("data", floats32(speech(100000)))),
		"flac":  flacFile(t, Rate, 16, speech(100000)),
		"mp3":   silentMP3(3000, true),
	} {
		_, err := Decode(t.Context(), name, bytes.NewReader(file[:len(file)/2]), int64(len(file)), Options{})
		faulttest.Require(t, fault.BadData, err, name)
	}
}

func TestTooLong(t *testing.T) {
	for name, file := range map[string][]byte{
		"wav":  wav16(speech(2 * Rate)),
		"flac": flacFile(t, Rate, 16, speech(2*Rate)),
		"mp3":  silentMP3(84, true), // 2.016 s
	} {
		_, err := decode(t, file, Options{MaxSeconds: 1.9})
		faulttest.Require(t, fault.BadData, err, "more than the limit of 2 s")
		_, err = decode(t, file, Options{MaxSeconds: 2.02})
		require.NoError(t, err, name)
	}
	// A FLAC file that does not say its length is stopped where it passes the limit.
	unknown := flacFile(t, Rate, 16, speech(2*Rate))
	unknown[flacLength] &= 0xf0
	clear(unknown[flacLength+1 : flacSum+16])
	_, err := decode(t, unknown, Options{MaxSeconds: 1})
	faulttest.Require(t, fault.BadData, err, "more than the limit")
	// A bomb: 1000 s of audio in less than a kilobyte.
	small := flacFile(t, Rate, 16, speech(400))
	copy(small[flacLength+1:], []byte{0x00, 0xf4, 0x24, 0x00})
	_, err = decode(t, small, Options{})
	faulttest.Require(t, fault.BadData, err, "is not a recording")
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file := wav16(speech(500))
	_, err := Decode(ctx, "clip", bytes.NewReader(file), int64(len(file)), Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// Nothing is shared between readers.
func TestConcurrentDecodes(t *testing.T) {
	files := [][]byte{wav16(speech(5000)), flacFile(t, 24000, 16, speech(5000)), testMP3(t, "tone_44100_stereo")}
	var want [][]float32
	for _, f := range files {
		clip, err := decode(t, f, Options{})
		require.NoError(t, err)
		want = append(want, clip.Samples)
	}
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			clip, err := decode(t, files[i%3], Options{})
			if assert.NoError(t, err) {
				assert.Equal(t, want[i%3], clip.Samples)
			}
		})
	}
	all.Wait()
}

func TestReaderStream(t *testing.T) {
	x := tone(30000, 300, 44100)
	path := write(t, "x.wav", riff(fmtChunk(3, 1, 44100, 32), chunk("data", floats32(x))))
	want, err := Load(t.Context(), path, Options{})
	require.NoError(t, err)

	file, err := os.ReadFile(path)
	require.NoError(t, err)
	r, err := newReader("x", bytes.NewReader(file), int64(len(file)), Options{})
	require.NoError(t, err)
	n, err := r.read(nil)
	require.Zero(t, n)
	require.NoError(t, err)
	var got []float32
	for size := 1; ; size = size*3%1009 + 1 {
		p := make([]float32, size)
		n, err := r.read(p)
		got = append(got, p[:n]...)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		require.Positive(t, n)
	}
	assert.Equal(t, want.Samples, got)
	assert.Equal(t, int64(len(got)), r.declared)
	assert.Equal(t, want.Info, r.info)
	for range 2 { // the end lasts
		_, err = r.read(make([]float32, 1))
		assert.Equal(t, io.EOF, err)
	}
}

// A decoder that panics gives an error.
func TestDecoderPanics(t *testing.T) {
	err := shield(func() error { panic("index out of range") })
	faulttest.Require(t, fault.BadData, err, "index out of range")
	cause := errors.New("cause")
	assert.Equal(t, cause, shield(func() error { return cause }))
}

// Every format of the table is named, by its bytes at its offset.
func TestForeignFormatsAreNamed(t *testing.T) {
	for kind, head := range map[string]string{
		"big-endian WAV (RIFX)": "RIFX", "a RIFF file, but not WAV": "RIFF    AVI ", "Ogg (Vorbis or Opus)": "OggS",
		"Sony Wave64": "riff\x2e\x91\xcf\x11", "AIFF": "FORM", "Sun audio": ".snd", "Core Audio": "caff",
		"MPEG-4 (AAC or ALAC)": "\x00\x00\x00\x20ftypM4A ", "NIST SPHERE": "NIST_1A",
		"Matroska or WebM": "\x1a\x45\xdf\xa3",
	} {
		_, err := decode(t, append([]byte(head), make([]byte, 64)...), Options{})
		faulttest.Require(t, fault.BadData, err, kind+" is not supported; convert it to FLAC or 16-bit WAV")
	}
	_, err := decode(t, []byte("nothing known"), Options{})
	faulttest.Require(t, fault.BadData, err, "neither WAV, FLAC nor MP3", "; convert it")
}
