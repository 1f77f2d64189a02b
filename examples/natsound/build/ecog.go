package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/acoustic"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/mat"
	"github.com/brainwavlm/bwlm/npy"
)

// Times of the electrodes of the authors: every 10 ms from the beginning of a sound.
const (
	step  = .01
	times = 300
)

// melBands is the number of bands of the features mel.
const melBands = 40

// electrodes are of these groups, by what they are selective for, and numbered from 1 in each.
var electrodes = []struct {
	group string
	count int
}{{"music", 11}, {"song", 7}, {"speech", 15}}

// describeECoG writes the responses of the electrodes, (sounds, times, electrodes), and log mel bands of the sounds,
// (sounds, times, bands), and returns the description of a data set of the design series.
func describeECoG(ctx context.Context, from, sounds, out string, names []string) (string, error) {
	var channels, rois []string
	for _, e := range electrodes {
		var columns []string
		for i := range e.count {
			columns = append(columns, fmt.Sprint(len(channels)))
			channels = append(channels, fmt.Sprintf("%s-elec%d", e.group, i+1))
		}
		rois = append(rois, fmt.Sprintf("%s: [%s]", e.group, strings.Join(columns, ", ")))
	}
	x := make([]float32, len(names)*times*len(channels))
	for c, name := range channels {
		path := filepath.Join(from, "data", "individual-electrodes", name+"-response.mat")
		r, order, err := electrode(ctx, path)
		if err != nil {
			return "", err
		}
		for s, sound := range names {
			at := slices.Index(order, sound)
			if at < 0 || len(r) != times*len(order) {
				return "", fault.New(fault.BadData, op, path,
					"%d numbers of %d sounds, want %d each, also of %s", len(r), len(order), times, sound)
			}
			for t, v := range r[at*times:][:times] {
				x[(s*times+t)*len(channels)+c] = v
			}
		}
	}
	if err := npy.Write(filepath.Join(out, "electrodes.npy"), []int{len(names), times, len(channels)}, x); err != nil {
		return "", err
	}
	mel, err := melOf(ctx, sounds, names)
	if err != nil {
		return "", err
	}
	shape := []int{len(names), len(mel) / len(names) / melBands, melBands}
	if err := npy.Write(filepath.Join(out, "mel.npy"), shape, mel); err != nil {
		return "", err
	}
	return fmt.Sprintf(`name: natsound-ecog
licence: none stated
citation: Norman-Haignere et al. 2022, Current Biology 32
design: series
step_ms: %g
bin_ms: 40
clip_seconds: %g
channels: [%s]
events: {table: [sounds.tsv, folds.tsv], audio: %q}
subjects: {electrodes: electrodes.npy}
features: {mel: mel.npy}
rois: {%s}
`, 1000*step, step*times, strings.Join(channels, ", "), filepath.Join(sounds, "{clip}.wav"),
		strings.Join(rois, ", ")), nil
}

// electrode reads the responses (sounds, times) of one electrode, and the names of the sounds in their order.
func electrode(ctx context.Context, path string) (x []float32, sounds []string, err error) {
	file, err := mat.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	if sounds, err = file.Text("stim_names"); err != nil {
		return nil, nil, err
	}
	for i, name := range sounds {
		sounds[i] = strings.TrimSuffix(strings.TrimSpace(name), ".wav")
	}
	r, err := rowsource.OpenArray(path, "R")
	if err != nil {
		return nil, nil, err
	}
	_, rows, columns := r.Shape()
	x = make([]float32, rows*columns)
	return x, sounds, r.ReadRows(ctx, 0, 0, rows, x)
}

// melOf returns the log power of each sound in mel bands every 10 ms, from the 25 ms that end with them, (sounds,
// times, bands).
func melOf(ctx context.Context, folder string, names []string) (out []float32, err error) {
	const ahead = 400 - acoustic.Rate*step // silence, so that the first 10 ms have a frame
	least := 0
	var all [][]float64
	for _, name := range names {
		clip, err := audio.Load(ctx, filepath.Join(folder, name+".wav"), audio.Options{})
		if err != nil {
			return nil, err
		}
		wave := append(make([]float32, int(ahead)), clip.Samples...)
		even := acoustic.Bands(wave, melBands) // every 20 ms
		odd := acoustic.Bands(wave[acoustic.Hop/2:], melBands)
		var bands []float64
		for i := 0; i < len(odd); i += melBands {
			bands = append(append(bands, even[i:i+melBands]...), odd[i:i+melBands]...)
		}
		if all = append(all, bands); least == 0 || len(bands) < least {
			least = len(bands)
		}
	}
	for _, bands := range all {
		for _, v := range bands[:least] {
			out = append(out, float32(v))
		}
	}
	return out, nil
}

// namesIn returns the sounds of the table that sounds makes.
func namesIn(table string) (names []string) {
	for line := range strings.Lines(table) {
		name, _, _ := strings.Cut(line, "\t")
		names = append(names, name)
	}
	return slices.Delete(names, 0, 1)
}

// writeAll writes the files of a data set.
func writeAll(out string, files map[string]string) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o600); err != nil {
			return fault.Wrap(fault.IO, op, out, err)
		}
	}
	return nil
}
