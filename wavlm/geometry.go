package wavlm

import (
	"fmt"

	"github.com/brainwavlm/bwlm/speech"
)

var _ speech.Geometry = geometry{}

// geometry is what follows from a configuration alone.
type geometry struct{ Config }

// Geometry returns what follows from a configuration without weights: sizes, frames and memory.
func (c Config) Geometry() speech.Geometry { return geometry{c} }

// Architecture returns the encoder's sizes.
func (c geometry) Architecture() speech.Architecture {
	a := speech.Architecture{
		Family: string(c.Family), Layers: c.Layers, Width: c.Hidden, MinSamples: c.MinSamples(), Hop: 1,
	}
	for _, stride := range c.ConvStride {
		a.Hop *= stride
	}
	a.Field = a.MinSamples // no convolution of the front end pads, so one field is one frame
	return a
}

// Frames returns the number of frames that a waveform gives (T), 0 if it is too short for one.
func (c Config) Frames(samples int) int {
	for i, k := range c.ConvKernel {
		if samples < k {
			return 0
		}
		samples = (samples-k)/c.ConvStride[i] + 1
	}
	return samples
}

// MinSamples returns the length of the shortest waveform that gives a frame: 400 in all published
// models.
func (c Config) MinSamples() int {
	n := 1
	for i := len(c.ConvKernel) - 1; i >= 0 && n <= maxFrame; i-- {
		n = (n-1)*c.ConvStride[i] + c.ConvKernel[i]
	}
	return n
}

// FrameShape returns the shape of one clip's frames at a depth.
func (c geometry) FrameShape(depth, samples int) (frames, channels int) {
	if depth == 0 {
		return c.Frames(samples), c.convOut()
	}
	return c.Frames(samples), c.Hidden
}

// FrontEndBytes estimates the memory of the front end: three results of its first layer, which
// gives a frame for every few samples.
func (c geometry) FrontEndBytes(clips, samples int) int64 {
	return 3 * 4 * int64(clips) * int64(c.ConvWidth[0]) * int64(samples/c.ConvStride[0])
}

// GraphBytes estimates the activations that the backward pass of one clip needs: per layer and
// frame about 14 vectors of the hidden width and 2 of the feed-forward width.
func (c geometry) GraphBytes(samples, layer int) int64 {
	return int64(c.Frames(samples)) * 4 * int64(max(layer, 1)*(14*c.Hidden+2*c.Inner)+4*c.convOut())
}

// ForwardBytes estimates the memory of one clip without gradients: the hidden states up to the
// layer, and the vectors of the layer at work.
func (c geometry) ForwardBytes(samples, layer int) int64 {
	return int64(c.Frames(samples)) * 4 * int64((layer+10)*c.Hidden+2*c.Inner+c.convOut())
}

// PairBytes estimates the memory of WavLM's position bias: three tables of a number for each head
// and pair of frames (measured with Base: 5.2 GB for 120 s, 14.3 GB for 200 s).
func (c geometry) PairBytes(samples int) int64 {
	if c.Family != WavLM {
		return 0
	}
	frames := int64(c.Frames(samples))
	return 3 * 4 * int64(c.Heads) * frames * frames
}

// Fingerprint returns all fields of the configuration as text.
func (c geometry) Fingerprint() string {
	config := c.Config
	config.raw = nil
	return fmt.Sprintf("%+v", config)
}

// convOut returns the width of the front end's output (C).
func (c Config) convOut() int { return c.ConvWidth[len(c.ConvWidth)-1] }

// headWidth returns E/H.
func (c Config) headWidth() int { return c.Hidden / c.Heads }
