package study

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/datacheck"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// waveBytes bounds the waveforms in memory, but for one: 70 minutes.
const waveBytes = 256 << 20

// waves are the waveforms of stories that were decoded last, at the model's rate; shared with variants.
type waves struct {
	lock    sync.Mutex
	held    map[string][]float32
	last    []string       // the stories in held, the one that was read last at the end
	lengths map[string]int // samples of stories, by their headers
}

func newWaves() *waves { return &waves{held: map[string][]float32{}, lengths: map[string]int{}} }

// get returns the waveform of a story, or nil.
func (w *waves) get(story string) []float32 {
	w.lock.Lock()
	defer w.lock.Unlock()
	wave := w.held[story]
	if wave != nil {
		w.last = append(slices.DeleteFunc(w.last, func(s string) bool { return s == story }), story)
	}
	return wave
}

// put holds a waveform, and lets go of those that were read longest ago.
func (w *waves) put(story string, wave []float32) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.held[story], w.last = wave, append(w.last, story)
	bytes := 0
	for _, held := range w.held {
		bytes += 4 * len(held)
	}
	for bytes > waveBytes && len(w.last) > 1 {
		bytes -= 4 * len(w.held[w.last[0]])
		delete(w.held, w.last[0])
		w.last = w.last[1:]
	}
}

// samplesOf returns the number of samples of a story at the model's rate, as a rule by the headers of its recording.
func (st *Study) samplesOf(ctx context.Context, story string) (int, error) {
	if n, ok := st.waves.lengths[story]; ok {
		return n, nil
	}
	if st.Data.IsEvents() { // one story, whose clips are known once it was read
		wave, err := st.Wave(ctx, story)
		return len(wave), err
	}
	s, err := st.Data.Story(story)
	if err != nil {
		return 0, err
	}
	seconds, err := datacheck.Seconds(ctx, st.Data, s)
	if err != nil {
		return 0, err
	}
	n := int(math.Ceil(seconds*speech.SampleRate - 1e-4)) // seconds are those of samples at another rate, and rounded
	st.waves.lengths[story] = n
	return n, nil
}

// Wave returns the audio of a story as the model gets it: 16 kHz, normalised. It is decoded, unless it was read lately.
func (st *Study) Wave(ctx context.Context, story string) ([]float32, error) {
	if wave := st.waves.get(story); wave != nil {
		return wave, nil
	}
	defer torch.Part(ctx, phases.PartData)()
	wave, err := st.Data.Audio(ctx, story)
	if err != nil {
		return nil, err
	}
	st.noteRemarks(story)
	heard := st.heard
	if st.Data.IsEvents() {
		heard = st.heardClips
	}
	if err := heard(ctx, story, wave); err != nil {
		return nil, err
	}
	if st.normalise == experiment.NormaliseStory {
		wave = speech.Normalise(wave)
	}
	st.waves.put(story, wave)
	return wave, nil
}

// holdsAll reports whether the waveforms of all stories fit in memory.
func (st *Study) holdsAll() bool {
	bytes := 0
	for _, stim := range st.Stimuli {
		bytes += 4 * stim.Samples.Len()
	}
	return bytes <= waveBytes
}

// noteRemarks notes what is to be said of a recording that was read.
func (st *Study) noteRemarks(story string) {
	if s, err := st.Data.Story(story); err == nil && s.Remarks != nil {
		for _, note := range s.Remarks() {
			st.Note("recording of %s: %s", story, note)
		}
	}
}

// recording is the waveform of a story, which is decoded when it is read.
type recording struct {
	st      *Study
	story   string
	samples int
}

// Len returns the number of samples.
func (r recording) Len() int { return r.samples }

// Read returns samples of the decoded story.
func (r recording) Read(ctx context.Context, from, to int) ([]float32, error) {
	wave, err := r.st.Wave(ctx, r.story)
	if err != nil {
		return nil, err
	}
	if len(wave) != r.samples {
		return nil, fault.New(fault.BadData, "read audio", r.story,
			"%d samples at %d Hz were decoded, its headers say %d", len(wave), speech.SampleRate, r.samples).
			WithHint("convert it to WAV")
	}
	return wave[from:to], nil
}
