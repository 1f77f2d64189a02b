package probe

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/brainwavlm/bwlm/internal/acoustic"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/probing"
)

// The targets of probes.
const (
	bands          = 16
	identityWords  = 20 // most frequent words at most
	identityLeast  = 3  // occurrences of a word per fold, on average
	phoneLeast     = 3  // frames of a phone per fold, on average
	rateWindow     = 2. // seconds in which words are counted
	blockSeconds   = 1. // of sound that is moved as a whole for random labels
	leastItems     = 40
	leastVectors   = 20 // words with a vector
	defaultFrames  = 2000
	matchedShare   = .95 // of the variance
	wordStretches  = 3
	stressOfVowels = "012"
)

// material holds the items of both sets and their properties, the targets of the probes.
type material struct {
	study   *study.Study
	stories []string
	spans   map[string][]windows.Span // audio of the items
	frames  []item
	frameAt []int // number of each frame in its story
	words   []item
	text    []string // of each word
	noWords string   // why there are none, if so
}

// collect chooses frames, evenly over the audio, and words.
func collect(ctx context.Context, st *study.Study, stories []string, spans map[string][]windows.Span,
	most int) (*material, error) {
	m := &material{study: st, stories: stories, spans: spans}
	total := 0
	for _, story := range stories {
		wave, err := st.Data.Audio(ctx, story)
		if err != nil {
			return nil, err
		}
		end := acoustic.Time(acoustic.Frames(len(wave)) - 1)
		if spans[story] == nil {
			spans[story] = []windows.Span{{From: 0, To: end}}
		}
		for i := range spans[story] {
			spans[story][i].To = min(spans[story][i].To, end)
			total += max(0, acoustic.Nearest(spans[story][i].To)-acoustic.Nearest(spans[story][i].From))
		}
	}
	stride := max(1, (total+most-1)/most)
	for i, story := range stories {
		for _, s := range spans[story] {
			for f := acoustic.Nearest(s.From) + stride/2; f < acoustic.Nearest(s.To); f += stride {
				at := acoustic.Time(f)
				m.frames, m.frameAt = append(m.frames, item{i, at, at}), append(m.frameAt, f)
			}
		}
		known, err := st.Data.Story(story)
		if err != nil {
			return nil, err
		}
		if known.Words.Absent() {
			m.noWords = fmt.Sprintf("story %s has no words", story)
			continue
		}
		words, err := st.Data.Words(ctx, story)
		if err != nil {
			return nil, err
		}
		for _, w := range words {
			within := slices.ContainsFunc(spans[story], func(s windows.Span) bool {
				return w.Onset >= s.From &&
					w.Offset <= s.To
			})
			if text := probing.Plain(w.Text); within && text != "" {
				m.words, m.text = append(m.words, item{i, w.Onset, w.Offset}), append(m.text, text)
			}
		}
	}
	return m, nil
}

// sound returns the probes of acoustic and phonetic targets, across speakers.
func (m *material) sound(ctx context.Context) ([]*task, error) {
	var loud, spectrum, pitch []float32
	var voiced []int
	for i, story := range m.stories {
		wave, err := m.study.Data.Audio(ctx, story)
		if err != nil {
			return nil, err
		}
		l, b, p := acoustic.Loudness(wave), acoustic.Bands(wave, bands), acoustic.Pitch(wave)
		for k, item := range m.frames {
			if item.Story != i {
				continue
			}
			f := m.frameAt[k]
			loud = append(loud, float32(l[f]))
			for _, v := range b[f*bands : (f+1)*bands] {
				spectrum = append(spectrum, float32(v))
			}
			if p[f] > 0 {
				voiced, pitch = append(voiced, k), append(pitch, float32(math.Log2(p[f])))
			}
		}
	}
	all := firstN(len(m.frames))
	return []*task{
		m.continuous("loudness", all, loud, ""),
		m.continuous("spectrum", all, spectrum, ""),
		m.continuous("pitch", voiced, pitch, "voiced "),
	}, nil
}

