package audio

import (
	"context"
	"io"

	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// A Clip is audio held in memory.
type Clip struct {
	Samples []float32 // (T), one channel, full scale 1
	Rate    int       // Hz, always 16000
	Info    Info
}

// Seconds is the clip's length in seconds.
func (c *Clip) Seconds() float64 { return float64(len(c.Samples)) / float64(c.Rate) }

// Info describes the audio as it was stored.
type Info struct {
	Format     string   // "wav", "flac" or "mp3"
	SourceRate int      // Hz
	Channels   int      // as stored
	Bits       int      // per sample; 0 for MP3, which has none
	Notes      []string // what affects the interpretation of results: resampled, clipped, silent, …
}

// Load reads a whole file. Apart from the decoder's few blocks it holds only the result: 4 bytes
// per sample, 230 MB for an hour. Its error is that of ctx, or a *fault.Error: Missing if path
// cannot be opened, BadData if it is not audio of a known kind, is damaged, too long or shorter
// than 25 ms, and IO if reading fails.
func Load(ctx context.Context, path string, opt Options) (*Clip, error) {
	file, size, err := inputfile.Open(reading, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Decode(ctx, path, file, size, opt)
}

// Decode is [Load] for size bytes of src, such as an embedded file or the body of a request. Errors
// call it name.
func Decode(ctx context.Context, name string, src io.ReaderAt, size int64, opt Options) (*Clip, error) {
	r, err := newReader(name, src, size, opt)
	if err != nil {
		return nil, err
	}
	return r.clip(ctx)
}

// clip reads the rest of the recording.
func (r *reader) clip(ctx context.Context) (*Clip, error) {
	// A declared length is trusted up to 16 samples per byte of the file, more than any speech
	// codec reaches. Silence may compress further; then the slice grows.
	expect := min(r.declared, 16*r.size)
	samples := make([]float32, 0, max(expect, 0))
	var beyond [512]float32 // for reading at the end, so that a full slice need not grow
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		room := samples[len(samples):min(cap(samples), len(samples)+blockSamples)]
		if len(room) == 0 {
			room = beyond[:]
		}
		n, err := r.read(room)
		samples = append(samples, room[:n]...) // in place, unless samples is full
		if err == io.EOF {
			return &Clip{Samples: samples, Rate: Rate, Info: r.info}, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
