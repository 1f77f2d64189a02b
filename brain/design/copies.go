package design

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// SharedAudio is audio that two stories have in common by its sound, or that one story has twice: StoryA and StoryB
// are the same then.
type SharedAudio struct {
	StoryA, StoryB string
	A, B           Interval // seconds of the audio of each
	Seconds        float64  // of them that are neither silent nor stationary
}

// Copy is sound that rows of two splits both depend on, in stories that are not declared to be one stimulus.
type Copy struct {
	SplitA, StoryA string
	SplitB, StoryB string
	A, B           Interval // from the first to the last such second of each story's audio
	Seconds        float64  // that count
	Share          float64  // of the shorter story
	Allowed        bool     // the pair of stories is named as known
	Refused        bool     // it is more than may be shared without being named
}

const (
	listedSeconds  = 3   // shared audio below it is a jingle
	refusedSeconds = 5   // shared audio above it is refused
	refusedShare   = .01 // likewise, as a share of a story
)

// String names stories, splits, and the seconds in both.
func (c Copy) String() string {
	return fmt.Sprintf("%s %s (%.1f to %.1f s) <-> %s %s (%.1f to %.1f s)  sound the same for %.1f s",
		c.SplitA, c.StoryA, c.A.From, c.A.To, c.SplitB, c.StoryB, c.B.From, c.B.To, c.Seconds)
}

// StoryPairs returns the pairs of stories whose audio is to be compared: those of which different splits take rows
// and that are not pieces of one stimulus. A story that two splits take rows of is paired with itself.
func (r *Report) StoryPairs() (pairs [][2]string) {
	r.eachPair(func(a, b SplitRows) {
		pair := [2]string{min(a.Story, b.Story), max(a.Story, b.Story)}
		if !slices.Contains(pairs, pair) {
			pairs = append(pairs, pair)
		}
	})
	return pairs
}

// eachPair calls do with the rows of different splits that are to be compared by their sound.
func (r *Report) eachPair(do func(a, b SplitRows)) {
	for i, a := range r.Rows {
		for _, b := range r.Rows[i+1:] {
			if a.Split != b.Split && (a.Story == b.Story || a.Stimulus != b.Stimulus) {
				do(a, b)
			}
		}
	}
}

// CompareAudio adds the copies: audio that rows of different splits depend on and that sounds the same, by what
// stories share. Audio that no row depends on does not count. Seconds are the lengths of the stories; allowed
// reports whether the user knows that two stories share audio.
func (r *Report) CompareAudio(seconds map[string]float64, shared []SharedAudio, allowed func(a, b string) bool) {
	r.Compared, r.Pending, r.Copies = len(seconds), false, nil
	found := map[[4]string]*overlaps{}
	var order [][4]string
	r.eachPair(func(a, b SplitRows) {
		for _, s := range shared {
			back := SharedAudio{StoryA: s.StoryB, StoryB: s.StoryA, A: s.B, B: s.A, Seconds: s.Seconds}
			for _, s := range []SharedAudio{s, back} {
				if s.StoryA != a.Story || s.StoryB != b.Story {
					continue
				}
				key := [4]string{a.Split, a.Story, b.Split, b.Story}
				if found[key] == nil {
					found[key], order = &overlaps{}, append(order, key)
				}
				found[key].add(s, a.Audio, b.Audio)
			}
		}
	})
	for _, key := range order {
		o := found[key]
		c := Copy{SplitA: key[0], StoryA: key[1], SplitB: key[2], StoryB: key[3],
			A: hull(o.a), B: hull(o.b), Seconds: o.seconds()}
		shorter := min(seconds[c.StoryA], seconds[c.StoryB])
		if c.Seconds < min(listedSeconds, shorter/2) || c.Seconds == 0 {
			continue
		}
		c.Share, c.Allowed = c.Seconds/shorter, allowed != nil && allowed(c.StoryA, c.StoryB)
		c.Refused = !c.Allowed && (c.Seconds > refusedSeconds || c.Share > refusedShare)
		r.Copies = append(r.Copies, c)
	}
	slices.SortStableFunc(r.Copies, func(a, b Copy) int { return cmp.Compare(b.Seconds, a.Seconds) })
}

