package dataset

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/suggest"
)

// rigidBody are the columns of a table of confounds that are read unless others are named: the realignment.
var rigidBody = []string{"trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"}

// isTable reports whether a file of motion is a table with names of columns, such as fMRIPrep's confounds.
func isTable(file string) bool { return strings.EqualFold(filepath.Ext(file), ".tsv") }

// confounds returns what reads some columns of a table of confounds; none: the rigid-body columns. A table without a
// head of names is a matrix in text.
func confounds(columns []string) func(folder, context.Context, string) (*Matrix, error) {
	return func(f folder, ctx context.Context, name string) (*Matrix, error) {
		text, err := f.read(name)
		if err != nil {
			return nil, err
		}
		first, _, _ := bytes.Cut(text, []byte("\n"))
		if len(columns) == 0 && !hasWords(first) {
			return readText(bytes.NewReader(text), f.join(name))
		}
		return readConfounds(bytes.NewReader(text), f.join(name), columns)
	}
}

// hasWords reports whether a line has a field that is no number.
func hasWords(line []byte) bool {
	for field := range bytes.FieldsSeq(line) {
		if _, err := strconv.ParseFloat(string(field), 64); err != nil {
			return true
		}
	}
	return false
}

// readConfounds reads columns of a table whose first line names them, separated by tabs. The n/a of fMRIPrep, which
// has no difference to the row before the first, is 0 in the first row of such a column and an error elsewhere. Name
// is the file, for errors.
func readConfounds(r io.Reader, name string, columns []string) (*Matrix, error) {
	if len(columns) == 0 {
		columns = rigidBody
	}
	fail := func(line int, why string, args ...any) *fault.Error {
		return fault.New(fault.BadData, "read confounds", name+":"+strconv.Itoa(line), why, args...)
	}
	table := csv.NewReader(r)
	table.Comma, table.LazyQuotes, table.ReuseRecord, table.FieldsPerRecord = '\t', true, true, -1
	head, err := table.Read()
	if err != nil {
		return nil, fail(1, "there is no line with the names of columns")
	}
	head = slices.Clone(head)
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	at := make([]int, len(columns))
	for i, c := range columns {
		at[i] = slices.Index(head, c)
		if at[i] < 0 {
			e := fail(1, "there is no column %q", c)
			if near := suggest.Nearest(c, slices.Values(head)); near != "" {
				return nil, e.WithHint("did you mean %q?", near)
			}
			return nil, e.WithHint("choose columns of the table: columns: [%s, …]", strings.Join(rigidBody[:2], ", "))
		}
		if slices.Contains(head[at[i]+1:], c) {
			return nil, fail(1, "there are two columns %q", c)
		}
	}
	m := &Matrix{Repeats: 1, Voxels: len(columns)}
	for {
		fields, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := table.FieldPos(0)
		if err != nil {
			return nil, fault.Wrap(fault.BadData, "read confounds", name, err)
		}
		if len(fields) != len(head) {
			return nil, fail(line, "%d fields, the first line names %d columns", len(fields), len(head))
		}
		for i, c := range columns {
			v, err := confound(fields[at[i]], c, m.Rows == 0)
			if err != nil {
				return nil, fail(line, "column %q: %s", c, err.Error()).
					WithHint("choose other columns, or fill the value in")
			}
			m.Data = append(m.Data, v)
		}
		m.Rows++
	}
	if m.Rows == 0 {
		return nil, fail(2, "there are no rows")
	}
	return m, nil
}

// confound reads a field.
func confound(text, column string, first bool) (float32, error) {
	if text == "n/a" {
		if first && isDifference(column) {
			return 0, nil
		}
		return 0, errors.New("n/a, which only the first row of a difference to the row before may be")
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > math.MaxFloat32 {
		return 0, errors.New(quoted([]byte(text)) + " is not a number")
	}
	return float32(v), nil
}

// isDifference reports whether a column of fMRIPrep has differences to the row before.
func isDifference(column string) bool {
	return strings.Contains(column, "_derivative1") ||
		slices.Contains([]string{"framewise_displacement", "dvars", "std_dvars", "non_std_dvars", "rmsd"}, column)
}
