package tune_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
)

func listener(rows ...design.Rows) *study.Subject {
	return &study.Subject{Parts: [3][]design.Rows{rows}}
}

// cut is a training with blocks of a number of rows.
func cut(rows int, joint experiment.Joint) experiment.Train {
	train := experiment.Default().Train
	train.BlockRows, train.Joint = rows, joint
	return train
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
	}, tune.Blocks([]*study.Subject{a, b}, cut(10, experiment.JointShared)))
	assert.Equal(t, []tune.Block{
		{Story: "s", From: 10, To: 20, Subjects: []int{0}}, {Story: "s", From: 20, To: 34, Subjects: []int{0}},
		{Story: "t", From: 0, To: 10, Subjects: []int{0}},
		{Story: "s", From: 10, To: 20, Subjects: []int{1}}, {Story: "s", From: 20, To: 30, Subjects: []int{1}},
		{Story: "s", From: 30, To: 36, Subjects: []int{1}},
	}, tune.Blocks([]*study.Subject{a, b}, cut(10, experiment.JointSequential)))
	assert.Equal(t, []tune.Block{{Story: "s", From: 0, To: 3, Subjects: []int{0}}},
		tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 0, To: 3})}, cut(10,
			experiment.JointShared)))
	assert.Len(t, tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 0, To: 3})}, cut(1,
		experiment.JointShared)), 3)
}

func TestEveryRowIsInOneBlock(t *testing.T) {
	for size := 1; size < 13; size++ {
		for n := 1; n < 40; n++ {
			next := 5
			for _, b := range tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 5, To: 5 + n})},
				cut(size, experiment.JointShared)) {
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

func TestARestOfTwoRowsIsABlockOfItsOwn(t *testing.T) {
	train := cut(10, experiment.JointShared)
	train.LastBlock = "keep"
	for n, want := range map[int][]int{1: nil, 2: {2}, 10: {10}, 11: {10}, 12: {10, 12}, 20: {10, 20}, 21: {10, 20},
		43: {10, 20, 30, 40, 43}} {
		var ends []int
		for _, b := range tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", From: 3, To: 3 + n})}, train) {
			ends = append(ends, b.To-3)
		}
		assert.Equal(t, want, ends, "%d rows", n)
	}
	train.BlockRows = 1
	assert.Len(t, tune.Blocks([]*study.Subject{listener(design.Rows{Story: "s", To: 3})}, train), 3)
}

func TestListedBlocksGoStoryByStory(t *testing.T) {
	train := cut(10, experiment.JointSequential)
	a := listener(design.Rows{Story: "z", To: 20}, design.Rows{Story: "a", To: 10})
	b := listener(design.Rows{Story: "a", To: 10}, design.Rows{Story: "z", To: 10})
	bs := tune.Blocks([]*study.Subject{a, b}, train)
	assert.Equal(t, []tune.Block{
		{Story: "z", From: 0, To: 10, Subjects: []int{0}}, {Story: "z", From: 10, To: 20, Subjects: []int{0}},
		{Story: "z", From: 0, To: 10, Subjects: []int{1}},
		{Story: "a", From: 0, To: 10, Subjects: []int{0}}, {Story: "a", From: 0, To: 10, Subjects: []int{1}},
	}, tune.Listed(bs))
}
