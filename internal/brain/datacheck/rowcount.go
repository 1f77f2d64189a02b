package datacheck

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
)

// A matrixShape is the shape of one file of responses next to the length of its story's audio.
type matrixShape struct {
	Subject, Story string
	Path, Array    string // of the file, and in it; "" for a matrix in memory
	Rows, Voxels   int
	Audio          float64 // seconds
	Clock          design.Clock
	Span           *dataset.RowSpan // where the data set says that the rows begin and end
	Lies           orientation      // what the values of a doubtful matrix say
}

// Differences that are usual: scanning began before the story or went on after it, or rows were cut. The
// largest of the three is allowed.
const (
	usualRows    = 1   // the last TR may be cut short; no note for that
	usualShare   = .03 // of the rows
	usualSeconds = 20.
)

// want returns the number of rows of the stretch that the data set states, else of TRs that begin within the
// audio. A TR that begins within the last millisecond comes from rounding and has no volume.
func (m matrixShape) want() int {
	if m.Span != nil {
		return int(math.Round((m.Span.Last - m.Span.First) / m.Clock.TR))
	}
	return int(math.Ceil((m.Audio - m.Clock.First - 1e-3) / m.Clock.TR))
}

// excess returns the number of rows too many; below 0 it is of rows that are missing.
func (m matrixShape) excess() int { return m.Rows - m.want() }

// usual returns the largest difference in rows that is no error.
func (m matrixShape) usual() int {
	if m.Span != nil {
		return usualRows
	}
	return int(max(usualRows, usualShare*float64(m.want()), usualSeconds/m.Clock.TR) + 1e-9)
}

// fits reports whether a number of rows is that of a story, but for the last TR.
func (m matrixShape) fits(rows int) bool { return apart(rows, m.want()) <= usualRows }

func (m matrixShape) seconds(rows int) float64 { return float64(apart(rows, 0)) * m.Clock.TR }

// name returns file, subject and story.
func (m matrixShape) name() string {
	name := fmt.Sprintf("subject %s, story %s", m.Subject, m.Story)
	if m.Path != "" {
		name = m.Path + ": " + name
	}
	return name
}

func (m matrixShape) fail(why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, "check rows", m.name(), why, args...)
}

// expected says how many rows there should be.
func (m matrixShape) expected() string {
	if m.Span != nil {
		return fmt.Sprintf("rows in dataset.yaml from %g to %g s are %d of %g s", m.Span.First, m.Span.Last, m.want(),
			m.Clock.TR)
	}
	return fmt.Sprintf("the audio of %.2f s has %d TRs of %g s from first_tr_seconds %g on", m.Audio, m.want(),
		m.Clock.TR, m.Clock.First)
}

// difference says by how much the rows differ from what is expected.
func (m matrixShape) difference() string {
	more := "too many"
	if m.excess() < 0 {
		more = "missing"
	}
	return fmt.Sprintf("%d rows (%.1f s) %s", apart(m.excess(), 0), m.seconds(m.excess()), more)
}

// apart returns the difference of two counts.
func apart(a, b int) int { return max(a-b, b-a) }

// judgeShapes compares the rows of matrices with their audio and their shapes with each other.
func judgeShapes(matrices []matrixShape) *Shapes {
	out := &Shapes{}
	clock := probableClock(matrices)
	for i, m := range matrices {
		others := slices.Concat(matrices[:i:i], matrices[i+1:])
		if err := wrongShape(m, others); err != nil {
			out.Wrong = append(out.Wrong, err)
		} else if err := wrongLength(m, others, clock); err != nil {
			out.Lengths = append(out.Lengths, err)
		}
	}
	if len(out.Wrong) == 0 {
		out.Notes = usualNotes(matrices, clock)
	}
	return out
}

