package brain

import (
	"math"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/wavlm"
)

// clip is a stretch of a story's audio that goes through the model at once, and the windows that are read from it. In mode
// windows each window is a clip of its own.
type clip struct {
	start, end int         // samples, half-open
	windows    design.Rows // those that it owns; each window has one owner
}

func (c clip) samples() int { return c.end - c.start }

// ownClips makes each window a clip.
func ownClips(windows []design.Window) []clip {
	out := make([]clip, len(windows))
	for i, w := range windows {
		out[i] = clip{w.Start, w.End, design.Rows{From: i, To: i + 1}}
	}
	return out
}

// blockClips cuts clips of so many samples out of the audio, which overlap by a window. A window is owned by the first clip
// that holds it whole, so it always knows its own past. The last clip ends with the audio.
func blockClips(windows []design.Window, samples, length, window int) (out []clip) {
	for i, k := 0, 0; i < len(windows); k++ {
		c := clip{start: k * (length - window), windows: design.Rows{From: i, To: i}}
		for c.end = min(c.start+length, samples); i < len(windows) && windows[i].End <= c.end; i++ {
			c.windows.To++
		}
		out = append(out, c)
	}
	return out
}

// clipLength is the longest that goes through the model at once, in seconds.
func clipLength(m experiment.Model) float64 {
	if m.Extraction == experiment.ExtractChunks {
		return m.ChunkSeconds
	}
	return m.WindowSeconds
}

// samplesOf is the number of samples of so many seconds.
func samplesOf(seconds float64) int { return int(math.Round(seconds * dataset.SampleRate)) }

// framesIn are the frames of a clip that see nothing outside a window of it: at least one, the last of which ends with the
// window.
func (c clip) framesIn(w design.Window, cfg wavlm.Config) design.Rows {
	hop := 1
	for _, stride := range cfg.ConvStride {
		hop *= stride
	}
	to := cfg.Frames(w.End - c.start)
	return design.Rows{From: min((w.Start-c.start+hop-1)/hop, to-1), To: to}
}

// What is frozen is computed in fixed groups of clips, so that its last bits, which depend on what is computed together,
// do not depend on which clips a step wants, nor on what is in the cache: at most so many clips and seconds.
const (
	groupClips   = 8
	groupSeconds = 32
)

// groups cuts clips into groups: those of one length that follow each other, so many at a time.
func groups(clips []clip) (out []design.Rows) {
	for i := 0; i < len(clips); {
		size := min(max(groupSeconds*dataset.SampleRate/clips[i].samples(), 1), groupClips)
		j := i + 1
		for j < len(clips) && j-i < size && clips[j].samples() == clips[i].samples() {
			j++
		}
		out = append(out, design.Rows{From: i, To: j})
		i = j
	}
	return out
}

// run is clips of one length that go through the model together, and those of their windows that are wanted.
type run struct {
	clips, windows design.Rows
}

// runs finds the clips behind the windows from ≤ i < to, in batches of equal length: the shorter clips at a story's start
// or end run by themselves, unpadded.
func (st *stimulus) runs(from, to, batch int) (out []run) {
	for i := 0; i < len(st.clips) && st.clips[i].windows.From < to; {
		if st.clips[i].windows.To <= from {
			i++
			continue
		}
		j := i + 1
		for j < len(st.clips) && st.clips[j].windows.From < to && j-i < batch && st.clips[j].samples() == st.clips[i].samples() {
			j++
		}
		windows := design.Rows{From: max(from, st.clips[i].windows.From), To: min(to, st.clips[j-1].windows.To)}
		out = append(out, run{design.Rows{From: i, To: j}, windows})
		i = j
	}
	return out
}

// all is the run of a group with all of its windows.
func (st *stimulus) all(group design.Rows) run {
	return run{group, design.Rows{From: st.clips[group.From].windows.From, To: st.clips[group.To-1].windows.To}}
}
