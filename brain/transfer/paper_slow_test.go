//go:build slow

package transfer

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/sim"
)

// The settings were chosen on seeds 1 and 2.
func TestStatementsOfThePaperOnOtherSeeds(t *testing.T) {
	for _, seed := range []uint64{101, 102, 103} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			assert.Empty(t,
				failing(t, newPaper(t, seed, method{}).claims()))
		})
	}
}

// A method that is broken does not pass: each way to break it makes those claims fail that it has to.
func TestBrokenMethodsFailTheStatements(t *testing.T) {
	// An adapter that no gradient reaches is refused before the first step (brain, peft.Prove).
	// Here it gets by: with such a rate no weight moves in 32 bits, and only the readouts learn.
	t.Run("gradients cut", func(t *testing.T) {
		p := newPaper(t, 101, method{change: func(e *experiment.Experiment) { e.Train.LR = 1e-60 }})
		assert.Subset(t, failing(t, p.claims()), []string{meanRises, semantic, silent, auditoryUp, auditoryMore,
			newSubject, otherKind, nonsense,
			lexical, overShuffled, overRandom})
	})
	t.Run("responses shuffled", func(t *testing.T) {
		p := newPaper(t, 101, method{subjects: rolled()})
		assert.Subset(t, failing(t, p.claims()), []string{meanRises, semantic, newSubject, lexical, overShuffled})
	})
	t.Run("a test story leaks", func(t *testing.T) {
		leak := func(e *experiment.Experiment) { e.Data.Train = append([]string{e.Data.Test[0]}, e.Data.Train...) }
		p := newPaper(t, 101, method{})
		exp := p.experiment("leak")
		exp.Data.Subjects = tunedOn
		leak(exp)
		_, err := p.study.Vary(t.Context(), exp)
		require.ErrorContains(t, err, p.sim.TestStories[0])
		assert.Equal(t, fault.BadData, fault.KindOf(err), "the audit refuses it")

		p = newPaper(t, 101, method{change: func(e *experiment.Experiment) {
			leak(e)
			e.Data.AllowLeak = true
		}})
		assert.Contains(t, failing(t, p.claims()), unheard, "allowed, it is written down, and certifies nothing")
	})
}

// The paper tunes on one subject; with six subjects each can be the one who is left out, and the
// gain has an interval over subjects.
func TestWhoeverIsLeftOutGains(t *testing.T) {
	p := newPaper(t, 101, method{})
	exp := p.experiment("six")
	exp.Data.Subjects = append([]string{sim.Related}, tunedOn...)
	exp.Out = filepath.Join(p.dir, "six")
	st, err := p.study.Vary(t.Context(), exp)
	require.NoError(t, err)
	r, err := run(t.Context(), st, Options{Only: []Part{LeaveOneOut}})
	require.NoError(t, err)
	l := r.LeaveOneOut
	var tuned []float64
	for _, of := range l.Tuned {
		require.NotNil(t, of)
		tuned = append(tuned, *of)
	}
	t.Logf("gain of the new subject %+.3f %v, of subjects seen %+.3f, base %.3f, tuned %.3f", l.Delta.Mean,
		l.Delta.CI95, l.DeltaSeen.Mean, r.Base, tuned)
	require.NotNil(t, l.Delta.CI95)
	assert.Positive(t, l.Delta.CI95[0])
	assert.Positive(t, l.DeltaSeen.CI95[0])
}
