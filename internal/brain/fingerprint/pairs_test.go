package fingerprint

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// pair is two recordings and whether they have more than 3 s in common.
type pair struct {
	name string
	a, b []float32
}

// sources are recordings that the pairs are made of: two of one speaker, one of another, and music.
type sources struct {
	speech, sameSpeaker, other []float32 // 20 s or more
	music                      []float32
}

// copies are pairs in which b has 6 s or more of a.
func copies(s sources) []pair {
	x, r := s.speech, rand.New(rand.NewPCG(1, 1))
	excerpt := seconds(x, 9.3, 15.3)
	telephone := func(hertz float64) float64 {
		if hertz < 300 || hertz > 3400 {
			return 0
		}
		return 1
	}
	tilted := func(hertz float64) float64 { return math.Pow(10, -12*math.Log2(max(hertz, 100)/1000)/20/2) }
	inverted := gain(x, 0)
	for i := range inverted {
		inverted[i] *= -1
	}
	return []pair{
		{"the same samples", x, x},
		{"the first sample is missing", x, x[1:]},
		{"begins 3.337 s later", x, x[53392:]},
		{"26 dB less", x, round(gain(x, -26), 16)},
		{"8 bits", x, round(x, 8)},
		{"another rate and back", x, faster(faster(x, 16./44.1), 44.1/16)},
		{"telephone", x, filtered(x, telephone)},
		{"low and high frequencies changed by 6 dB an octave", x, filtered(x, tilted)},
		{"inverted", x, inverted},
		{"clipped to a third", x, clipped(x, .33)},
		{"white noise 10 dB below", x, mix(x, noise(r, 10), 10)},
		{"pink noise 10 dB below", x, mix(x, pink(r, 10), 10)},
		{"another voice 10 dB below", x, mix(x, s.other, 10)},
		{"music 10 dB below", x, mix(x, s.music, 10)},
		{"in a room", x, echoed(x)},
		{"pitch + 2 %", x, higher(x, 1.02)},
		{"pitch - 2 %", x, higher(x, .98)},
		{"speed + 2 %", x, faster(x, 1.02)},
		{"speed - 4 %", x, faster(x, .96)},
		{"tempo + 3 %, pitch kept", x, slower(x, 1/1.03)},
		{"an excerpt of 6 s alone", x, excerpt},
		{"an excerpt of 6 s within another recording", x,
			join(seconds(s.other, 0, 8), excerpt, seconds(s.other, 8, 16))},
		{"an excerpt of 6 s with noise 20 dB below", x, join(seconds(s.other, 0, 8), mix(excerpt, noise(r, 6), 20))},
		{"an excerpt of 6 s, pitch + 2 %", x,
			join(seconds(s.sameSpeaker, 0, 8), higher(excerpt, 1.02), seconds(s.other, 8, 16))},
	}
}

// different are pairs that have less than 3 s in common, or nothing but silence and stationary sound.
func different(s sources) []pair {
	r := rand.New(rand.NewPCG(2, 2))
	jingle, room, hiss := seconds(s.music, 0, 2.5), gain(pink(r, 30), -20), noise(r, 60)
	hum, tone := tones(40, 50, 100, 150, 300), tones(15, 440, 880)
	x, same, other := s.speech, s.sameSpeaker, s.other
	half := len(s.music) / 2
	voiceless := func(x []float32) []float32 { // noise with the loudness of speech
		out, level := noise(rand.New(rand.NewPCG(uint64(len(x)), 3)), float64(len(x))/Rate), 0.
		for i := range out {
			level += (math.Abs(float64(x[i])) - level) / 400
			out[i] *= float32(level)
		}
		return out
	}
	return []pair{
		{"the same speaker", x, same},
		{"another speaker", x, other},
		{"parts of one recording", x[:len(x)/2], x[len(x)/2:]},
		{"the same speaker in the same room tone", mix(x, room, 25), mix(same, room, 25)},
		{"room tone before the speech", join(room, x), join(room, same)},
		{"silence between the words of both", join(silence(30), x, silence(30)), join(silence(30), same, silence(30))},
		{"the same hiss under both", mix(x, hiss, 12), mix(same, hiss, 12)},
		{"the same hum under both", mix(x, hum, 12), mix(same, hum, 12)},
		{"a test tone before the speech", join(tone, x), join(tone, other)},
		{"a jingle of 2.5 s before both", join(jingle, x), join(jingle, other)},
		{"a jingle of 2.5 s before and after both", join(jingle, x, jingle), join(jingle, same, jingle)},
		{"a jingle of 2.5 s within both", join(other[:8*Rate], jingle, other[8*Rate:]),
			join(x[:8*Rate], jingle, x[8*Rate:])},
		{"the same music 10 dB below different speech", mix(x, s.music, 10), mix(same, s.music, 10)},
		{"the same music 15 dB below different speech", mix(x, s.music, 15), mix(other, s.music, 15)},
		{"the same music 20 dB below different speech", mix(x, s.music, 20), mix(same, s.music, 20)},
		{"different music", s.music[:half], s.music[half:]},
		{"speech and music", x, s.music},
		{"the same played backwards", x, reversed(x)},
		{"an excerpt of 2.5 s", x, join(other[:8*Rate], seconds(x, 9.3, 11.8), other[8*Rate:])},
		{"the rhythm of speech and the speech", x, voiceless(x)},
		{"the same rhythm of noise", voiceless(same), voiceless(other)},
		{"pitch an octave higher", same, higher(x, 1.5)},
		{"a metronome before both", join(clicks(20, .6), x), join(clicks(20, .6), same)},
		{"a clock under both", mix(x, clicks(30, 1), 5), mix(same, clicks(30, 1), 5)},
		{"tones that change every 0.4 s", steps(5, 16), steps(6, 16)},
		{"the same beat with other notes", mix(steps(7, 20), clicks(20, .5), 0), mix(steps(8, 20), clicks(20, .5), 0)},
		{"noise of one kind", mix(hiss, x, 40), mix(noise(r, 60), same, 40)},
	}
}

