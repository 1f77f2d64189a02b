package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/npy"
)

// TestClipScripts are the scripts about data sets of clips: the tiny model, data/sounds with 24 recordings of noise,
// data/group.txt with their responses, data/courses.npy with time courses, and two tables.
func TestClipScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes that train; make test runs it")
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/clips", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			if err := tinyModel(e.WorkDir); err != nil {
				return err
			}
			return tinyClips(e.WorkDir)
		}})
}

// tinyClips writes sounds, tables and responses of 24 clips: four folds, each with all of three categories.
func tinyClips(dir string) error {
	dir = filepath.Join(dir, "data")
	if err := os.MkdirAll(filepath.Join(dir, "sounds"), 0o755); err != nil {
		return err
	}
	sounds, folds := bytes.NewBufferString("sound\tcategory\n"), bytes.NewBufferString("sound\tfold\n")
	var responses, own bytes.Buffer
	var courses []float32 // (clips, times of 10 ms, channels)
	for k := range 24 {
		draw, name := rand.New(rand.NewPCG(uint64(k), 2)), fmt.Sprintf("clip-%02d", k)
		loud, sound := draw.Float64(), make([]float32, 6000)
		for i := range sound {
			sound[i] = float32(.3 * loud * draw.NormFloat64())
		}
		fmt.Fprintf(&own, "%g\n", loud)
		path := filepath.Join(dir, "sounds", name+".wav")
		if err := audio.WriteWAV(path, sound, audio.Rate, audio.Float32); err != nil {
			return err
		}
		fmt.Fprintf(sounds, "%s\tc%d\n", name, k%3)
		fmt.Fprintf(folds, "%s\t%d\n", name, k/6)
		for v := range 5 {
			fmt.Fprintf(&responses, "%g ", float64(v+1)*loud+.3*draw.NormFloat64())
		}
		responses.WriteByte('\n')
		for range 80 {
			courses = append(courses, float32(loud+.3*draw.NormFloat64()))
		}
	}
	if err := npy.Write(filepath.Join(dir, "courses.npy"), []int{24, 40, 2}, courses); err != nil {
		return err
	}
	for name, text := range map[string][]byte{"sounds.tsv": sounds.Bytes(), "folds.tsv": folds.Bytes(),
		"group.txt": responses.Bytes(), "loud.txt": own.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
