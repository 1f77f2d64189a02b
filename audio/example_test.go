package audio_test

import (
	"context"
	"fmt"
	"io"
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

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "audio")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	r, err := audio.Open(hum(dir), audio.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	block := make([]float32, audio.Rate/2)
	peak, total := float32(0), 0
	for {
		n, err := r.Read(block)
		for _, x := range block[:n] {
			peak = max(peak, x)
		}
		total += n
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%d samples, highest %.2f\n", total, peak)
	// Output: 32000 samples, highest 0.30
}

func ExampleResample() {
	click := make([]float32, 48)
	click[24] = 1 // half a millisecond at 48 kHz
	y, err := audio.Resample(click, 48000, 16000, audio.Sinc)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d samples, sample 8 is %.2f, sample 9 is %.2f\n", len(y), y[8], y[9])
	// Output: 16 samples, sample 8 is 0.32, sample 9 is 0.02
}
