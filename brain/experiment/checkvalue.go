package experiment

import (
	"fmt"
	"math"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/brainwavlm/bwlm/internal/suggest"
)

func empty(v any) bool {
	switch v := v.(type) {
	case *string:
		return *v == ""
	case *[]string:
		return len(*v) == 0
	}
	return false
}

// The checks below get the pointer that a row's field returns; the row fixes its type.

func anything(any) string { return "" }

func given(v any) string { return text(*v.(*string)) }

func pooling(v any) string {
	p := *v.(*Pooling)
	_, byIndex := p.Index()
	switch {
	case byIndex:
		return ""
	case strings.HasPrefix(string(p), poolIndex):
		return fmt.Sprintf("%s: want index:N with a whole number N", short(string(p)))
	}
	return oneOf(PoolLast, PoolFirst, PoolMean, poolIndex+"N")(v)
}

func foldsOf(v any) string {
	if column, ok := strings.CutPrefix(*v.(*string), foldLabel); ok && column != "" {
		return text(column)
	}
	return oneOf("none", "stories", foldLabel+"COLUMN")(v)
}

// optionalFile accepts nothing, or a name that ends so.
func optionalFile(ext string) func(any) string {
	return func(v any) string {
		if s := *v.(*string); s != "" && filepath.Ext(s) != ext {
			return fmt.Sprintf("%s does not end in %s", short(s), ext)
		}
		return given(v)
	}
}

func text(s string) string {
	switch {
	case !utf8.ValidString(s):
		return fmt.Sprintf("%s is not UTF-8", short(s))
	case strings.ContainsRune(s, 0):
		return fmt.Sprintf("%s holds a NUL character", short(s))
	}
	return ""
}

func oneOf[T ~string](words ...T) func(any) string {
	var known []string
	for _, w := range words {
		known = append(known, string(w))
	}
	return func(v any) string {
		got := textOf(v)
		if slices.Contains(known, got) {
			return ""
		}
		if n := suggest.Nearest(got, slices.Values(known)); n != "" {
			return fmt.Sprintf("%s is not one of %s; did you mean %s?", short(got), strings.Join(known, ", "), n)
		}
		return fmt.Sprintf("%s is not one of %s", short(got), strings.Join(known, ", "))
	}
}

func whole(low, high int) func(any) string {
	return func(v any) string {
		if n := *v.(*int); n < low || n > high {
			return fmt.Sprintf("%d is not in %d to %d", n, low, high)
		}
		return ""
	}
}

// The comparisons of floats are written so that NaN fails them.

func within(low, high float64) func(any) string {
	return func(v any) string {
		if x := *v.(*float64); !(x >= low && x <= high) {
			return fmt.Sprintf("%s is not in %s to %s", number(x), number(low), number(high))
		}
		return ""
	}
}

func above(low float64) func(any) string {
	return func(v any) string {
		if x := *v.(*float64); !(x > low && x <= math.MaxFloat64) {
			return fmt.Sprintf("%s is not a finite number above %s", number(x), number(low))
		}
		return ""
	}
}

func probability(v any) string {
	if x := *v.(*float64); !(x >= 0 && x < 1) {
		return fmt.Sprintf("%s is not a probability from 0 to below 1", number(x))
	}
	return ""
}

func share(v any) string {
	if x := *v.(*float64); !(x > 0 && x < 1) {
		return fmt.Sprintf("%s is not a share between 0 and 1", number(x))
	}
	return ""
}

func rising(low, high float64) func(any) string {
	return func(v any) string {
		xs := *v.(*[]float64)
		if len(xs) == 0 {
			return "the list is empty"
		}
		for i, x := range xs {
			if !(x >= low && x <= high) {
				return fmt.Sprintf("%s is not in %s to %s", number(x), number(low), number(high))
			}
			if i > 0 && !(x > xs[i-1]) {
				return fmt.Sprintf("%s after %s: the list must rise", number(x), number(xs[i-1]))
			}
		}
		return ""
	}
}

func risingAbove0(v any) string {
	if xs := *v.(*[]float64); len(xs) > 0 && xs[0] == 0 {
		return "0 is no penalty at all"
	}
	return rising(0, 1e12)(v)
}

