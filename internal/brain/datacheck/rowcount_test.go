package datacheck

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// shaped is a matrix of subject and story with audio of some seconds, TR 2, row 0 at the start of the audio.
func shaped(subject, story string, seconds float64, rows, voxels int) matrixShape {
	return matrixShape{Subject: subject, Story: story, Path: subject + "/" + story + ".npy", Rows: rows, Voxels: voxels,
		Audio: seconds, Clock: design.Clock{TR: 2, RowTime: .5}}
}

// withTR are the same matrices under another TR.
func withTR(tr float64, list ...matrixShape) []matrixShape {
	for i := range list {
		list[i].Clock.TR = tr
	}
	return list
}

// from is the matrix with row 0 at another second of the audio.
func (m matrixShape) from(first float64) matrixShape {
	m.Clock.First = first
	return m
}

// lying is the matrix with values that lie in some way.
func (m matrixShape) lying(o orientation) matrixShape {
	m.Lies = o
	return m
}

// spanning is the matrix with a stretch of rows that the data set states.
func (m matrixShape) spanning(first, last float64) matrixShape {
	m.Span = &dataset.RowSpan{First: first, Last: last}
	return m.from(first)
}

type list = []matrixShape

func TestShapesAreJudgedByTheirAudioAndByEachOther(t *testing.T) {
	fits := shaped("s1", "b", 90, 45, 500)
	for name, c := range map[string]struct {
		matrices list
		wrong    []string // parts of the only error of a shape
		length   []string // parts of the only error of a length
		note     []string // parts of the only note
	}{
		"rows that fit the audio pass without a note": {matrices: list{shaped("s1", "a", 72, 36, 500), fits}},
		"one row too few passes without a note":       {matrices: list{shaped("s1", "a", 72, 35, 500), fits}},
		"one row too many passes without a note":      {matrices: list{shaped("s1", "a", 72, 37, 500), fits}},
		"a TR that the audio cuts short counts as a row": {
			matrices: list{shaped("s1", "a", 72.4, 37, 500), fits}},
		"a millisecond of rounding is no row": {
			matrices: list{shaped("s1", "a", 72.0009, 35, 500), fits}},
		"a matrix with as many voxels as rows passes": {matrices: list{shaped("s1", "a", 72, 36, 36)}},
		"subjects may have other voxels than other subjects": {
			matrices: list{shaped("s1", "a", 72, 36, 500), shaped("s2", "a", 72, 36, 80)}},
		"20 s of rows after the end of the audio are a note with the seconds": {
			matrices: list{shaped("s1", "a", 72, 46, 500), fits},
			note:     []string{"s1/a: 46 rows, 10 rows (20.0 s) too many"}},
		"more than 20 s after the end are refused with what was expected, found and can be done": {
			matrices: list{shaped("s1", "a", 72, 47, 500), fits},
			length: []string{"s1/a.npy: subject s1, story a: 47 rows",
				"the audio of 72.00 s has 36 TRs of 2 s from first_tr_seconds 0 on", "11 rows (22.0 s) too many",
				"rows: {first: 0, last: 94}"}},
		"20 s of missing rows are a note": {
			matrices: list{shaped("s1", "a", 72, 26, 500), fits},
			note:     []string{"s1/a: 26 rows, 10 rows (20.0 s) missing"}},
		"15 rows too few are refused": {
			matrices: list{shaped("s1", "a", 72, 21, 500), fits},
			length:   []string{"15 rows (30.0 s) missing"}},
		"3 % of a long story are a note": {
			matrices: list{shaped("s1", "a", 2000, 970, 500), fits},
			note:     []string{"30 rows (60.0 s) missing"}},
		"more than 3 % of a long story are refused": {
			matrices: list{shaped("s1", "a", 2000, 969, 500), fits},
			length:   []string{"31 rows (62.0 s) missing"}},
		"twice the rows are refused even where they are less than 20 s": {
			matrices: withTR(.5, shaped("s1", "a", 8, 32, 500), shaped("s1", "b", 10, 20, 500)),
			wrong:    []string{"32 rows are 2 times as many as expected", "repeats × TRs × voxels"}},
		"a transposed matrix is named": {
			matrices: list{shaped("s1", "a", 1000, 36, 500), shaped("s1", "b", 90, 45, 36)},
			wrong:    []string{"s1/a.npy", "36 × 500 looks transposed", "the audio of 1000.00 s has 500 TRs"}},
		"a transposed matrix that was cut is named by the voxels of the other stories": {
			matrices: list{shaped("s1", "a", 1000, 36, 480), shaped("s1", "b", 90, 45, 36),
				shaped("s1", "c", 90, 45, 36)},
			wrong: []string{"s1/a.npy", "36 × 480 looks transposed"}},
		"columns that fit the audio better than rows that are nearly right are a note": {
			matrices: list{shaped("s1", "a", 300, 145, 150)},
			note: []string{"columns fit the audio and rows do not, as if transposed: s1/a: 145 × 150",
				"5 rows (10.0 s) fewer"}},
		"they are refused if their values lie so": {
			matrices: list{shaped("s1", "a", 300, 145, 150).lying(transposed)},
			wrong:    []string{"145 × 150 looks transposed: its 150 columns fit the audio, its rows do not"}},
		"they are right if their values lie so": {
			matrices: list{shaped("s1", "a", 300, 145, 150).lying(upright)},
			note:     []string{"5 rows (10.0 s) fewer"}},
		"they are refused if those of other audio have as many rows": {
			matrices: list{shaped("s1", "a", 300, 145, 150), shaped("s1", "b", 310, 145, 155)},
			wrong:    []string{"s1/a.npy", "its 150 columns fit the audio, its rows do not"}},
		"as many voxels as TRs are voxels if another story has as many, though rows were cut": {
			matrices: list{shaped("s1", "a", 300, 145, 150), shaped("s1", "b", 400, 195, 150)},
			note:     []string{"5 rows (10.0 s) fewer"}},
		"a story with other voxels than most of the subject's is the odd one out": {
			matrices: list{shaped("s1", "a", 72, 36, 499), fits, shaped("s1", "c", 60, 30, 500)},
			wrong:    []string{"s1/a.npy", "36 × 499 has 499 voxels, the other stories of the subject have 500"}},
		"two stories whose files are swapped are named though the lengths are usual": {
			matrices: list{shaped("s1", "a", 72, 40, 500), shaped("s1", "b", 80, 36, 500),
				shaped("s1", "c", 60, 30, 500)},
			wrong: []string{
				"its 40 rows fit story b (40 TRs), whose 36 rows fit story a (36 TRs): they look swapped"}},
		"the matrix of another story is named": {
			matrices: list{shaped("s1", "a", 160, 45, 500), fits},
			length:   []string{"s1/a.npy", "35 rows (70.0 s) missing", "story b has 45 TRs"}},
		"the matrix of another story is named though the difference is usual where all others fit": {
			matrices: list{shaped("s1", "a", 72, 45, 500), fits, shaped("s1", "c", 60, 30, 500)},
			length:   []string{"s1/a.npy", "9 rows (18.0 s) too many, and story b has 45 TRs"}},
		"rows that are those of another story are a note where others differ from their audio, too": {
			matrices: list{shaped("s1", "a", 72, 45, 500), fits, shaped("s1", "c", 60, 34, 500)},
			note:     []string{"s1/a: 45 rows, 9 rows (18.0 s) too many"}},
		"as many voxels as TRs are voxels if stories of other lengths have as many": {
			matrices: withTR(1.5, shaped("s1", "a", 150, 75, 100), shaped("s1", "b", 90, 60, 100)),
			length:   []string{"s1/a.npy", "25 rows (37.5 s) missing"}},
		"a file that stands for two stories is refused": {
			matrices: list{shaped("s1", "a", 72, 36, 500), {Subject: "s1", Story: "b", Path: "s1/a.npy", Rows: 36,
				Voxels: 500, Audio: 72, Clock: design.Clock{TR: 2}}},
			wrong: []string{"the file is listed for story b, too"}},
		"row 0 after the end of the audio is refused": {
			matrices: list{shaped("s1", "a", 72, 36, 500).from(80), fits},
			wrong:    []string{"row 0 begins at 80 s, the audio lasts 72.00 s"}},
		"a subject with other rows than most is noted as the odd one out": {
			matrices: list{shaped("s1", "a", 72, 36, 9), shaped("s2", "a", 72, 36, 9), shaped("s3", "a", 72, 39, 9)},
			note:     []string{"s3/a: 39 rows"}},
		"a subject far from most is refused though each fits the audio": {
			matrices: list{shaped("s1", "a", 72, 44, 9), shaped("s2", "a", 72, 44, 9), shaped("s3", "a", 72, 30, 9)},
			length: []string{"s3/a.npy",
				"30 rows, the other subjects have 44 of this story: 14 rows (28.0 s) apart"}},
		"scanning that begins 10 s before the audio is right": {
			matrices: list{shaped("s1", "a", 72, 41, 500).from(-10), fits}},
		"scanning that begins 10 s before and ends 20 s after is a note": {
			matrices: list{shaped("s1", "a", 72, 51, 500).from(-10), fits},
			note:     []string{"10 rows (20.0 s) too many"}},
		"rows that the data set states may end long after the audio": {
			matrices: list{shaped("s1", "a", 72, 100, 500).spanning(-10, 190), fits}},
		"rows that the data set states may end long before the audio": {
			matrices: list{shaped("s1", "a", 72, 10, 500).spanning(0, 20), fits}},
		"rows that the data set states are counted": {
			matrices: list{shaped("s1", "a", 72, 98, 500).spanning(-10, 190), fits},
			length: []string{
				"98 rows, rows in dataset.yaml from -10 to 190 s are 100 of 2 s: 2 rows (4.0 s) missing"}},
		"the same rows missing in each story are one note with the probable clock": {
			matrices: list{shaped("s1", "a", 72, 31, 500), shaped("s1", "b", 90, 39, 500),
				shaped("s2", "b", 90, 39, 500)},
			note: []string{"each story has 5 to 6 rows (10.0 to 12.0 s) fewer than TRs of audio",
				"first_tr_seconds 10 would fit"}},
		"the same rows left over in each story are one note with the probable clock": {
			matrices: list{shaped("s1", "a", 72, 41, 500), shaped("s1", "b", 90, 50, 500)},
			note:     []string{"5 rows (10.0 s) more than", "first_tr_seconds -10 would fit"}},
		"another TR that would fit each story is named": {
			matrices: withTR(1.5, shaped("s1", "a", 72, 36, 500), shaped("s1", "b", 60, 30, 500)),
			note:     []string{"12 rows", "a TR of 2 s would fit (tr_seconds is 1.5)"}},
		"a TR that leaves more than is usual is refused with the TR that would fit": {
			matrices: withTR(2, shaped("s1", "a", 72, 48, 500), shaped("s1", "b", 45, 30, 500)),
			length:   []string{"12 rows (24.0 s) too many", "a TR of 1.5 s would fit (tr_seconds is 2)"}},
		"a TR that is not usual is named, too": {
			matrices: withTR(2, shaped("s1", "a", 72, 40, 500), shaped("s1", "b", 90, 50, 500)),
			note:     []string{"a TR of 1.8 s would fit"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := judgeShapes(c.matrices)
			if c.wrong != nil {
				require.NotEmpty(t, got.Wrong)
				faulttest.Require(t, fault.BadData, got.Err(), c.wrong...)
			} else {
				assert.Empty(t, got.Wrong)
			}
			if c.length != nil {
				require.Len(t, got.Lengths, 1)
				faulttest.Require(t, fault.BadData, got.Lengths[0], c.length...)
			} else if c.wrong == nil {
				require.NoError(t, got.Err())
			}
			if c.note != nil {
				require.NotEmpty(t, got.Notes)
				for _, part := range c.note {
					assert.Contains(t, strings.Join(got.Notes, "\n"), part)
				}
			} else if c.wrong == nil && c.length == nil {
				assert.Empty(t, got.Notes)
			}
		})
	}
}

func TestNotesOfManyStoriesAreShort(t *testing.T) {
	var many list
	for i := range 40 {
		many = append(many, shaped("s1", fmt.Sprint(i), 900, 450+i%7, 500))
	}
	got := judgeShapes(many)
	require.NoError(t, got.Err())
	require.Len(t, got.Notes, 1)
	assert.Contains(t, got.Notes[0], "and 24 more")
	assert.Less(t, len(got.Notes[0]), 400)
}
