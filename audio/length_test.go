package audio

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestTheLengthFromHeadersIsThatOfTheDecodedRecording(t *testing.T) {
	wav := filepath.Join(t.TempDir(), "tone.wav")
	require.NoError(t, WriteWAV(wav, make([]float32, 12345), 11025, PCM16))
	for _, path := range []string{wav, "testdata/tone_44100_stereo.mp3", "testdata/speech_64k_mono.mp3",
		"testdata/tone_crc.mp3"} {
		clip, err := Load(t.Context(), path, Options{})
		require.NoError(t, err, path)
		seconds, err := Length(t.Context(), path, Options{})
		require.NoError(t, err, path)
		assert.InDelta(t, clip.Seconds(), seconds, 1.5/Rate, path)
	}
}

func TestTheLengthOfFLACIsThatOfTheDecodedRecording(t *testing.T) {
	path := shared(t, "alice", "stories", "alice_seg12.flac")
	clip, err := Load(t.Context(), path, Options{})
	require.NoError(t, err)
	for name, opt := range map[string]Options{"from the header": {}, "by decoding": {AllowTruncated: true}} {
		seconds, err := Length(t.Context(), path, opt)
		require.NoError(t, err)
		assert.InDelta(t, clip.Seconds(), seconds, 1.5/Rate, name)
	}
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	half := filepath.Join(t.TempDir(), "half.flac")
	require.NoError(t, os.WriteFile(half, whole[:len(whole)/2], 0o600))
	stated, err := Length(t.Context(), half, Options{})
	require.NoError(t, err)
	assert.InDelta(t, clip.Seconds(), stated, 1.5/Rate, "the samples are not decoded")
	there, err := Length(t.Context(), half, Options{AllowTruncated: true})
	require.NoError(t, err)
	assert.Less(t, there, .8*stated, "what may be cut is decoded")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Length(ctx, path, Options{AllowTruncated: true})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestTheLengthOfWhatIsNoRecordingIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	_, err := Length(t.Context(), path, Options{})
	faulttest.Require(t, fault.Missing, err, path)
	require.NoError(t, os.WriteFile(path, []byte("no sound at all, but text"), 0o600))
	_, err = Length(t.Context(), path, Options{})
	faulttest.Require(t, fault.BadData, err, path)
}
