package tune_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/internal/tune"
)

func listener(rows ...design.Rows) *study.Subject {
	return &study.Subject{Parts: [3][]design.Rows{rows}}
}

func TestBlocks(t *testing.T) {
	a := listener(design.Rows{Story: "s", From: 10, To: 34}, design.Rows{Story: "t", From: 0, To: 10})
	b := listener(design.Rows{Story: "s", From: 10, To: 36})
	assert.Equal(t, []tune.Block{
		{Story: "s", From: 10, To: 20, Subjects: []int{0, 1}},
		{Story: "s", From: 20, To: 34, Subjects: []int{0}}, // a rest of 4 rows goes with the block before it
		{Story: "t", From: 0, To: 10, Subjects: []int{0}},
		{Story: "s", From: 20, To: 30, Subjects: []int{1}},
		{Story: "s", From: 30, To: 36, Subjects: []int{1}}, // one of 6 is a block
	}, tune.Blocks([]*study.Subject{a, b}, 10, true))
	assert.Equal(t, []tune.Block{
		{Story: "s", From: 10, To: 20, Subjects: []int{0}}, {Story: "s", From: 20, To: 34, Subjects: []int{0}},
		{Story: "t", From: 0, To: 10, Subjects: []int{0}},
		{Story: "s", From: 10, To: 20, Subjects: []int{1}}, {Story: "s", From: 20, To: 30, Subjects: []int{1}},
		{Story: "s", From: 30, To: 36, Subjects: []int{1}},
	}, tune.Blocks([]*study.Subject{a, b}, 10, false))
	assert.Equal(t, []tune.Block{{Story: "s", From: 0, To: 3, Subjects: []int{0}}},
		tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 0, To: 3})}, 10, true))
	assert.Len(t, tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 0, To: 3})}, 1, true), 3)
}

func TestEveryRowIsInOneBlock(t *testing.T) {
	for size := 1; size < 13; size++ {
		for n := 1; n < 40; n++ {
			next := 5
			for _, b := range tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 5, To: 5 + n})}, size,
				true) {
				require.Equal(t, next, b.From)
				require.Greater(t, b.To, b.From)
				require.Less(t, b.To-b.From, size+(size+1)/2)
				next = b.To
			}
			require.Equal(t, 5+n, next)
		}
	}
}

func TestOrderOfBlocks(t *testing.T) {
	var bs []tune.Block
	for _, story := range []string{"b", "a"} {
		for k := range 20 {
			bs = append(bs, tune.Block{Story: story, From: k, To: k + 1, Subjects: []int{0}})
		}
	}
	one, again, other := tune.Shuffled(bs, 1), tune.Shuffled(bs, 1), tune.Shuffled(bs, 2)
	assert.Equal(t, one, again)
	assert.NotEqual(t, one, other)
	assert.ElementsMatch(t, bs, one)
	reversed := make([]tune.Block, len(bs))
	for i, b := range bs {
		reversed[len(bs)-1-i] = b
	}
	assert.Equal(t, one, tune.Shuffled(reversed, 1), "the order in which data came does not matter")
	assert.Equal(t, "b", bs[0].Story, "the list itself is left alone")
}
