package datacheck

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// headOfNPY is a .npy file of which the values are a hole: only its header can be read fast.
func headOfNPY(t *testing.T, path string, rows, voxels int) {
	t.Helper()
	head := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, voxels)
	head += string(bytes.Repeat([]byte(" "), 128-10-1-len(head))) + "\n"
	file := append([]byte("\x93NUMPY\x01\x00"), binary.LittleEndian.AppendUint16(nil, uint16(len(head)))...)
	require.NoError(t, os.WriteFile(path, append(file, head...), 0o600))
	require.NoError(t, os.Truncate(path, int64(128+4*rows*voxels)))
}

// onDisk writes a data set of stories a (72 s) and b (90 s) at TR 2, and opens it. Story is what follows the audio
// of a, and response what stands for the responses of s1 to a.
func onDisk(t *testing.T, rows int, story, response string) (*dataset.Dataset, string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, seconds := range map[string]int{"a": 72, "b": 90} {
		require.NoError(t, audio.WriteWAV(filepath.Join(dir, name+".wav"), make([]float32, seconds*8000), 8000,
			audio.PCM16))
	}
	headOfNPY(t, filepath.Join(dir, "s1a.npy"), rows, 500)
	headOfNPY(t, filepath.Join(dir, "s1b.npy"), 45, 500)
	text := fmt.Sprintf("tr_seconds: 2\nstories:\n  a: {audio: a.wav%s}\n  b: {audio: b.wav}\nsubjects:\n"+
		"  s1: {a: %s, b: s1b.npy}\n", story, response)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dataset.yaml"), []byte(text), 0o600))
	d, err := dataset.Open(dir)
	return d, dir, err
}

func TestRowsAreComparedWithRecordingsByHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		rows            int
		story, response string
		fails           string // part of the error
		note            string // part of the note
		first           float64
	}{
		"as many rows as TRs":       {rows: 36},
		"twice the rows":            {rows: 72, fails: "72 rows are 2 times as many as expected"},
		"ten rows more":             {rows: 46, note: "10 rows (20.0 s) too many"},
		"fifty rows":                {rows: 50, fails: "rows: {first: 0, last: 100}"},
		"fifty rows as is stated":   {rows: 50, story: ", rows: {last: 100}"},
		"fifty rows as the message": {rows: 50, story: ", rows: {first: 0, last: 100}"},
		"rows before the audio":     {rows: 60, story: ", rows: {first: -20, last: 100}", first: -20},
		"both ways to say it": {
			rows: 60, story: ", first_tr_seconds: -20, rows: {first: -20, last: 100}", first: -20},
		"the start once":        {rows: 60, story: ", first_tr_seconds: -20, rows: {last: 100}", first: -20},
		"a response of its own": {rows: 50, response: "{file: s1a.npy, rows: {last: 100}}"},
		"a response and its story": {
			rows: 50, story: ", rows: {last: 72}", response: "{file: s1a.npy, rows: {first: 0, last: 100}}"},
		"stated and not so": {
			rows: 36, story: ", rows: {last: 100}", fails: "from 0 to 100 s are 50 of 2 s: 14 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.response == "" {
				c.response = "s1a.npy"
			}
			d, dir, err := onDisk(t, c.rows, c.story, c.response)
			require.NoError(t, err)
			clock, err := d.Clock("a")
			require.NoError(t, err)
			assert.Equal(t, c.first, clock.First)
			shapes, err := CheckShapes(t.Context(), d, []string{"s1"}, []string{"a", "b"})
			require.NoError(t, err)
			if c.fails != "" {
				faulttest.Require(t, fault.BadData, shapes.Err(), filepath.Join(dir, "s1a.npy"), c.fails)
				shapes, err = CheckShapes(t.Context(), d, []string{"s1"}, []string{"b"})
				require.NoError(t, err)
				require.NoError(t, shapes.Err(), "a story that is not used is not checked")
				return
			}
			require.NoError(t, shapes.Err())
			if c.note == "" {
				assert.Empty(t, shapes.Notes)
				return
			}
			require.Len(t, shapes.Notes, 1)
			assert.Contains(t, shapes.Notes[0], c.note)
		})
	}
}

func TestARowsKeyThatCannotBeIsRefusedWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ story, response, fails string }{
		"no end": {story: ", rows: {first: 0}", fails: "3:27: stories/a/rows needs last"},
		"another start": {
			story: ", first_tr_seconds: 3, rows: {first: 0, last: 72}",
			fails: "the first row begins at 0 s, first_tr_seconds is 3"},
		"no room for a row": {story: ", rows: {last: 1}", fails: "from 0 to 1 s there is no row of 2 s"},
		"unknown key":       {story: ", rows: {last: 72, frist: 0}", fails: "did you mean first?"},
		"two starts of a response": {
			response: "{file: s1a.npy, first_tr_seconds: 4, rows: {first: 6, last: 78}}",
			fails:    "the first row begins at 6 s, first_tr_seconds is 4"},
		"no file": {response: "{rows: {last: 72}}", fails: "subjects/s1/a needs file"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.response == "" {
				c.response = "s1a.npy"
			}
			_, _, err := onDisk(t, 36, c.story, c.response)
			faulttest.Require(t, fault.BadData, err, "dataset.yaml:", c.fails)
		})
	}
}

func TestShapesInMemoryAreComparedWithLoadedAudio(t *testing.T) {
	d := mustNew(t, two(noise(60, 5), noise(45, 5)))
	shapes, err := CheckShapes(t.Context(), d, []string{"s1"}, d.Stories())
	require.NoError(t, err)
	faulttest.Require(t, fault.BadData, shapes.Err(), "check rows: subject s1, story a", "2 times as many")

	spec := d.Spec()
	for i, seconds := range []float64{120, 90} {
		spec.Stories[i].Seconds = func(context.Context) (float64, error) { return seconds, nil }
		spec.Stories[i].Audio = dataset.Input[[]float32]{}
	}
	shapes, err = CheckShapes(t.Context(), mustNew(t, spec), []string{"s1"}, d.Stories())
	require.NoError(t, err)
	require.NoError(t, shapes.Err(), "audio whose length is known is not loaded")

	_, err = CheckShapes(t.Context(), d, []string{"s9"}, d.Stories())
	faulttest.Require(t, fault.Usage, err, `"s9"`)
}
