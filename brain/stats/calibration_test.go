package stats

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A test whose p is .05 one time in twenty where nothing is, an interval that holds the truth
// nineteen times: that is what these are for, so it is tested, on simulated subjects whose truth is
// known. All randomness is seeded: a rate is a figure of the code, not of the day. Its standard
// error is taken between data sets, since voxels of one share noise.

// world is a subject to simulate. All series are first-order processes.
type world struct {
	rows, voxels int
	phi          float64
	signal       float64 // power of what the responses share with the systems; the noise has power 1
	base, tuned  float64 // power of what the systems have beside the signal
}

// story draws a data set. Voxels share .3 of the responses' noise and .2 of the systems'; the
// systems share half of theirs.
func (w world) story(seed uint64) Story {
	rng := seeded(seed)
	n := w.rows * w.voxels
	s := Story{Name: "a", Rows: w.rows, Responses: make([]float32, n), Base: make([]float32, n),
		Tuned: make([]float32, n)}
	shared, common := process(rng, w.rows, w.phi), process(rng, w.rows, w.phi)
	for v := range w.voxels {
		signal, own := process(rng, w.rows, w.phi), process(rng, w.rows, w.phi)
		both, p, q := process(rng, w.rows, w.phi), process(rng, w.rows, w.phi), process(rng, w.rows, w.phi)
		for t := range w.rows {
			at := t*w.voxels + v
			x := math.Sqrt(w.signal) * signal[t]
			noise := math.Sqrt(.2)*common[t] + math.Sqrt(.3)*both[t]
			s.Responses[at] = float32(x + math.Sqrt(.3)*shared[t] + math.Sqrt(.7)*own[t])
			s.Base[at] = float32(x + math.Sqrt(w.base)*(noise+math.Sqrt(.5)*p[t]))
			s.Tuned[at] = float32(x + math.Sqrt(w.tuned)*(noise+math.Sqrt(.5)*q[t]))
		}
	}
	return s
}

// r is the true score of a system with the given power beside the signal.
func (w world) r(noise float64) float64 { return w.signal / math.Sqrt((w.signal+1)*(w.signal+noise)) }

func (w world) subject(seed uint64) []Subject {
	return []Subject{{Voxels: w.voxels, Stories: []Story{w.story(seed)}}}
}

// regions are the voxels in groups of four.
func (w world) regions() (groups []Group) {
	for v := 0; v+4 <= w.voxels; v += 4 {
		groups = append(groups, Group{Name: fmt.Sprint("region", v/4), Columns: [][]int{{v, v + 1, v + 2, v + 3}}})
	}
	return groups
}

// rate pools how often something happened over data sets.
type rate struct{ sets []float64 }

func (r *rate) add(hits, of int) { r.sets = append(r.sets, float64(hits)/float64(of)) }

func (r *rate) value() (mean, standardError float64) {
	n := float64(len(r.sets))
	for _, x := range r.sets {
		mean += x / n
	}
	for _, x := range r.sets {
		standardError += (x - mean) * (x - mean) / n / (n - 1)
	}
	return mean, math.Sqrt(standardError)
}

// atMost asserts that the rate does not exceed a limit, once it is known to within a standard error of precision; where
// that is more than .002, so many standard errors are allowed for as make a false alarm rare, but not a broken test.
func (r *rate) atMost(t *testing.T, what string, limit, precision float64) {
	t.Helper()
	mean, se := r.value()
	t.Logf("%s: %.4f ± %.4f (SE, %d data sets), limit %.2f", what, mean, se, len(r.sets), limit)
	require.Less(t, se, precision, "%s: too few data sets to say", what)
	if precision > .002 {
		mean -= 2 * se
	}
	assert.LessOrEqual(t, mean, limit, what)
	assert.Greater(t, mean+4*se, .03, "%s: it never errs, so it finds nothing either", what)
}

func countBelow(p []float64, level float64) (n int) {
	for _, x := range p {
		if x <= level {
			n++
		}
	}
	return n
}

// limits are the rates of error that are promised for noise of a given memory.
var limits = map[float64]float64{.5: .06, .8: .08}

const few = 100 // permutations; so few that forgetting the +1 would show

func calibrateCorrelation(t *testing.T, phi float64, sets int, precision float64) {
	w := world{rows: 300, voxels: 40, phi: phi, base: 1}
	var above, either, rowByRow rate
	for i := range uint64(sets) {
		s := w.story(i)
		for _, c := range []struct {
			errors *rate
			opt    PermutationOptions
		}{
			{&above, PermutationOptions{BlockRows: 10}},
			{&either, PermutationOptions{TwoSided: true}},
			{&rowByRow, PermutationOptions{BlockRows: 1, TwoSided: true}},
		} {
			if c.errors == &rowByRow && i >= 40 {
				continue
			}
			c.opt.Permutations, c.opt.Seed = few, i
			out, err := PermutationTest(t.Context(), s.Base, s.Responses, w.rows, w.voxels, c.opt)
			require.NoError(t, err)
			c.errors.add(countBelow(out.P, .05), w.voxels)
		}
	}
	above.atMost(t, "r > chance, blocks of 10", limits[phi], precision)
	either.atMost(t, "|r| > chance, blocks by memory", limits[phi], precision)
	wrong, se := rowByRow.value()
	t.Logf("|r| > chance, single rows: %.3f ± %.3f", wrong, se)
	assert.Greater(t, wrong-2*se, limits[phi], "shuffling single rows is seen to be wrong")
}

