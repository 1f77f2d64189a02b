package windows

import (
	"math"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/speech"
)

// Clip is a stretch of audio that goes through the model as one input, and the windows that are read from it. With
// extraction: windows each window is a clip; with extraction: chunks a clip is a chunk; with clip it is a clip of the
// data set.
type Clip struct {
	Start, End int         // samples, half-open
	Windows    design.Rows // windows that are read from it; each is read from one clip
}

func (c Clip) Samples() int { return c.End - c.Start }

// ownClips returns one clip per window.
func ownClips(windows []design.Window) []Clip {
	out := make([]Clip, len(windows))
	for i, w := range windows {
		out[i] = Clip{w.Start, w.End, design.Rows{From: i, To: i + 1}}
	}
	return out
}

// ChunkClips cuts chunks of a length in samples that overlap by one window. A window is read from the first chunk that
// contains it whole, so that its past is in the chunk. The last chunk ends with the audio.
func ChunkClips(windows []design.Window, samples, length, window int) (out []Clip) {
	for i, k := 0, 0; i < len(windows); k++ {
		c := Clip{Start: k * (length - window), Windows: design.Rows{From: i, To: i}}
		for c.End = min(c.Start+length, samples); i < len(windows) && windows[i].End <= c.End; i++ {
			c.Windows.To++
		}
		out = append(out, c)
	}
	return out
}

// wholeClips returns one clip for each stretch of some seconds in which windows end: all of their audio, as long as
// lengths say in samples.
func wholeClips(windows []design.Window, seconds float64, lengths []int) (out []Clip) {
	for i, w := range windows {
		k := math.Floor(w.Time/seconds - 1e-6)
		if last := len(out) - 1; last >= 0 && out[last].Start == SamplesOf(k*seconds) {
			out[last].Windows.To = i + 1
			continue
		}
		start := SamplesOf(k * seconds)
		out = append(out, Clip{start, start + lengths[int(k)], design.Rows{From: i, To: i + 1}})
	}
	return out
}

// Shares reports whether several windows are read from one clip.
func Shares(m experiment.Model) bool {
	return m.Extraction == experiment.ExtractChunks || m.Extraction == experiment.ExtractClip
}

// ClipLength returns the length of a clip in seconds.
func ClipLength(m experiment.Model) float64 {
	if Shares(m) {
		return m.ChunkSeconds
	}
	return m.WindowSeconds
}

// SamplesOf returns seconds as a number of samples.
func SamplesOf(seconds float64) int { return int(math.Round(seconds * speech.SampleRate)) }

// FramesIn returns the frames of a clip whose receptive fields do not begin before a window, unless the clip does not
// either. There is at least one, the last of which ends with the window.
func (c Clip) FramesIn(w design.Window, g speech.Geometry) design.Rows {
	arch := g.Architecture()
	to := g.Frames(w.End - c.Start)
	if w.Start == c.Start {
		return design.Rows{To: to}
	}
	return design.Rows{From: min((w.Start-c.Start-arch.Offset+arch.Hop-1)/arch.Hop, to-1), To: to}
}

// framesOf returns the frames of a clip behind the vector of a window: those of [Clip.FramesIn] or, where windows are
// bins of a pass over the clip, those whose middles are in it, so that each frame is in one bin; the nearest one where
// there is none.
func (st *Stimulus) framesOf(c Clip, w design.Window, g speech.Geometry) design.Rows {
	if st.passes == nil {
		return c.FramesIn(w, g)
	}
	at := Span{float64(w.Start-c.Start) / speech.SampleRate, float64(w.End-c.Start) / speech.SampleRate}
	return FramesOf([]Span{at}, g.Architecture(), g.Frames(c.Samples()))[0]
}

// Activations of frozen layers are computed in fixed groups of clips. Their last bits depend on the
// group, and so neither on the clips of a step nor on the cache. These bound a group.
const (
	groupClips   = 8
	groupSeconds = 32
)

// Groups divides clips into groups of consecutive clips of one length.
func Groups(clips []Clip) (out []design.Rows) {
	for i := 0; i < len(clips); {
		size := min(max(groupSeconds*speech.SampleRate/clips[i].Samples(), 1), groupClips)
		j := i + 1
		for j < len(clips) && j-i < size && clips[j].Samples() == clips[i].Samples() {
			j++
		}
		out = append(out, design.Rows{From: i, To: j})
		i = j
	}
	return out
}

// Unit is clips of one length that go through the model together, and those of their windows that
// are read. Units follow from the experiment alone, so that results do not depend on memory or the number of processes.
type Unit struct {
	Clips, Windows design.Rows
}

// UnitClips returns the number of clips in a unit of n windows: n where each window is a clip; with chunks, as many as
// last as long as n windows.
func UnitClips(m experiment.Model, n int) int {
	return max(1, n*SamplesOf(m.WindowSeconds)/SamplesOf(ClipLength(m)))
}

// Units returns the clips of the windows from ≤ i < to in units of at most n clips of equal length.
// The shorter clips at the start or end of a story are units of their own and are not padded.
func (st *Stimulus) Units(from, to, n int) (out []Unit) {
	for i := 0; i < len(st.Clips) && st.Clips[i].Windows.From < to; {
		if st.Clips[i].Windows.To <= from {
			i++
			continue
		}
		j := i + 1
		for j < len(st.Clips) && st.Clips[j].Windows.From < to && j-i < n &&
			st.Clips[j].Samples() == st.Clips[i].Samples() {
			j++
		}
		windows := design.Rows{From: max(from, st.Clips[i].Windows.From), To: min(to, st.Clips[j-1].Windows.To)}
		out = append(out, Unit{design.Rows{From: i, To: j}, windows})
		i = j
	}
	return out
}

// All returns a group with all of its windows.
func (st *Stimulus) All(group design.Rows) Unit {
	return Unit{group, design.Rows{From: st.Clips[group.From].Windows.From, To: st.Clips[group.To-1].Windows.To}}
}