// prints are those of samples that several pairs have.
var prints = map[*float32]*Print{}

func once(x []float32) *Print {
	if p := prints[&x[0]]; p != nil && p.Samples == int64(len(x)) {
		return p
	}
	p := print(x)
	prints[&x[0]] = p
	return p
}

// common is what two recordings share in stretches of 3 s or more.
func common(a, b []float32) float64 {
	total := 0.
	for _, s := range Compare(once(a), once(b)) {
		if s.Seconds >= 3 {
			total += s.Seconds
		}
	}
	return total
}

// check counts the copies that are found and the different ones that are not.
func check(t *testing.T, s sources) {
	t.Helper()
	found, refused := 0, 0
	wrong, right := copies(s), different(s)
	for _, p := range wrong {
		got := common(p.a, p.b)
		if got >= 3 {
			found++
		}
		assert.GreaterOrEqual(t, got, 3., "a copy: %s", p.name)
		if len(p.b) > 20*Rate && !strings.Contains(p.name, "excerpt") {
			assert.Greater(t, got, .75*float64(len(p.b))/Rate, "all of it: %s", p.name)
		}
	}
	for _, p := range right {
		got := common(p.a, p.b)
		if got >= 3 {
			refused++
		}
		assert.Zero(t, got, "not a copy: %s", p.name)
	}
	t.Logf("of an excerpt of 6 s: %.2f s", common(s.speech, seconds(s.speech, 9.3, 15.3)))
	t.Logf("found %d of %d copies; taken for copies %d of %d others", found, len(wrong), refused, len(right))
}

func TestCopiesOfSyntheticSpeechAreFoundAndOthersAreNot(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	check(t, sources{speech: talk(1, 24), sameSpeaker: talk(2, 24), other: talkAs(3, 1.3, 24), music: music(4, 30)})
}

func TestCompareIsSymmetric(t *testing.T) {
	x, y := talk(1, 20), join(talk(5, 7), seconds(talk(1, 20), 3, 12), talk(6, 5))
	ab, ba := Compare(print(x), print(y)), Compare(print(y), print(x))
	assert.Len(t, ab, 1)
	assert.Len(t, ba, 1)
	assert.InDelta(t, ab[0].A.From, ba[0].B.From, .4)
	assert.InDelta(t, 3, ab[0].A.From, .4)
	assert.InDelta(t, 7, ab[0].B.From, .4)
	assert.InDelta(t, 9, ab[0].Seconds, .8)
}

// A search from one block in eight finds what is longer than twelve seconds, at whatever place, with its length.
func TestASearchFindsLongStretches(t *testing.T) {
	other, same := talkAs(3, 1.3, 24), talk(2, 24)
	shared := seconds(talk(1, 24), 2, 17)
	for _, before := range []float64{0, 3.1, 7.4} {
		a := print(join(seconds(other, 0, before), shared, seconds(other, 10, 18)))
		b := print(join(seconds(same, 0, 5), gain(shared, -6), seconds(same, 6, 20)))
		found := Search(a, b, 8)
		if assert.Len(t, found, 1, "%g s before it", before) {
			assert.InDelta(t, 15, found[0].Seconds, 1.5)
			assert.Equal(t, Compare(a, b)[0].A, found[0].A)
		}
		assert.Empty(t, Search(print(other), b, 8))
	}
}

func TestWhatARecordingRepeatsIsFound(t *testing.T) {
	x := join(talk(1, 10), talk(2, 10))
	assert.Empty(t, Repeats(print(x)))
	y := join(x, seconds(x, 2, 10))
	got := Repeats(print(y))
	assert.Len(t, got, 1)
	assert.InDelta(t, 8, got[0].Seconds, .8)
}

func TestSilenceIsNoRecording(t *testing.T) {
	assert.Empty(t, Compare(print(silence(60)), print(silence(60))))
	hiss := noise(rand.New(rand.NewPCG(1, 1)), 60)
	assert.Empty(t, Compare(print(hiss), print(hiss[1:])))
	assert.Len(t, Compare(print(hiss), print(slices.Clone(hiss))), 1, "the same samples are one recording")
}
