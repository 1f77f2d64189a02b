package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
)

// element is an element of a MATLAB file (version 5).
func element(kind int, data []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(kind))
	b = append(binary.LittleEndian.AppendUint32(b, uint32(len(data))), data...)
	return append(b, make([]byte, (8-len(b)%8)%8)...)
}

// variable is a matrix of a class: 1 cells, 4 characters, 6 float64.
func variable(class int, name string, rows, columns int, content []byte) []byte {
	ints := func(x ...int) (b []byte) {
		for _, v := range x {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		return b
	}
	b := append(element(6, ints(class, 0)), element(5, ints(rows, columns))...)
	return element(14, append(append(b, element(1, []byte(name))...), content...))
}

// ofElectrode is the file of an electrode: responses (sounds, times), 1000·sound + time + offset, and their names.
func ofElectrode(names []string, offset int) []byte {
	var numbers, cells []byte
	for t := range times {
		for s := range names {
			numbers, _ = binary.Append(numbers, binary.LittleEndian, float64(1000*s+t+offset))
		}
	}
	for _, name := range names {
		var text []byte
		for _, c := range name {
			text = binary.LittleEndian.AppendUint16(text, uint16(c))
		}
		cells = append(cells, variable(4, "", 1, len(name), element(4, text))...)
	}
	head := append([]byte(strings.Repeat(" ", 124)), 0, 1, 'I', 'M')
	head = append(head, variable(6, "R", len(names), times, element(9, numbers))...)
	return append(head, variable(1, "stim_names", len(names), 1, cells)...)
}

// Electrodes are put in the order of the table of sounds, whatever that of their files is.
func TestBuildOfElectrodes(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{
		"from/sounds/category_labels.csv": []byte("bark,AniVoc\nrain,Nature\n"),
		"folds.tsv":                       []byte("sound\tfold\nbark\t0\nrain\t1\n"),
	}
	k := 0
	for _, e := range electrodes {
		for i := range e.count {
			files[fmt.Sprintf("ecog/data/individual-electrodes/%s-elec%d-response.mat", e.group, i+1)] =
				ofElectrode([]string{"rain", "bark"}, 100_000*k)
			k++
		}
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
	wav := filepath.Join(dir, "from", "stimuli", "wav")
	require.NoError(t, os.MkdirAll(wav, 0o755))
	for i, name := range []string{"bark", "rain"} {
		sound := make([]float32, 4800)
		for k := range sound {
			sound[k] = .1 * float32((k*(i+3))%7)
		}
		require.NoError(t, audio.WriteWAV(filepath.Join(wav, name+".wav"), sound, dataset.SampleRate, audio.PCM16))
	}
	out := filepath.Join(dir, "out")
	args := []string{"-from", filepath.Join(dir, "from"), "-ecog", filepath.Join(dir, "ecog"), "-out", out, "-folds",
		filepath.Join(dir, "folds.tsv")}
	var printed strings.Builder
	require.NoError(t, run(t.Context(), args, &printed))
	assert.Contains(t, printed.String(), "2 sounds, 33 electrodes")
	d, err := dataset.Open(out)
	require.NoError(t, err)
	assert.Equal(t, 75, d.ClipRows())
	assert.Equal(t, "song-elec1", d.Channels()[11])
	m, err := d.ReadResponses(t.Context(), "electrodes", dataset.EventStory)
	require.NoError(t, err)
	assert.InDelta(t, 1005.5, m.Row(0, 1)[0], 1e-3, "bark is the second sound of the file: times 4 to 7")
	assert.InDelta(t, 2_000_001.5, m.Row(0, 75)[20], .5, "rain, the third speech electrode")
	mel, err := d.Features(t.Context(), "mel", dataset.EventStory)
	require.NoError(t, err)
	assert.Equal(t, []int{150, melBands}, []int{mel.Rows, mel.Voxels})
	assert.NotZero(t, mel.Row(0, 6)[3])
	assert.Zero(t, mel.Row(0, 7)[3], "after the end of the sound")

	path := filepath.Join(dir, "ecog", "data", "individual-electrodes", "song-elec2-response.mat")
	require.NoError(t, os.WriteFile(path, ofElectrode([]string{"rain", "dog"}, 0), 0o600))
	err = run(t.Context(), args, &printed)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.ErrorContains(t, err, "also of bark")
}
