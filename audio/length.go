package audio

import (
	"context"
	"io"

	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// Length returns the length of a recording in seconds. It comes from the headers: of WAV and FLAC those at
// the start, of MP3 those of all frames. Samples are decoded, and none is held, only of FLAC that states no
// length, or whose end may be missing (Options.AllowTruncated). Errors are those of [Load], as far as
// headers show them.
func Length(ctx context.Context, path string, opt Options) (seconds float64, err error) {
	file, size, err := inputfile.Open(reading, path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	in := &input{ReaderAt: file}
	defer in.locate(path, &err)
	src, err := open(in, size, opt)
	if err != nil {
		return 0, err
	}
	info, frames := src.layout()
	if frames >= 0 && !(opt.AllowTruncated && info.Format == "flac") {
		return float64(frames) / float64(info.SourceRate), nil
	}
	frames = 0
	for block := make([]float32, max(blockSamples/info.Channels, 1)*info.Channels); ; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, err := src.read(block)
		frames += int64(n)
		if err == io.EOF {
			return float64(frames) / float64(info.SourceRate), nil
		}
		if err != nil {
			return 0, err
		}
	}
}
