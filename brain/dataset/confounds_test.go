package dataset

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// table is a table of confounds as fMRIPrep writes it, with columns in its order.
const table = "csf\tframewise_displacement\trot_z\ttrans_x\ttrans_x_derivative1\ttrans_y\ttrans_z\trot_x\trot_y\n" +
	"400.5\tn/a\t0.06\t0.01\tn/a\t0.02\t0.03\t0.04\t0.05\n" +
	"401\t0.2\t0.16\t0.11\t0.1\t0.12\t0.13\t0.14\t-1.5e-05\n"

// withMotion is a data set of two rows with motion that is given in YAML and a table.
func withMotion(t *testing.T, motion, table string) (*Dataset, error) {
	t.Helper()
	return Open(write(t, map[string]string{"dataset.yaml": `tr_seconds: 2
stories:
  a: {audio: a.wav}
subjects:
  s1: {a: a.txt}
motion:
  s1: {a: ` + motion + "}\n", "a.txt": "1 2\n3 4\n", "c.tsv": table, "m.npy": "x"}))
}

func TestConfoundsOfFMRIPrepAreMotion(t *testing.T) {
	d, err := withMotion(t, "c.tsv", table)
	require.NoError(t, err)
	m, err := d.Motion(t.Context(), "s1", "a")
	require.NoError(t, err)
	assert.Equal(t, NewMatrix(2, 6, []float32{.01, .02, .03, .04, .05, .06, .11, .12, .13, .14, -1.5e-5, .16}), m,
		"the rigid-body columns by name, in their order")

	d, err = withMotion(t, "{file: c.tsv, columns: [trans_x_derivative1, framewise_displacement, csf]}", table)
	require.NoError(t, err)
	m, err = d.Motion(t.Context(), "s1", "a")
	require.NoError(t, err)
	assert.Equal(t, NewMatrix(2, 3, []float32{0, 0, 400.5, .1, .2, 401}), m, "n/a of the first row is 0")

	d, err = withMotion(t, "c.tsv", "0.1\t0.2\n0.3\t0.4\n")
	require.NoError(t, err)
	m, err = d.Motion(t.Context(), "s1", "a")
	require.NoError(t, err)
	assert.Equal(t, NewMatrix(2, 2, []float32{.1, .2, .3, .4}), m, "a table without names is a matrix in text")
}

func TestConfoundsThatCannotBeMotion(t *testing.T) {
	rows := strings.SplitAfter(table, "\n")
	for name, c := range map[string]struct{ table, want string }{
		"no such column": {strings.Replace(table, "rot_x", "rot_X", 1),
			`c.tsv:1: there is no column "rot_x"; did you mean "rot_X"?`},
		"another table": {"onset\tduration\n1\t2\n",
			`c.tsv:1: there is no column "trans_x"; choose columns of the table`},
		"two of a name": {strings.Replace(table, "csf", "rot_x", 1), `c.tsv:1: there are two columns "rot_x"`},
		"n/a in the first row of what is no difference": {strings.Replace(table, "0.04", "n/a", 1),
			`c.tsv:2: column "rot_x": n/a, which only the first row of a difference`},
		"n/a later":       {strings.Replace(table, "0.14", "n/a", 1), `c.tsv:3: column "rot_x": n/a`},
		"no number":       {strings.Replace(table, "0.14", "much", 1), `column "rot_x": "much" is not a number`},
		"not finite":      {strings.Replace(table, "0.14", "nan", 1), `column "rot_x": "nan" is not a number`},
		"a ragged line":   {table + "1\t2\n", "c.tsv:4: 2 fields, the first line names 9 columns"},
		"names alone":     {rows[0], "c.tsv:2: there are no rows"},
		"one row too few": {rows[0] + rows[1], "1 × 1 rows, the responses have 1 × 2"},
	} {
		d, err := withMotion(t, "c.tsv", c.table)
		require.NoError(t, err, name)
		_, err = d.Motion(t.Context(), "s1", "a")
		faulttest.Require(t, fault.BadData, err, c.want)
	}
	later := strings.Replace(table, "0.1\t0.12", "n/a\t0.12", 1)
	d, err := withMotion(t, "{file: c.tsv, columns: [trans_x_derivative1]}", later)
	require.NoError(t, err)
	_, err = d.Motion(t.Context(), "s1", "a")
	faulttest.Require(t, fault.BadData, err, `c.tsv:3: column "trans_x_derivative1": n/a`)
}

func TestColumnsOfMotionInTheDescription(t *testing.T) {
	for motion, want := range map[string]string{
		"{columns: [csf]}":                     "motion/s1/a needs file",
		"{file: c.tsv, columns: []}":           "motion/s1/a/columns is empty",
		"{file: c.tsv, columns: csf}":          `motion/s1/a/columns is "csf", want a list`,
		"{file: m.npy, columns: [csf]}":        "m.npy has no names of columns, which a .tsv has",
		"{file: c.tsv, colums: [csf]}":         "did you mean columns?",
		"{file: c.tsv, rows: {last: 3}}":       "motion has the rows of its responses",
		"{file: c.tsv, columns: [csf, [a,b]]}": "is a list, want text",
	} {
		_, err := withMotion(t, motion, table)
		faulttest.Require(t, fault.BadData, err, want)
	}
}
