package audio_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/audio"
)

// hum writes two seconds of a tone, recorded at 44.1 kHz, and gives the file's name.
func hum(dir string) string {
	x := make([]float32, 2*44100)
	for i := range x {
		x[i] = float32(0.3 * math.Sin(2*math.Pi*220*float64(i)/44100))
	}
	path := filepath.Join(dir, "hum.wav")
	if err := audio.WriteWAV(path, x, 44100, audio.PCM16); err != nil {
		log.Fatal(err)
	}
	return path
}

func ExampleLoad() {
	dir, err := os.MkdirTemp("", "audio")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	clip, err := audio.Load(context.Background(), hum(dir), audio.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(clip.Samples), "samples,", clip.Rate, "Hz,", clip.Seconds(), "s")
	fmt.Println(clip.Info.Format, clip.Info.Channels, clip.Info.Bits, clip.Info.Notes)
	// Output:
	// 32000 samples, 16000 Hz, 2 s
	// wav 1 16 [resampled from 44100 Hz]
}