func layerList(v any) string {
	layers := *v.(*[]int)
	if layers != nil && len(layers) == 0 {
		return "the list is empty"
	}
	for i, l := range layers {
		if l < 0 || l > 1000 {
			return fmt.Sprintf("%d is not in 0 to 1000", l)
		}
		if i > 0 && l <= layers[i-1] {
			return fmt.Sprintf("%d after %d: the list must rise", l, layers[i-1])
		}
	}
	return ""
}

// listedLayers is layerList where no layer need be given.
func listedLayers(v any) string {
	layers := (*[]int)(v.(*numbers))
	if len(*layers) == 0 {
		return ""
	}
	return layerList(layers)
}

func trim(v any) string {
	for _, n := range v.(*[2]int) {
		if n < 0 || n > 1_000_000 {
			return fmt.Sprintf("%d is not in 0 to 1000000", n)
		}
	}
	return ""
}

func distinct(v any) string {
	seen := map[string]bool{}
	for _, s := range *v.(*[]string) {
		switch {
		case s == "":
			return "a name is empty"
		case seen[s]:
			return fmt.Sprintf("%s is named twice", short(s))
		case text(s) != "":
			return text(s)
		}
		seen[s] = true
	}
	return ""
}

func someNames(v any) string {
	if empty(v) {
		return "the list is empty"
	}
	return distinct(v)
}

func targetNames(v any) string {
	targets := *v.(*[]string)
	for _, word := range []string{"auto", "attention", "all-linear"} { // see speech.Targets
		if len(targets) > 1 && slices.Contains(targets, word) {
			return word + " stands alone"
		}
	}
	return someNames(v)
}

// selection is a story, or some of its rows: NAME or NAME[from:to], either bound left out at will.
var selection = regexp.MustCompile(`^([^\[\]]+)(?:\[([0-9]*):([0-9]*)\])?$`)

func storyRows(v any) string {
	for _, s := range *v.(*[]string) {
		m := selection.FindStringSubmatch(s)
		if m == nil {
			return fmt.Sprintf("%s is neither STORY nor STORY[FROM:TO]", short(s))
		}
		from, errFrom := bound(m[2], 0)
		to, errTo := bound(m[3], math.MaxInt)
		if errFrom != nil || errTo != nil || from >= to {
			return fmt.Sprintf("%s has no rows", short(s))
		}
	}
	return someNames(v)
}

// clipWindow accepts nothing or two rising seconds.
func clipWindow(v any) string {
	xs := *v.(*[]float64)
	if len(xs) == 0 {
		return ""
	}
	if len(xs) != 2 {
		return fmt.Sprintf("%d numbers, want none, or the seconds FROM and TO", len(xs))
	}
	return rising(0, 3600)(v)
}

// storyPairs accepts pairs of names or globs of stories, "a:b".
func storyPairs(v any) string {
	for _, s := range *v.(*[]string) {
		a, b, ok := strings.Cut(s, ":")
		if !ok || a == "" || b == "" || strings.Contains(b, ":") {
			return fmt.Sprintf("%s is not a pair STORY:STORY", short(s))
		}
		for _, glob := range []string{a, b} {
			if _, err := path.Match(glob, ""); err != nil {
				return fmt.Sprintf("%s is not a pattern", short(glob))
			}
		}
	}
	return distinct(v)
}

func bound(digits string, absent int) (int, error) {
	if digits == "" {
		return absent, nil
	}
	return strconv.Atoi(digits)
}

var detrendForm = regexp.MustCompile(`^legendre:[0-9]{1,2}$`)

func detrend(v any) string {
	d := *v.(*string)
	degree := Data{Detrend: d}.LegendreDegree()
	if d != "none" && (!detrendForm.MatchString(d) || degree > 20) {
		return fmt.Sprintf("%s is neither none nor legendre:N with N from 0 to 20", short(d))
	}
	return ""
}

var deviceForm = regexp.MustCompile(`^(auto|cpu|cuda(:[0-9]{1,3})?)$`)

func device(v any) string {
	if d := *v.(*string); !deviceForm.MatchString(d) {
		return fmt.Sprintf("%s is not one of auto, cpu, cuda, cuda:N", short(d))
	}
	return ""
}
