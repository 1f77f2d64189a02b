package sim

import (
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
)

// EventOptions configures a simulated study of clips. A 0 means the default in the comment of the field.
type EventOptions struct {
	Seed uint64
	Null bool // responses are noise

	TuneClips int     // 144; spoken by the voices of tuning stories, the last sixth of them for validation
	TestClips int     // 48; spoken by other voices
	Channels  int     // 60; a third auditory, a fifth noise, the rest semantic
	Repeats   int     // 3
	SNR       float64 // 1; variance of the signal over that of the noise of one repeat
}

// EventStudy is a simulated study of clips with one response each.
type EventStudy struct {
	Options EventOptions
	Dataset *dataset.Dataset
	Spec    dataset.Spec // of which it was made

	// Signal is the noiseless part of the responses, (clips, channels), of SD 1 over the clips.
	Signal []float32
	ROI    []string // of each channel
}

// clipWords is the number of words of a clip.
const clipWords = 2

// NewEvents simulates a study of clips: two words of one category, by one voice. Labels are split (train, val or test),
// category (one of four: the signs of the first two planted components of its words), group (the sign of the first)
// and voice. An auditory channel answers to the mean spectrum of the clip, a semantic one to the mean of the planted
// components of its words. The same options give the same study.
func NewEvents(opt EventOptions) (*EventStudy, error) {
	for _, d := range []struct{ field, value *int }{
		{&opt.TuneClips, new(144)}, {&opt.TestClips, new(48)}, {&opt.Channels, new(60)}, {&opt.Repeats, new(3)},
	} {
		if *d.field == 0 {
			*d.field = *d.value
		}
	}
	if opt.SNR == 0 {
		opt.SNR = 1
	}
	lex, err := LoadLexicon()
	if err != nil {
		return nil, err
	}
	s := &EventStudy{Options: opt}
	s.Spec = dataset.Spec{Name: "simulated clips", Licence: "Apache-2.0; word components from GloVe 6B, PDDL 1.0",
		Citation: "simulated by bwlm: not a measurement", Design: dataset.DesignEvent}
	var spectra, planted [][]float64
	for k := range opt.TuneClips + opt.TestClips {
		split, role := "train", roleTune
		switch {
		case k >= opt.TuneClips:
			split, role = "test", roleTest
		case k >= opt.TuneClips*5/6:
			split = "val"
		}
		e, sound, components := clip(lex, k, role, opt.Seed)
		e.Labels["split"] = split
		s.Spec.Events = append(s.Spec.Events, e)
		s.Spec.TR = max(s.Spec.TR, math.Ceil(10*float64(len(sound))/audio.Rate)/10)
		mean, _ := moments(spectrum(sound))
		spectra, planted = append(spectra, mean), append(planted, components)
	}
	s.respond(spectra, planted)
	s.Dataset, err = dataset.New(s.Spec)
	return s, err
}

// clip makes the k-th clip, with the mean of the planted components of its words.
func clip(lex *Lexicon, k int, role role, seed uint64) (e dataset.Event, sound []float32, planted []float64) {
	draw := random(seed, fmt.Sprint("clip ", k))
	voices := lex.voicesOf(role)
	voice, category := voices[draw.IntN(len(voices))], k%4
	var words []int
	for w, c := range lex.Planted {
		if (c[0] > 0) == (category&1 > 0) && (c[1] > 0) == (category&2 > 0) {
			words = append(words, w)
		}
	}
	planted = make([]float64, lexicalNumbers)
	for range clipWords {
		w, gain := words[draw.IntN(len(words))], float32(uniform(draw, minGain, maxGain))
		for _, x := range voice.Sound[w] {
			sound = append(sound, storyPeak*gain*x)
		}
		sound = append(sound, make([]float32, int(uniform(draw, minPause, maxPause)*audio.Rate))...)
		for j, c := range lex.Planted[w] {
			planted[j] += c / clipWords
		}
	}
	for i := range sound {
		sound[i] += float32(noiseFloor * draw.NormFloat64())
	}
	e = dataset.Event{Name: fmt.Sprintf("clip-%03d", k), Audio: dataset.Value(sound), Labels: map[string]string{
		"category": fmt.Sprint("c", category), "group": fmt.Sprint("g", category&1), "voice": voice.Name}}
	return e, sound, planted
}

// respond plants the responses of one subject.
func (s *EventStudy) respond(spectra, planted [][]float64) {
	opt := s.Options
	mean, sd := moments(spectra)
	for _, row := range spectra {
		for j := range row {
			row[j] = (row[j] - mean[j]) / sd[j]
		}
	}
	draw := random(opt.Seed, "channels")
	clips := len(spectra)
	s.Signal = make([]float32, clips*opt.Channels)
	columns := map[string][]int{}
	for v := range opt.Channels {
		roi, x := Semantic, planted
		switch {
		case v < opt.Channels/3:
			roi, x = Auditory, spectra
		case v >= opt.Channels-opt.Channels/5:
			roi, x = Noise, nil
		}
		s.ROI, columns[roi] = append(s.ROI, roi), append(columns[roi], v)
		if x == nil || opt.Null {
			continue
		}
		signal := make([][]float64, clips) // (clips, 1)
		weights := make([]float64, len(x[0]))
		for j := range weights {
			weights[j] = draw.NormFloat64()
		}
		for k, row := range x {
			signal[k] = []float64{0}
			for j, w := range weights {
				signal[k][0] += w * row[j]
			}
		}
		mean, sd := moments(signal)
		for k := range signal {
			s.Signal[k*opt.Channels+v] = float32((signal[k][0] - mean[0]) / sd[0])
		}
	}
	m := &dataset.Matrix{Repeats: opt.Repeats, Rows: clips, Voxels: opt.Channels}
	for range opt.Repeats {
		for _, x := range s.Signal {
			m.Data = append(m.Data, float32(math.Sqrt(opt.SNR))*x+float32(draw.NormFloat64()))
		}
	}
	s.Spec.Subjects = []dataset.Subject{{Name: Listener, Responses: []dataset.Response{{Matrix: dataset.Value(m)}}}}
	for _, roi := range []string{Auditory, Semantic, Noise} {
		s.Spec.ROIs = append(s.Spec.ROIs, dataset.ROI{Name: roi,
			Region: dataset.Value(dataset.Region{Columns: columns[roi]})})
	}
}
