package clean

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/suggest"
)

// Recipe names what is taken out of a run. The zero value takes nothing.
type Recipe struct {
	HighPass float64 `json:"high_pass,omitempty"` // hertz: slower cosines are taken out
	Polort   int     `json:"polort,omitempty"`    // degree of Legendre polynomials
	Auto     bool    `json:"polort_auto,omitempty"`
	Detrend  bool    `json:"detrend,omitempty"`  // mean and linear trend
	Motion   int     `json:"motion,omitempty"`   // 6 or 24 parameters
	CompCor  int     `json:"acompcor,omitempty"` // components of aCompCor
	Censor   float64 `json:"censor,omitempty"`   // millimetres: rows of a larger framewise displacement do not count
}

// Recommended is a usual recipe for preprocessed data of fMRIPrep: its components of aCompCor are to be used with a
// high-pass filter of the same 128 s (fMRIPrep's documentation), and six parameters of motion cost few degrees of
// freedom.
var Recommended = Recipe{HighPass: 1. / 128, Motion: 6, CompCor: 5}

// most are bounds of a recipe.
const (
	mostDegree     = 50
	mostComponents = 1000
)

// step is a part of a recipe: what its value must be, and how it is set.
type step struct {
	want string
	set  func(r *Recipe, value string) bool
}

// steps are the parts of a recipe by name.
var steps = map[string]step{
	"recommended": {"no value", func(r *Recipe, v string) bool { *r = Recommended; return v == "" }},
	"detrend":     {"no value", func(r *Recipe, v string) bool { r.Detrend = true; return v == "" }},
	"high-pass":   {"hertz above 0", func(r *Recipe, v string) bool { return above0(v, &r.HighPass) }},
	"censor":      {"millimetres above 0", func(r *Recipe, v string) bool { return above0(v, &r.Censor) }},
	"polort": {"a degree from 1 to 50, or auto", func(r *Recipe, v string) bool {
		r.Auto = v == "auto"
		return r.Auto || whole(v, mostDegree, &r.Polort)
	}},
	"motion": {"6 or 24", func(r *Recipe, v string) bool {
		return whole(v, 24, &r.Motion) && (r.Motion == 6 || r.Motion == 24)
	}},
	"acompcor": {"a number of components from 1 to 1000", func(r *Recipe, v string) bool {
		return whole(v, mostComponents, &r.CompCor)
	}},
}

func above0(text string, out *float64) bool {
	v, err := strconv.ParseFloat(text, 64)
	*out = v
	return err == nil && v > 0 && !math.IsInf(v, 0)
}

func whole(text string, most int, out *int) bool {
	v, err := strconv.Atoi(text)
	*out = v
	return err == nil && v >= 1 && v <= most
}

// ParseRecipe reads parts such as high-pass=0.01 and motion=6; recommended stands for [Recommended], which later parts
// change.
func ParseRecipe(parts []string) (Recipe, error) {
	var r Recipe
	for _, part := range parts {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		step, ok := steps[name]
		if !ok {
			names := slices.Sorted(maps.Keys(steps))
			e := fault.New(fault.Usage, "read recipe", "", "there is no part %q to clean with", quote.Short(name))
			if near := suggest.Nearest(name, slices.Values(names)); near != "" {
				return r, e.WithHint("did you mean %q?", near)
			}
			return r, e.WithHint("choose of %s", strings.Join(names, ", "))
		}
		if !step.set(&r, value) {
			return r, fault.New(fault.Usage, "read recipe", "", "%s is %q, want %s", name, quote.Short(value),
				step.want)
		}
	}
	if r.HighPass > 0 && (r.Polort > 0 || r.Auto) {
		return r, fault.New(fault.Usage, "read recipe", "", "high-pass and polort are two filters for the same drift").
			WithHint("choose one of them")
	}
	return r, nil
}

// String is the recipe as [ParseRecipe] reads it, "" if it takes nothing.
func (r Recipe) String() string {
	var parts []string
	add := func(is bool, text string, args ...any) {
		if is {
			parts = append(parts, fmt.Sprintf(text, args...))
		}
	}
	add(r.HighPass > 0, "high-pass=%g", r.HighPass)
	add(r.Auto, "polort=auto")
	add(r.Polort > 0, "polort=%d", r.Polort)
	add(r.Detrend, "detrend")
	add(r.Motion > 0, "motion=%d", r.Motion)
	add(r.CompCor > 0, "acompcor=%d", r.CompCor)
	add(r.Censor > 0, "censor=%g", r.Censor)
	return strings.Join(parts, ",")
}

// Confounds reports whether the recipe needs a table of confounds.
func (r Recipe) Confounds() bool { return r.Motion > 0 || r.CompCor > 0 || r.Censor > 0 }

// Design is the design of a run of rows that are tr seconds apart. The table of confounds is that of the run; nil is
// enough for a recipe without them.
func (r Recipe) Design(rows int, tr float64, table *Confounds) (*Design, error) {
	var regressors [][]float64
	if r.HighPass > 0 {
		regressors = append(regressors, Cosines(rows, tr, r.HighPass)...)
	}
	if degree := r.Polort; degree > 0 || r.Auto {
		if r.Auto {
			degree = PolortDegree(rows, tr)
		}
		regressors = append(regressors, Legendre(rows, degree)...)
	}
	var keep []bool
	if r.Confounds() {
		if table == nil {
			return nil, fault.New(fault.Missing, "clean", "", "there is no table of confounds for %s", r)
		}
		if table.Rows != rows {
			return nil, fault.New(fault.BadData, reading, quote.OneLine(table.path),
				"there are %d rows, the run has %d",
				table.Rows, rows)
		}
	}
	if r.Motion > 0 {
		columns, err := table.Motion(r.Motion)
		if err != nil {
			return nil, err
		}
		regressors = append(regressors, columns...)
	}
	if r.CompCor > 0 {
		columns, err := table.CompCor(r.CompCor)
		if err != nil {
			return nil, err
		}
		regressors = append(regressors, columns...)
	}
	if r.Censor > 0 {
		var err error
		if keep, _, err = table.Still(r.Censor); err != nil {
			return nil, err
		}
	}
	d, err := New(rows, regressors, keep, r.Detrend)
	if err != nil {
		return nil, fault.Wrap(fault.BadData, "clean", "", err)
	}
	return d, nil
}
