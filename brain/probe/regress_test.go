package probe

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
)

func TestTimeFoldsKeepTheGap(t *testing.T) {
	var items []item
	for story := range 2 {
		for k := range 50 {
			items = append(items, item{Story: story, From: .3 * float64(k), To: .3*float64(k) + .1})
		}
	}
	folds := timeFolds(items, 4)
	require.Len(t, folds, 4)
	tested := map[int]int{}
	for _, f := range folds {
		require.Len(t, f.Inner, len(f.Train))
		for _, i := range f.Test {
			tested[i]++
			for _, j := range f.Train {
				if a, b := items[i], items[j]; a.Story == b.Story {
					require.GreaterOrEqual(t, max(a.From-b.To, b.From-a.To), 1., "a second apart")
				}
			}
		}
	}
	assert.Len(t, tested, len(items))
	for _, n := range tested {
		require.Equal(t, 1, n)
	}
}

func TestWordFoldsHoldOutWords(t *testing.T) {
	items, _, words := scattered(300, 1, 40, 1)
	folds := wordFolds(items, words, 3, 4, 1)
	require.Len(t, folds, 12)
	tested := map[int]bool{}
	for _, f := range folds {
		fitted := map[int]bool{}
		for at, i := range f.Train {
			fitted[words[i]] = true
			for before := range at { // inner groups hold out words too
				if words[f.Train[before]] == words[i] {
					require.Equal(t, f.Inner[before], f.Inner[at])
				}
			}
		}
		for _, i := range f.Test {
			tested[i] = true
			require.False(t, fitted[words[i]], "a word of the test is fitted")
		}
	}
	assert.Len(t, tested, len(items))
}

// TestIdentityWithoutMeaningScoresZero plants the leak that holding out words is against: each word has a random vector
// that says which word it is and nothing else. With words in training and test it predicts their meaning well; with
// words held out it must not.
func TestIdentityWithoutMeaningScoresZero(t *testing.T) {
	const n, kinds, width, meanings = 600, 120, 60, 5
	items, x, words := scattered(n, width, kinds, .2)
	meaning := gauss(kinds*meanings, 8)
	var y []float32
	for _, w := range words {
		y = append(y, meaning[w*meanings:(w+1)*meanings]...)
	}
	mean := func(folds []fold) (sum float64) {
		r, err := regress(t.Context(), torchtest.Device(), x, y, n, folds, words)
		require.NoError(t, err)
		for _, v := range r {
			sum += v / meanings
		}
		return sum
	}
	assert.Greater(t, mean(timeFolds(items, 3)), .5, "the leak is there to be found")
	assert.InDelta(t, 0, mean(wordFolds(items, words, 3, 4, 1)), .1, "words held out")

	// Meaning in the vectors is found although the words were never fitted.
	for i, w := range words {
		copy(x[i*width:], meaning[w*meanings:(w+1)*meanings])
	}
	assert.Greater(t, mean(wordFolds(items, words, 3, 4, 1)), .7)
}

func TestRegress(t *testing.T) {
	const n, width = 400, 6
	items, _, _ := scattered(n, width, 2, 1)
	x, noise := gauss(n*width, 1), gauss(n*2, 2)
	y := make([]float32, 0, n*3)
	for i := range n {
		signal := x[i*width] - x[i*width+3]
		y = append(y, signal+1.41421*noise[2*i], noise[2*i+1], 7) // variance 2 each: the best r is √½
	}
	r, err := regress(t.Context(), torchtest.Device(), x, y, n, timeFolds(items, nTimeFolds), nil)
	require.NoError(t, err)
	assert.InDelta(t, .7071, r[0], .05)
	assert.InDelta(t, 0, r[1], .12)
	assert.Zero(t, r[2], "a constant has no score")
	_, err = regress(t.Context(), torchtest.Device(), x, y, n, nil, nil)
	assert.ErrorContains(t, err, "cannot be held out")
}

func TestPerWord(t *testing.T) {
	mean, rows := perWord([]float32{1, 2, 3, 4, 5, 6}, 2, []int{9, 0, 4}, []int{7, 0, 0, 0, 3, 0, 0, 0, 0, 7})
	assert.Equal(t, []float32{2, 3, 5, 6}, mean)
	assert.Equal(t, 2, rows)
}
