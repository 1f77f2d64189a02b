package audio

import (
	"context"
	"io"

	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// Stream reads a file in blocks: visit receives the samples that [Load] would return, one block after the other, in a
// slice that is used again. Memory does not grow with the recording. Errors are those of Load and of visit; samples
// before an error are not to be trusted.
func Stream(ctx context.Context, path string, opt Options, visit func(samples []float32) error) (Info, error) {
	file, size, err := inputfile.Open(reading, path)
	if err != nil {
		return Info{}, err
	}
	defer file.Close()
	r, err := newReader(path, file, size, opt)
	if err != nil {
		return Info{}, err
	}
	block := make([]float32, blockSamples)
	for {
		if err := ctx.Err(); err != nil {
			return Info{}, err
		}
		n, err := r.read(block)
		if n > 0 {
			if err := visit(block[:n]); err != nil {
				return Info{}, err
			}
		}
		if err == io.EOF {
			return r.info, nil
		}
		if err != nil {
			return Info{}, err
		}
	}
}
