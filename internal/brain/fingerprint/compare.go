package fingerprint

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

const (
	block    = 48  // frames that are compared at a time, 1.5 s; a multiple of 4
	step     = 24  // frames from one to the next along a stretch
	drift    = 2   // frames by which a stretch may shift in a step: 8 %
	missed   = 3   // steps in a row that may disagree within a stretch
	sparse   = 2   // large changes a frame below which a block says nothing
	alike    = .5  // similarity of a block in a stretch
	partly   = .6  // of the frames at its ends
	apart    = 10  // frames by which a stretch is moved at least to see whether it fits elsewhere as well
	margin   = .2  // of similarity, by which its own place must be better
	shortest = 1.5 // seconds of a stretch
	blur     = 4   // frames by which windows and changes reach beyond what is shared
	pause    = 62  // frames of silence between words that still count, 2 s
)

// needed is the mean similarity of a stretch of that many seconds: chance reaches more in a short one, above all where
// speech is put together from few words, each of one sound.
func needed(seconds float64) float64 { return min(.55+.7/seconds, .9) }

// Stretch is audio that two recordings have in common.
type Stretch struct {
	A, B       Interval
	Seconds    float64 // that count: neither silent nor stationary
	Similarity float64 // mean, 1 for copies
}

// counted is how long a stretch must be to count, in seconds: a jingle is shorter.
const counted = 3

// Counts reports whether a stretch of two recordings is long enough to count: 3 s, or half of one of them.
func (s Stretch) Counts(a, b *Print) bool {
	return s.Seconds >= min(counted, a.Seconds()/2, b.Seconds()/2)
}

// Interval is a range of seconds.
type Interval struct{ From, To float64 }

// Compare finds the stretches that two recordings have in common, longest first. Recordings of the same samples are
// one stretch, whatever they sound like, unless they are silent.
func Compare(a, b *Print) []Stretch { return Search(a, b, 1) }

// Search compares as [Compare] does, but looks for one in so many blocks of 1.5 s of a alone, at a cost that is as many
// times smaller. A stretch that is not longer than these blocks may be missed; what is found has its whole length.
func Search(a, b *Print, blocks int) []Stretch {
	if a.Hash == b.Hash {
		if a.Silent {
			return nil
		}
		whole := Interval{0, a.Seconds()}
		return []Stretch{{A: whole, B: whole, Seconds: a.Seconds(), Similarity: 1}}
	}
	return compare(a, b, false, blocks)
}

// Repeats finds the stretches that occur twice in a recording, longest first.
func Repeats(a *Print) []Stretch { return compare(a, a, true, 1) }

func compare(a, b *Print, same bool, blocks int) []Stretch {
	c := &comparison{a: pack(a), b: pack(b)}
	for i := 0; i+block <= len(a.Large); i += blocks * block {
		c.seek(i, same)
	}
	slices.SortStableFunc(c.found, func(x, y Stretch) int { return cmp.Compare(y.Seconds, x.Seconds) })
	return c.found
}

// packed is a print with four frames to a word.
type packed struct {
	rises, large []uint64 // word n has frames n to n+3
	sum          []int32
	frames       int
}

func pack(p *Print) *packed {
	return &packed{rises: words(p.Rises), large: words(p.Large), sum: sums(p.Large), frames: len(p.Large)}
}

func words(frames []uint16) []uint64 {
	out := make([]uint64, len(frames))
	var word uint64
	for n := len(frames) - 1; n >= 0; n-- {
		word = word<<16 | uint64(frames[n])
		out[n] = word
	}
	return out
}

// count returns the large changes in frames from to to.
func (p *packed) count(from, to int) int { return int(p.sum[to] - p.sum[from]) }

// comparison is a Compare in progress.
type comparison struct {
	a, b   *packed
	found  []Stretch
	traces []trace
}

// similarity is the cosine of the large changes, as 1 and -1, in n frames of each; n is a multiple of 4.
func (c *comparison) similarity(i, j, n int) float64 {
	na, nb := c.a.count(i, i+n), c.b.count(j, j+n)
	if na == 0 || nb == 0 {
		return 0
	}
	return float64(c.product(i, j, n)) / math.Sqrt(float64(na)*float64(nb))
}

// product is the number of large changes that agree less that of those that do not.
func (c *comparison) product(i, j, n int) int {
	dot := 0
	for k := 0; k < n; k += 4 {
		both := c.a.large[i+k] & c.b.large[j+k]
		dot += bits.OnesCount64(both) - 2*bits.OnesCount64(both&(c.a.rises[i+k]^c.b.rises[j+k]))
	}
	return dot
}

// seek looks for the block of a that begins at frame i everywhere in b.
func (c *comparison) seek(i int, same bool) {
	na := c.a.count(i, i+block)
	if na < sparse*block {
		return
	}
	const early = 16 // frames
	few := int(.1 * float64(c.a.count(i, i+early)))
	first := 0
	if same {
		first = i + 2*block
	}
	for j := first; j+block <= c.b.frames; j++ {
		if c.product(i, j, early) < few {
			continue
		}
		if s := c.similarity(i, j, block); s < alike || c.b.count(j, j+block) < sparse*block ||
			j+1+block <= c.b.frames && c.similarity(i, j+1, block) > s { // the next is better
			continue
		}
		if !c.known(i, j) {
			c.follow(i, j)
		}
	}
}