// continuous is a probe of numbers at some of the frames.
func (m *material) continuous(name string, rows []int, targets []float32, which string) *task {
	if len(rows) < leastItems {
		return skip(name, fmt.Sprintf("%d %sframes, want at least %d", len(rows), which, leastItems))
	}
	items := pick(m.frames, rows)
	units := make([]int, len(items))
	for i, it := range items {
		units[i] = it.Story<<32 + int(it.From/blockSeconds)
	}
	return &task{name: name, score: "r", rows: rows, targets: targets, units: units,
		folds: timeFolds(items, nTimeFolds)}
}

// wordRate is the probe of how many words begin in the two seconds round a frame.
func (m *material) wordRate() *task {
	const name = "word_rate"
	if m.noWords != "" {
		return skip(name, m.noWords)
	}
	onsets := make([][]float64, len(m.stories))
	for _, w := range m.words {
		onsets[w.Story] = append(onsets[w.Story], w.From)
	}
	var rate []float32
	for _, f := range m.frames {
		before := func(t float64) int { return sort.SearchFloat64s(onsets[f.Story], t) }
		rate = append(rate, float32(before(f.From+rateWindow/2)-before(f.From-rateWindow/2))/rateWindow)
	}
	return m.continuous(name, firstN(len(m.frames)), rate, "")
}

// identity returns the probe of word identity among the most frequent words.
func (m *material) identity() *task {
	const name = "word_identity"
	if m.noWords != "" {
		return skip(name, m.noWords)
	}
	rows, labels, classes := frequent(m.text, firstN(len(m.text)), identityLeast*nTimeFolds, identityWords)
	if classes < 2 {
		return skip(name, fmt.Sprintf("fewer than two words occur %d times", identityLeast*nTimeFolds))
	}
	return &task{name: name, score: "accuracy", words: true, rows: rows, labels: labels, classes: classes,
		units: firstN(len(rows)),
		folds: timeFolds(pick(m.words, rows), nTimeFolds)}
}

// frequent numbers the texts of the given rows that occur often enough, the most frequent first.
func frequent(text []string, rows []int, least, most int) (kept, labels []int, classes int) {
	counts := map[string]int{}
	var order []string
	for _, r := range rows {
		if counts[text[r]]++; counts[text[r]] == 1 {
			order = append(order, text[r])
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return counts[b] - counts[a] })
	order = slices.DeleteFunc(order, func(t string) bool { return counts[t] < least })
	order = order[:min(len(order), most)]
	number := map[string]int{}
	for i, t := range order {
		number[t] = i
	}
	for _, r := range rows {
		if l, ok := number[text[r]]; ok {
			kept, labels = append(kept, r), append(labels, l)
		}
	}
	return kept, labels, len(order)
}

// vectors is the probe of word vectors.
func (m *material) vectors(path string, seed uint64) (*task, error) {
	const name = "word_vectors"
	if m.noWords != "" {
		return skip(name, m.noWords), nil
	}
	if path == "" {
		return skip(name, "no word vectors were given"), nil
	}
	v, err := probing.LoadVectors(path, func(w string) bool { return slices.Contains(m.text, w) })
	if err != nil {
		return nil, err
	}
	t := &task{name: name, score: "r", words: true}
	number := map[string]int{}
	for i, w := range m.text {
		x := v.Of(w)
		if x == nil {
			continue
		}
		if _, there := number[w]; !there {
			number[w] = len(number)
		}
		t.rows, t.kinds, t.targets = append(t.rows, i), append(t.kinds, number[w]), append(t.targets, x...)
	}
	if len(number) < leastVectors {
		return skip(name, fmt.Sprintf("%d words have a vector, want at least %d", len(number), leastVectors)), nil
	}
	t.units = t.kinds
	t.folds = wordFolds(pick(m.words, t.rows), t.kinds, wordStretches, nWordFolds, seed)
	return t, nil
}