// wrongShape returns an error if no clock could make the matrix right.
func wrongShape(m matrixShape, others []matrixShape) error {
	if m.want() < 1 {
		return m.fail("row 0 begins at %g s, the audio lasts %.2f s", m.Clock.First, m.Audio).
			WithHint("correct first_tr_seconds")
	}
	sameSubject := slices.DeleteFunc(slices.Clone(others), func(o matrixShape) bool { return o.Subject != m.Subject })
	far := apart(m.excess(), 0) > m.usual()
	columns, agree := mostFrequent(append(slices.Clone(sameSubject), m), func(o matrixShape) int { return o.Voxels })
	voxels := slices.ContainsFunc(sameSubject, func(o matrixShape) bool { // and not TRs, which would differ
		return o.Voxels == m.Voxels && apart(o.want(), m.want()) > usualRows
	})
	cut := m.usual() // columns are TRs, but for those that were cut
	if agree && columns == m.Voxels {
		cut = usualRows
	}
	if m.doubtful() && !voxels && m.Lies != upright && (m.Lies == transposed ||
		slices.ContainsFunc(sameSubject, func(o matrixShape) bool { // as many rows, and columns that fit other audio
			return o.doubtful() && o.Rows == m.Rows && apart(o.want(), m.want()) > usualRows
		})) {
		return m.fail("%d × %d looks transposed: its %d columns fit the audio, its rows do not; %s", m.Rows, m.Voxels,
			m.Voxels, m.expected()).WithHint("save it as TRs × voxels")
	}
	if far && !voxels && (apart(m.Voxels, m.want()) <= cut || agree && columns != m.Voxels && columns == m.Rows) {
		return m.fail("%d × %d looks transposed: %s", m.Rows, m.Voxels, m.expected()).
			WithHint("save it as TRs × voxels")
	}
	if k := m.Rows / m.want(); m.Span == nil && k >= 2 && m.want() >= 10 && apart(m.Rows, k*m.want()) <= usualRows {
		return m.fail("%d rows are %d times as many as expected: %s", m.Rows, k, m.expected()).
			WithHint("save repeats as repeats × TRs × voxels; if all rows are one recording, correct tr_seconds")
	}
	for _, o := range sameSubject {
		switch {
		case m.Path != "" && o.Path == m.Path && o.Array == m.Array:
			return m.fail("the file is listed for story %s, too", o.Story).
				WithHint("name the file of story %s", m.Story)
		case o.want() < 1:
		case !m.fits(m.Rows) && !o.fits(o.Rows) && m.fits(o.Rows) && o.fits(m.Rows):
			return m.fail("its %d rows fit story %s (%d TRs), whose %d rows fit story %s (%d TRs): they look swapped",
				m.Rows, o.Story, o.want(), o.Rows, m.Story, m.want()).WithHint("exchange the two files")
		}
	}
	const remedy = "take the matrix with the voxels of the other stories; if it is transposed, save it as TRs × voxels"
	if agree && columns != m.Voxels {
		return m.fail("%d × %d has %d voxels, the other stories of the subject have %d", m.Rows, m.Voxels, m.Voxels,
			columns).WithHint(remedy)
	}
	for _, o := range sameSubject {
		if !agree && o.Voxels != m.Voxels {
			return m.fail("%d × %d has %d voxels, %s with %d × %d has %d", m.Rows, m.Voxels, m.Voxels, o.name(), o.Rows,
				o.Voxels, o.Voxels).WithHint(remedy)
		}
	}
	return nil
}

