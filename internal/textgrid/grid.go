package textgrid

import (
	"strings"
)

// Grid is a TextGrid.
type Grid struct {
	Start, End float64 // seconds
	Tiers      []Tier
}

// Tier is one layer of labels.
type Tier struct {
	Name      string
	Points    bool // a tier of points (TextTier), whose intervals have no length
	Intervals []Interval
}

// Interval is a label and its time in seconds. The label may be empty.
type Interval struct {
	Start, End float64
	Label      string
}

// Words returns the tier of words: the first interval tier named word or words in any case, else the second
// interval tier, false if there is neither. Aligners write phones first.
func (g Grid) Words() (Tier, bool) {
	if t, ok := g.named("word", "words"); ok {
		return t, true
	}
	n := 0
	for _, t := range g.Tiers {
		if !t.Points {
			if n++; n == 2 {
				return t, true
			}
		}
	}
	return Tier{}, false
}

// Phones returns the first interval tier named phone or phones in any case, false if there is none.
func (g Grid) Phones() (Tier, bool) { return g.named("phone", "phones") }

// named returns the first interval tier with one of the names.
func (g Grid) named(names ...string) (Tier, bool) {
	for _, t := range g.Tiers {
		for _, name := range names {
			if !t.Points && strings.EqualFold(strings.TrimSpace(t.Name), name) {
				return t, true
			}
		}
	}
	return Tier{}, false
}

// silent are labels of pauses, breaths and noises, without braces and in lower case.
var silent = map[string]bool{
	"": true, "sentence_start": true, "sentence_end": true, "br": true, "lg": true, "ls": true, "ns": true, "sp": true,
}

// Spoken returns the intervals with a label that was said, without those of pauses, breaths and noises ("{NS}",
// "sp"). Labels are in lower case and without space around them.
func (t Tier) Spoken() []Interval {
	var out []Interval
	for _, i := range t.Intervals {
		i.Label = strings.ToLower(strings.TrimSpace(i.Label))
		if !silent[strings.Trim(i.Label, "{}")] {
			out = append(out, i)
		}
	}
	return out
}
