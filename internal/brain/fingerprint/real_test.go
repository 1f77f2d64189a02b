package fingerprint

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/slowtest"
)

// data returns the folder of real recordings.
func data(t *testing.T) string {
	t.Helper()
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data: no real recordings")
	}
	return filepath.Join(root, "data")
}

// load reads recordings and puts them one after the other.
func load(t *testing.T, patterns ...string) (out []float32) {
	t.Helper()
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(data(t), pattern))
		require.NoError(t, err)
		require.NotEmpty(t, paths, pattern)
		for _, path := range paths {
			clip, err := audio.Load(t.Context(), path, audio.Options{})
			require.NoError(t, err)
			out = append(out, clip.Samples...)
		}
	}
	return out
}

// realMusic are the sounds of natsound that are music, without singing.
func realMusic(t *testing.T) (out []float32) {
	t.Helper()
	f, err := os.Open(filepath.Join(data(t), "natsound", "sounds.tsv"))
	require.NoError(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, kind, _ := strings.Cut(lines.Text(), "\t"); kind == "Music" {
			out = append(out, load(t, "natsound/sounds/"+name+".flac")...)
		}
	}
	require.Greater(t, len(out), 30*Rate)
	return out
}

func TestCopiesOfRealSpeechAreFoundAndOthersAreNot(t *testing.T) {
	beds := realMusic(t)
	reader, woman := load(t, "speech/librispeech/1998/*.flac"), load(t, "speech/librispeech/1688/*.flac")
	sonnets := load(t, "speech/sonnets/*.mp3")
	voiced, alice := load(t, "alice/stories/alice_revoiced.flac"), load(t, "alice/stories/alice_seg12.flac")
	for name, s := range map[string]sources{
		"a reader":              {seconds(reader, 0, 26), seconds(reader, 30, 56), seconds(woman, 0, 26), beds},
		"another reader":        {seconds(woman, 2, 28), seconds(woman, 35, 61), seconds(sonnets, 0, 26), beds},
		"a reader, from MP3":    {seconds(sonnets, 0, 26), seconds(sonnets, 27, 53), seconds(alice, 0, 26), beds},
		"a synthesised voice":   {seconds(voiced, 100, 126), seconds(voiced, 200, 226), seconds(reader, 0, 26), beds},
		"a reader with a story": {seconds(alice, 0, 23), seconds(alice, 23.5, 46.5), seconds(woman, 20, 46), beds},
	} {
		if slowtest.Thorough || name == "a reader, from MP3" {
			t.Run(name, func(t *testing.T) { check(t, s) })
		}
	}
}

// Recordings that have nothing in common: speakers, the same words at the same times by another voice, 165 sounds.
func TestDifferentRealRecordingsAreNotCopies(t *testing.T) {
	recordings := map[string]*Print{
		"1089":    print(load(t, "speech/librispeech/1089/*.flac")),
		"1688":    print(load(t, "speech/librispeech/1688/*.flac")),
		"1998":    print(load(t, "speech/librispeech/1998/*.flac")),
		"austen":  print(load(t, "speech/austen/*.wav")),
		"jfk":     print(load(t, "speech/jfk/*.flac")),
		"sonnets": print(load(t, "speech/sonnets/*.mp3")),
		"alice":   print(load(t, "alice/stories/alice_seg12.flac")),
		"voiced":  print(load(t, "alice/stories/alice_revoiced.flac")),
		"sounds":  print(load(t, "natsound/sounds/*.flac")),
	}
	area, start := 0., time.Now()
	for a, p := range recordings {
		for b, q := range recordings {
			if a < b {
				for _, s := range Compare(p, q) {
					assert.Less(t, s.Seconds, 3., "%s and %s: %v", a, b, s)
				}
				area += p.Seconds() * q.Seconds()
			}
		}
	}
	took := time.Since(start).Seconds()
	t.Logf("%.3g hours x hours compared, %.3g s each", area/3600/3600, took/area*3600*3600)
}

// The same recording from MP3 and WAV, FLAC of 44.1 kHz stereo and WAV of 16 kHz.
func TestAnotherContainerIsTheSameRecording(t *testing.T) {
	for _, name := range []string{"speech/sonnets/p001.mp3", "speech/jfk/jfk.flac"} {
		x := load(t, name)
		for _, encoding := range []audio.Encoding{audio.PCM16, audio.Float32} {
			path := filepath.Join(t.TempDir(), "copy.wav")
			require.NoError(t, audio.WriteWAV(path, x, Rate, encoding))
			clip, err := audio.Load(t.Context(), path, audio.Options{})
			require.NoError(t, err)
			got := Compare(print(x), print(clip.Samples))
			require.Len(t, got, 1)
			assert.Greater(t, got[0].Seconds, .9*float64(len(x))/Rate-1)
			assert.Greater(t, got[0].Similarity, .98)
			assert.Equal(t, encoding == audio.Float32, print(x).Hash == print(clip.Samples).Hash)
		}
	}
}

func BenchmarkMaker(b *testing.B) {
	x := slices.Repeat(talk(1, 30), 2)
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		print(x)
	}
	b.ReportMetric(float64(b.Elapsed().Seconds())/float64(b.N)*60, "s/h")
}

func BenchmarkCompare(b *testing.B) {
	p, q := print(talk(1, 300)), print(talk(2, 300))
	for b.Loop() {
		Compare(p, q)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*144, "s/h²")
}

func BenchmarkSearch(b *testing.B) {
	p, q := print(talk(1, 300)), print(talk(2, 300))
	for b.Loop() {
		Search(p, q, 16)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*144, "s/h²")
}