func calibratePaired(t *testing.T, phi float64, sets int) (voxels, regions rate) {
	w := world{rows: 300, voxels: 20, phi: phi, signal: .5, base: 1, tuned: 1}
	for i := range uint64(sets) {
		out, err := PairedTest(t.Context(), w.subject(i), w.regions(), PairedOptions{Permutations: few, Seed: i})
		require.NoError(t, err)
		voxels.add(countBelow(out.Voxels[0].P, .05), w.voxels)
		regions.add(countBelow(out.Groups.P, .05), len(out.Groups.P))
	}
	return voxels, regions
}

// calibrateIntervals also looks at a loss of exactly the margin, which must not often be called not worse.
func calibrateIntervals(t *testing.T, phi float64, sets int, precision float64) {
	w := world{rows: 600, voxels: 20, phi: phi, signal: .5, base: 1, tuned: 1.3}
	base, delta := w.r(w.base), w.r(w.tuned)-w.r(w.base)
	var missBase, missDelta, notWorse rate
	for i := range uint64(sets) {
		out, err := PairedBootstrap(t.Context(), w.subject(i), w.regions(), BootstrapOptions{Resamples: 500, Seed: i})
		require.NoError(t, err)
		outBase, outDelta, wrong, n := 0, 0, 0, 0
		for _, g := range out.Groups {
			if g.Reason != "" {
				continue
			}
			n++
			outBase += outside(base, g.Base.CI95)
			outDelta += outside(delta, g.Delta.CI95)
			if g.NonInferiority(-delta).NonInferior {
				wrong++
			}
		}
		if n > 0 {
			missBase.add(outBase, n)
			missDelta.add(outDelta, n)
			notWorse.add(wrong, n)
		}
	}
	missBase.atMost(t, "95 % intervals of r miss", .08, precision)
	missDelta.atMost(t, "95 % intervals of the difference miss", .08, precision)
	notWorse.atMost(t, "a loss of the margin is called not worse", .08, precision)
}

func outside(x float64, i *Interval) int {
	if x < i[0] || x > i[1] {
		return 1
	}
	return 0
}

func calibrateCeilings(t *testing.T, phi float64, sets int) {
	snr := []float64{.1, .2, .3, .5, .7, 1, 1.5, 2}
	undefined, off := 0, make([]float64, len(snr))
	total, mean := 0, 0.
	for i := range uint64(sets) {
		x, truth := planted(seeded(i), 5, 300, snr, phi)
		c := Ceiling(x, 5, 300, len(snr))
		for v := range snr {
			total++
			if !c.Defined[v] {
				undefined++
				continue
			}
			off[v] += (c.CCMax[v] - truth[v]) / float64(sets)
			mean += (c.CCMax[v] - truth[v]) / float64(sets*len(snr))
		}
	}
	t.Logf("φ %g: CC_max off by %+.4f, by SNR %+.3f; %d of %d undefined", phi, mean, off, undefined, total)
	assert.InDelta(t, 0, mean, .01)
	assert.LessOrEqual(t, float64(undefined), .02*float64(total))
}

// A few seconds' worth of data sets: enough to see a test that is broken.
// TestCalibrationOnManyDataSets, with the tag slow, has so many that the rates themselves are held
// against their limits.
func TestCalibration(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, phi := range []float64{.5, .8} {
		t.Run(fmt.Sprint("phi", phi), func(t *testing.T) {
			t.Run("correlation", func(t *testing.T) { calibrateCorrelation(t, phi, 100, .005) })
			t.Run("paired", func(t *testing.T) { // regions are a fifth as many: only the slow test has enough of them
				voxels, _ := calibratePaired(t, phi, 200)
				voxels.atMost(t, "|difference| > chance, voxels", limits[phi], .005)
			})
			t.Run("intervals", func(t *testing.T) { calibrateIntervals(t, phi, 60, .02) })
			t.Run("ceilings", func(t *testing.T) { calibrateCeilings(t, phi, 60) })
		})
	}
}

// What is there is found: the tests are not only silent where nothing is.
func TestPower(t *testing.T) {
	w := world{rows: 600, voxels: 40, phi: .5, signal: .4, base: 2, tuned: .2}
	const sets = 10
	var found, better, regions float64
	for i := range uint64(sets) {
		s := w.story(i)
		out, err := PermutationTest(t.Context(), s.Base, s.Responses, w.rows, w.voxels,
			PermutationOptions{Permutations: 500, Seed: i})
		require.NoError(t, err)
		found += float64(countBelow(out.Q, .05)) / float64(w.voxels*sets)
		test, err := PairedTest(t.Context(), w.subject(i), w.regions(), PairedOptions{Permutations: 500, Seed: i})
		require.NoError(t, err)
		better += float64(countBelow(test.Voxels[0].Q, .05)) / float64(w.voxels*sets)
		regions += float64(countBelow(test.Groups.PMax, .05)) / float64(len(test.Groups.P)*sets)
	}
	t.Logf("r of %.2f found in %.3f of voxels (q ≤ .05); a gain to %.2f in %.3f, in %.3f of regions",
		w.r(w.base), found, w.r(w.tuned), better, regions)
	assert.Greater(t, found, .9)
	assert.Greater(t, better, .8)
	assert.Greater(t, regions, .99)
}