// silent are labels of phones that are none.
var silent = []string{"", "sil", "sp", "spn", "pau", "<sil>", "<p:>", "#"}

// phonemes is the probe of which phone a frame is in the midst of. Stress marks of ARPAbet vowels are dropped.
func (m *material) phonemes(ctx context.Context) (*task, error) {
	const name = "phonemes"
	text, units := make([]string, len(m.frames)), make([]int, len(m.frames))
	var rows []int
	for i, story := range m.stories {
		known, err := m.study.Data.Story(story)
		if err != nil {
			return nil, err
		}
		if known.Phones.Absent() {
			return skip(name, fmt.Sprintf("story %s has no phones", story)), nil
		}
		phones, err := m.study.Data.Phones(ctx, story)
		if err != nil {
			return nil, err
		}
		for k, f := range m.frames {
			if f.Story != i {
				continue
			}
			at := sort.Search(len(phones), func(j int) bool { return phones[j].Onset > f.From }) - 1
			if at < 0 || phones[at].Offset <= f.From {
				continue
			}
			if label := strings.TrimRight(phones[at].Text, stressOfVowels); !slices.Contains(silent,
				strings.ToLower(label)) {
				text[k], units[k] = label, i<<32+at
				rows = append(rows, k)
			}
		}
	}
	rows, labels, classes := frequent(text, rows, phoneLeast*nTimeFolds, len(text))
	if classes < 2 {
		return skip(name, fmt.Sprintf("fewer than two phones occur in %d frames", phoneLeast*nTimeFolds)), nil
	}
	return &task{name: name, score: "accuracy", rows: rows, labels: labels, classes: classes, units: pick(units, rows),
		folds: timeFolds(pick(m.frames, rows), nTimeFolds)}, nil
}

// speaker returns the probe of speaker identity. A story is tested by what was learnt of the
// speaker in others: within one story the recording would do.
func (m *material) speaker() (*task, error) {
	const name = "speaker"
	var voices []string
	stories := map[string]int{}
	of := make([]string, len(m.stories))
	for i, story := range m.stories {
		known, err := m.study.Data.Story(story)
		if err != nil {
			return nil, err
		}
		if of[i] = known.Speaker; of[i] == "" {
			return skip(name, fmt.Sprintf("story %s has no speaker", story)), nil
		}
		if stories[of[i]]++; stories[of[i]] == 1 {
			voices = append(voices, of[i])
		}
	}
	voices = slices.DeleteFunc(voices, func(v string) bool { return stories[v] < 2 })
	if len(voices) < 2 {
		return skip(name, "fewer than two speakers have two stories each, so that one can be held out"), nil
	}
	t := &task{name: name, score: "accuracy", classes: len(voices)}
	for k, f := range m.frames {
		if l := slices.Index(voices, of[f.Story]); l >= 0 {
			t.rows, t.labels, t.units = append(t.rows, k), append(t.labels, l), append(t.units, f.Story)
		}
	}
	for held := range m.stories {
		var f fold
		for i, k := range t.rows {
			if story := m.frames[k].Story; story == held {
				f.Test = append(f.Test, i)
			} else {
				f.Train, f.Inner = append(f.Train, i), append(f.Inner, story)
			}
		}
		if len(f.Test) > 0 {
			t.folds = append(t.folds, f)
		}
	}
	return t, nil
}

// firstN returns the numbers below n.
func firstN(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// tasks are all probes.
func (m *material) tasks(ctx context.Context, glove string, seed uint64) ([]*task, error) {
	vectors, err := m.vectors(glove, seed)
	if err != nil {
		return nil, err
	}
	phonemes, err := m.phonemes(ctx)
	if err != nil {
		return nil, err
	}
	speaker, err := m.speaker()
	if err != nil {
		return nil, err
	}
	sound, err := m.sound(ctx)
	return slices.Concat([]*task{vectors, m.identity(), phonemes}, sound, []*task{m.wordRate(), speaker}), err
}