// wrongLength returns an error if rows are missing or left over, more than is usual, against the audio or
// the other subjects, or if a matrix that alone does not fit has the rows of another story.
func wrongLength(m matrixShape, others []matrixShape, clock clockGuess) error {
	twin := -1 // a matrix of another story that has these rows
	for i, o := range others {
		if o.Story != m.Story && o.want() > 0 && o.fits(m.Rows) {
			twin = i
			break
		}
	}
	alone := len(others) >= 2 && !m.fits(m.Rows) && !slices.ContainsFunc(others, func(o matrixShape) bool {
		return o.want() < 1 || !o.fits(o.Rows)
	})
	if apart(m.excess(), 0) > m.usual() || alone && twin >= 0 && m.Span == nil {
		remedy := fmt.Sprintf("take the file of this story, correct tr_seconds or first_tr_seconds, or say in "+
			"dataset.yaml where its rows begin and end, in seconds of the audio: rows: {first: %g, last: %g}",
			m.Clock.First, m.Clock.First+float64(m.Rows)*m.Clock.TR)
		if m.Span != nil {
			remedy = "correct rows, tr_seconds or the file"
		} else if clock.text != "" {
			remedy = clock.text + "; " + remedy
		}
		reason := fmt.Sprintf("%d rows, %s: %s", m.Rows, m.expected(), m.difference())
		if twin >= 0 {
			reason += fmt.Sprintf(", and story %s has %d TRs", others[twin].Story, others[twin].want())
		}
		return m.fail("%s", reason).WithHint("%s", remedy)
	}
	rows, agree := oddRows(m, others)
	if agree && apart(m.Rows, rows) > m.usual() {
		return m.fail("%d rows, the other subjects have %d of this story: %d rows (%.1f s) apart", m.Rows, rows,
			apart(m.Rows, rows), m.seconds(m.Rows-rows)).
			WithHint("take the file of this story, or say in dataset.yaml where its rows begin and end: "+
				"{file: %s, rows: {first: %g, last: %g}}", cmp.Or(m.Path, "FILE"), m.Clock.First,
				m.Clock.First+float64(m.Rows)*m.Clock.TR)
	}
	return nil
}

// oddRows returns the number of rows of a story that most subjects have, and whether a matrix is an odd one
// out.
func oddRows(m matrixShape, others []matrixShape) (rows int, odd bool) {
	sameStory := slices.DeleteFunc(append(slices.Clone(others), m), func(o matrixShape) bool {
		return o.Story != m.Story || o.Span != nil
	})
	rows, agree := mostFrequent(sameStory, func(o matrixShape) int { return o.Rows })
	return rows, m.Span == nil && agree && rows != m.Rows
}

// mostFrequent returns the number that more than half of the matrices have, and whether there is one that at
// least two have.
func mostFrequent(list []matrixShape, number func(matrixShape) int) (most int, agree bool) {
	count := map[int]int{}
	for _, m := range list {
		n := number(m)
		if count[n]++; count[n] > count[most] {
			most = n
		}
	}
	return most, count[most] >= 2 && 2*count[most] > len(list)
}

// usualNotes notes rows that are missing or left over within what is usual.
func usualNotes(matrices []matrixShape, clock clockGuess) (notes []string) {
	var doubtful []string
	for _, m := range matrices {
		if m.doubtful() && m.Lies == unclear {
			doubtful = append(doubtful, fmt.Sprintf("%s/%s: %d × %d", m.Subject, m.Story, m.Rows, m.Voxels))
		}
	}
	if len(doubtful) > 0 {
		notes = append(notes, "columns fit the audio and rows do not, as if transposed: "+few(doubtful))
	}
	if clock.text != "" {
		return append(notes, clock.text)
	}
	var off, odd []string
	for i, m := range matrices {
		if n := apart(m.excess(), 0); n > usualRows && n <= m.usual() {
			off = append(off, fmt.Sprintf("%s/%s: %d rows, %s", m.Subject, m.Story, m.Rows, m.difference()))
		}
		rows, is := oddRows(m, slices.Concat(matrices[:i:i], matrices[i+1:]))
		if is && apart(rows, m.Rows) > usualRows {
			odd = append(odd, fmt.Sprintf("%s/%s: %d rows, the others have %d", m.Subject, m.Story, m.Rows, rows))
		}
	}
	if len(off) > 0 {
		notes = append(notes, "rows and audio differ, as where scanning went on or rows were cut: "+few(off))
	}
	if len(odd) > 0 {
		notes = append(notes, "subjects differ in rows of a story: "+few(odd))
	}
	return notes
}

// few joins the first items of a list and the number of the others.
func few(list []string) string {
	const shown = 4
	if len(list) <= shown {
		return strings.Join(list, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(list[:shown], "; "), len(list)-shown)
}
