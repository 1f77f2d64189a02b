package whisper

import (
	"fmt"

	"github.com/brainwavlm/bwlm/speech"
)

var _ speech.Geometry = geometry{}

// geometry is what follows from a configuration and the context alone.
type geometry struct {
	config
	context speech.Context
}

const (
	hop        = 2 * melHop             // samples from one frame of a hidden state to the next
	side       = 2*melHop + fftSize/2   // samples on either side of a frame's middle that it is computed from
	minSamples = 400                    // of the shortest clip: those of one spectrum
	full       = 30 * speech.SampleRate // samples that clips are padded to
)

// Architecture returns the encoder's sizes.
func (g geometry) Architecture() speech.Architecture {
	return speech.Architecture{Family: Family, Layers: g.layers, Width: g.hidden, MinSamples: minSamples, Hop: hop,
		Field: 2 * side, Offset: -side}
}

// Frames returns the number of frames of a recording, 0 if it is too short for one.
func (g geometry) Frames(samples int) int {
	if samples < minSamples {
		return 0
	}
	return samples / hop
}

// padded returns the samples of a clip that the model reads.
func (g geometry) padded(samples int) int {
	if g.context == speech.ContextWindow {
		return samples
	}
	return max(samples, full)
}

// FrameShape returns the shape of one clip's frames at a depth, padding included.
func (g geometry) FrameShape(depth, samples int) (frames, channels int) {
	if depth == 0 {
		return g.padded(samples) / hop * 2, g.mels
	}
	return g.padded(samples) / hop, g.hidden
}

// FrontEndBytes estimates the memory of the spectrograms and the waveforms.
func (g geometry) FrontEndBytes(clips, samples int) int64 {
	n := int64(g.padded(samples))
	return int64(clips) * 4 * (2*n + 2*n/melHop*int64(g.mels))
}

// GraphBytes estimates the activations that the backward pass of one clip needs: per layer and frame about 14 vectors
// of the hidden width and 2 of the feed-forward width, and those of the convolutions.
func (g geometry) GraphBytes(samples, layer int) int64 {
	return int64(g.padded(samples)/hop) * 4 * int64(max(layer, 1)*(14*g.hidden+2*g.inner)+8*g.hidden)
}

// ForwardBytes estimates the memory of one clip without gradients.
func (g geometry) ForwardBytes(samples, layer int) int64 {
	return int64(g.padded(samples)/hop) * 4 * int64((layer+12)*g.hidden+2*g.inner+2*g.mels)
}

// PairBytes is 0: no table has a number for each pair of frames.
func (g geometry) PairBytes(int) int64 { return 0 }

// Fingerprint returns all fields of the configuration, and the context, as text.
func (g geometry) Fingerprint() string {
	g.raw = nil
	return fmt.Sprintf("%s %+v", Family, g)
}
