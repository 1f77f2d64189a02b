package clean

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const (
	reading  = "read confounds"
	maxBytes = 1 << 28
)

// Confounds are the columns of a table of fMRIPrep (desc-confounds_timeseries.tsv, or _regressors before version 1.4).
type Confounds struct {
	Rows    int
	path    string
	names   []string
	columns map[string][]float64
	combine func() (map[string]component, error)
}

// component is what the table's JSON file says of a component.
type component struct {
	Mask     string
	Retained *bool
}

// Read reads a table. n/a is 0 in the first row, where derivatives have none, and an error elsewhere in a column that
// is asked for.
func Read(path string) (*Confounds, error) {
	text, err := inputfile.Read(reading, path, maxBytes)
	if err != nil {
		return nil, err
	}
	c, err := parse(text, path)
	if err != nil {
		return nil, err
	}
	c.combine = func() (map[string]component, error) {
		all := map[string]component{}
		err := jsonfile.Read(reading, strings.TrimSuffix(path, ".tsv")+".json", &all)
		if fault.KindOf(err) == fault.Missing {
			return nil, nil
		}
		return all, err
	}
	return c, nil
}

func parse(text []byte, path string) (*Confounds, error) {
	fail := func(line int, why string, args ...any) error {
		return fault.New(fault.BadData, reading, fmt.Sprintf("%s:%d", quote.OneLine(path), line), why, args...)
	}
	c := &Confounds{path: path, columns: map[string][]float64{},
		combine: func() (map[string]component, error) { return nil, nil }}
	line := 0
	for l := range strings.Lines(string(bytes.TrimPrefix(text, []byte("\ufeff")))) {
		line++
		if l = strings.TrimRight(l, "\r\n"); strings.TrimSpace(l) == "" {
			continue
		}
		if c.names == nil {
			c.names = strings.Split(l, "\t")
			for i, name := range c.names {
				if slices.Contains(c.names[:i], name) {
					return nil, fail(line, "the column %q occurs twice", quote.Short(name))
				}
			}
			continue
		}
		at := 0
		for field := range strings.SplitSeq(l, "\t") {
			if at == len(c.names) {
				return nil, fail(line, "there are more than %d columns", len(c.names))
			}
			v := math.NaN()
			if text := strings.TrimSpace(field); text != "n/a" && text != "" && text != "NaN" {
				var err error
				if v, err = strconv.ParseFloat(text, 64); err != nil || math.IsInf(v, 0) {
					return nil, fail(line, "%s is %q, which is no number", quote.OneLine(quote.Short(c.names[at])),
						quote.Short(field))
				}
			} else if c.Rows == 0 {
				v = 0
			}
			c.columns[c.names[at]] = append(c.columns[c.names[at]], v)
			at++
		}
		if at != len(c.names) {
			return nil, fail(line, "%d columns, want %d", at, len(c.names))
		}
		c.Rows++
	}
	if c.Rows == 0 {
		return nil, fail(1, "there are no rows")
	}
	return c, nil
}

// Column returns a column by its name.
func (c *Confounds) Column(name string) ([]float64, error) {
	v, ok := c.columns[name]
	if !ok {
		return nil, fault.New(fault.BadData, reading, quote.OneLine(c.path), "there is no column %s",
			quote.OneLine(name))
	}
	if t := slices.IndexFunc(v, math.IsNaN); t >= 0 {
		return nil, fault.New(fault.BadData, reading, quote.OneLine(c.path), "%s has no value in row %d", name, t)
	}
	return v, nil
}

// motionNames are the six parameters of head motion.
var motionNames = []string{"trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"}

// MotionNames are the columns of the six parameters of head motion: translations in mm, then rotations in radians.
func MotionNames() []string { return slices.Clone(motionNames) }

// Motion returns the 6 parameters of head motion, or 24: those, their differences from the row before, and the squares
// of both (Friston et al. 1996). Columns that the table lacks are computed.
func (c *Confounds) Motion(n int) ([][]float64, error) {
	if n != 6 && n != 24 {
		return nil, fault.New(fault.Usage, reading, "", "%d parameters of motion, want 6 or 24", n)
	}
	var out [][]float64
	for _, name := range motionNames {
		v, err := c.Column(name)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if n == 6 {
			continue
		}
		difference := make([]float64, len(v))
		for t := 1; t < len(v); t++ {
			difference[t] = v[t] - v[t-1]
		}
		out = append(out, difference, squares(v), squares(difference))
	}
	return out, nil
}

func squares(v []float64) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = v[i] * v[i]
	}
	return out
}

// sphere is the radius in millimetres at which rotations count as displacement.
const sphere = 50

// Displacement is the framewise displacement of each row in millimetres (Power et al. 2012): the sum of the absolute
// differences to the row before of three translations in mm and of three rotations in radians at 50 mm. Row 0 has 0.
func (c *Confounds) Displacement() ([]float64, error) {
	parameters, err := c.Motion(6)
	if err != nil {
		return nil, err
	}
	out := make([]float64, c.Rows)
	for i, v := range parameters {
		scale := 1.
		if i >= 3 {
			scale = sphere
		}
		for t := 1; t < len(v); t++ {
			out[t] += scale * math.Abs(v[t]-v[t-1])
		}
	}
	return out, nil
}

// CompCor returns the first n components of aCompCor. If the table's JSON file tells which mask each is of, they are
// those of the combined mask that were retained.
func (c *Confounds) CompCor(n int) ([][]float64, error) {
	about, err := c.combine()
	if err != nil {
		return nil, err
	}
	var out [][]float64
	for _, name := range c.names {
		if !strings.HasPrefix(name, "a_comp_cor_") || len(out) == n {
			continue
		}
		if a, ok := about[name]; ok && (a.Mask != "combined" || a.Retained != nil && !*a.Retained) {
			continue
		}
		v, err := c.Column(name)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if len(out) < n {
		return nil, fault.New(fault.BadData, reading, quote.OneLine(c.path),
			"there are %d components of aCompCor, want %d",
			len(out), n)
	}
	return out, nil
}

// Still tells which rows are kept where rows with a framewise displacement above most millimetres are left out.
func (c *Confounds) Still(most float64) (keep []bool, leftOut int, err error) {
	v, err := c.Column("framewise_displacement")
	if err != nil {
		return nil, 0, err
	}
	keep = make([]bool, len(v))
	for t := range v {
		if keep[t] = v[t] <= most; !keep[t] {
			leftOut++
		}
	}
	return keep, leftOut, nil
}