// trace is the way of a stretch through both recordings: frames of blocks that agree.
type trace struct{ a, b []int }

// known reports whether a stretch that was followed passes there.
func (c *comparison) known(i, j int) bool {
	for _, t := range c.traces {
		if i+block <= t.a[0] || i >= t.a[len(t.a)-1]+block {
			continue
		}
		k, found := slices.BinarySearch(t.a, i)
		if !found {
			k = max(k-1, 0)
		}
		if at := t.b[k] + i - t.a[k]; j >= at-2*drift && j <= at+2*drift {
			return true
		}
	}
	return false
}

// follow extends a pair of blocks to a stretch and keeps it if it is long and similar enough.
func (c *comparison) follow(i, j int) {
	t := trace{a: []int{i}, b: []int{j}}
	total := c.similarity(i, j, block)
	for _, way := range []int{-1, 1} {
		i, j := i, j
		for gap := 0; gap <= missed; {
			i, j = i+way*step, j+way*step
			s, at := c.nearby(i, j)
			if s < alike {
				gap++
				if s < 0 {
					break
				}
				continue
			}
			gap, j = 0, at
			total += s
			t.a, t.b = append(t.a, i), append(t.b, j)
		}
		slices.Sort(t.a)
		slices.Sort(t.b)
	}
	c.traces = append(c.traces, t)
	s := c.measure(t)
	s.Similarity = total / float64(len(t.a))
	if s.Seconds >= shortest && s.Similarity >= needed(s.Seconds) && !c.periodic(t, s.Similarity) {
		c.found = append(c.found, s)
	}
}

// periodic reports whether a stretch fits almost as well when it is moved by some time up to 4 s, as with the
// clicks of a metronome or of a scanner: such a rhythm says nothing of the recording.
func (c *comparison) periodic(t trace, own float64) bool {
	every := len(t.a)/16 + 1
	for d := apart; d <= around; d++ {
		for _, d := range []int{d, -d} {
			sum, n := 0., 0
			for k := 0; k < len(t.a); k += every {
				if j := t.b[k] + d; j >= 0 && j+block <= c.b.frames {
					sum, n = sum+c.similarity(t.a[k], j, block), n+1
				}
			}
			if n > 0 && 2*n*every >= len(t.a) && sum/float64(n) > own-margin {
				return true
			}
		}
	}
	return false
}

// nearby returns the greatest similarity of a block of a with those near frame j of b, and where it is; -1 at the
// end of a recording.
func (c *comparison) nearby(i, j int) (best float64, at int) {
	best = -1
	if i < 0 || i+block > c.a.frames {
		return best, j
	}
	for d := -drift; d <= drift; d++ {
		if k := j + d; k >= 0 && k+block <= c.b.frames {
			if s := c.similarity(i, k, block); s > best {
				best, at = max(s, 0), k
			}
		}
	}
	return best, at
}

// measure finds the ends of a stretch and counts its seconds.
func (c *comparison) measure(t trace) Stretch {
	last := len(t.a) - 1
	i0, i1 := t.a[0]+step, t.a[last]+block-step // within the stretch
	j0, j1 := t.b[0]+step, t.b[last]+block-step
	before, after := c.reach(i0-1, j0-1, -1), c.reach(i1, j1, 1)
	i0, j0, i1, j1 = i0-before, j0-before, i1+after, j1+after
	counted, quiet := 0, 0
	for n := i0; n < i1; n++ {
		k := j0 + (n-i0)*(j1-j0)/(i1-i0)
		if !c.a.active(n) && !c.b.active(k) {
			quiet++
			continue
		}
		if counted++; quiet <= pause {
			counted += quiet
		}
		quiet = 0
	}
	seconds := func(frame int) float64 { return float64(frame) * FrameSeconds }
	return Stretch{
		A: Interval{seconds(i0), seconds(i1)}, B: Interval{seconds(j0), seconds(j1)},
		Seconds: seconds(max(counted-blur, 0)),
	}
}

// reach returns how many frames the stretch goes on one way: to where the sum of the products, less what a similarity
// of partly would give, is greatest.
func (c *comparison) reach(i, j, way int) (frames int) {
	sum, most := 0., 0.
	for k := range 2 * block {
		i, j := i+k*way, j+k*way
		if i < 0 || j < 0 || i >= c.a.frames || j >= c.b.frames {
			break
		}
		both := uint16(c.a.large[i] & c.b.large[j])
		dot := bits.OnesCount16(both) - 2*bits.OnesCount16(both&uint16(c.a.rises[i]^c.b.rises[j]))
		na, nb := c.a.count(i, i+1), c.b.count(j, j+1)
		if sum += float64(dot) - partly*math.Sqrt(float64(na)*float64(nb)); sum > most {
			most, frames = sum, k+1
		}
	}
	return frames
}

// active reports whether there is sound around a frame that is neither silent nor stationary.
func (p *packed) active(n int) bool {
	return n >= 0 && n < p.frames && p.count(max(n-activity/2, 0), min(n+activity/2+1, p.frames)) > 0
}