// overlaps collects what two stories share within the windows of two splits.
type overlaps struct {
	a, b           []Interval
	counted, whole float64 // seconds of the stretches that count, and all
}

// add cuts a stretch to the windows.
func (o *overlaps) add(s SharedAudio, inA, inB Interval) {
	slope := (s.B.To - s.B.From) / max(s.A.To-s.A.From, edge)
	from := max(s.A.From, inA.From, s.A.From+(inB.From-s.B.From)/max(slope, edge))
	to := min(s.A.To, inA.To, s.A.From+(inB.To-s.B.From)/max(slope, edge))
	if to-from <= edge {
		return
	}
	o.a = append(o.a, Interval{from, to})
	o.b = append(o.b, Interval{s.B.From + (from-s.A.From)*slope, s.B.From + (to-s.A.From)*slope})
	o.whole += s.A.To - s.A.From
	o.counted += s.Seconds
}

// seconds returns how much of the two stories is shared, the greater of both, without silence.
func (o *overlaps) seconds() float64 {
	if o.whole == 0 {
		return 0
	}
	return max(covered(o.a), covered(o.b)) * min(o.counted/o.whole, 1)
}

// covered returns the seconds in at least one of the intervals.
func covered(in []Interval) (total float64) {
	in = slices.Clone(in)
	slices.SortFunc(in, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	end := 0.
	for i, x := range in {
		if i == 0 || x.From > end {
			end = x.From
		}
		total += max(x.To-end, 0)
		end = max(end, x.To)
	}
	return total
}

func hull(in []Interval) (out Interval) {
	for i, x := range in {
		if i == 0 {
			out = x
		}
		out = Interval{min(out.From, x.From), max(out.To, x.To)}
	}
	return out
}

// copyErr is the error of the copies that are refused, which names the longest.
func (r *Report) copyErr() error {
	n, worst := 0, Copy{}
	for _, c := range r.Copies {
		if c.Refused {
			if n++; n == 1 {
				worst = c
			}
		}
	}
	if n == 0 {
		return nil
	}
	why := "%s"
	if n > 1 {
		why += fmt.Sprintf(", and %d more such pairs", n-1)
	}
	err := fault.New(fault.BadData, "leak audit", "data", why, worst)
	if r.OfClips {
		return err.WithHint("put both clips in one split, or, if it is meant, set data.allow_shared: [\"%s:%s\"]",
			worst.StoryA, worst.StoryB)
	}
	if worst.StoryA == worst.StoryB {
		return err.WithHint("put both passages in one split, or, if it is meant, set data.allow_shared: [\"%s:%s\"]",
			worst.StoryA, worst.StoryB)
	}
	return err.WithHint("put both stories in one split; declare the copy in dataset.yaml "+
		"(same_as: {story: %s, row: …}); or, if it is meant, set data.allow_shared: [\"%s:%s\"]",
		worst.StoryA, worst.StoryA, worst.StoryB)
}

// writeCopies adds what the comparison of the audio found to the table of the report.
func (r *Report) writeCopies(text *strings.Builder) {
	for _, c := range r.Copies {
		word := "shared"
		switch {
		case c.Refused:
			word = "COPY  "
		case c.Allowed:
			word = "allowed"
		}
		fmt.Fprintf(text, "%s  %s\n", word, c)
	}
	switch {
	case r.Pending:
		text.WriteString("audio not compared yet\n")
	case r.Compared > 0 && len(r.Copies) == 0:
		what := "stories"
		if r.OfClips {
			what = "clips"
		}
		fmt.Fprintf(text, "audio of %d %s compared: no two splits share %d s that sound the same\n", r.Compared, what,
			listedSeconds)
	}
}
