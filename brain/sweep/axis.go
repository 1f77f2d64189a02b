package sweep

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
)

// ParseAxis parses "key=value,value,…". A comma within brackets, braces or quotes does not end a
// value.
func ParseAxis(text string) (results.SweepAxis, error) {
	key, list, ok := strings.Cut(text, "=")
	bad := func(why string) (results.SweepAxis, error) {
		return results.SweepAxis{}, fault.New(fault.Usage, "sweep", "axis "+text, "%s", why).
			WithHint("write key=value,value, such as train.lr=1e-4,3e-4")
	}
	if !ok || strings.TrimSpace(key) == "" {
		return bad("there is no key=")
	}
	a := results.SweepAxis{Key: strings.TrimSpace(key)}
	depth, quote, from := 0, rune(0), 0
	for i, r := range list + "," {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case strings.ContainsRune("[{(", r):
			depth++
		case strings.ContainsRune("]})", r):
			depth--
		case r == ',' && depth == 0:
			value := strings.TrimSpace(list[from:i])
			if value == "" {
				return bad("a value is empty")
			}
			a.Values = append(a.Values, value)
			from = i + 1
		}
	}
	if depth != 0 || quote != 0 {
		return bad("a bracket or quote is not closed")
	}
	return a, nil
}

// seedKey is the key over whose values a setting is averaged.
const seedKey = "train.seed"

// combinations returns all choices of one value per axis; the last axis varies fastest.
func combinations(axes []results.SweepAxis) [][]string {
	out := [][]string{nil}
	for _, a := range axes {
		var longer [][]string
		for _, c := range out {
			for _, v := range a.Values {
				longer = append(longer, append(c[:len(c):len(c)], v))
			}
		}
		out = longer
	}
	return out
}

// nameOf returns the folder name of a combination: its settings in characters that every file
// system accepts.
func nameOf(axes []results.SweepAxis, values []string) string {
	var parts []string
	for i, a := range axes {
		parts = append(parts, a.Key+"="+values[i])
	}
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("=.+-_", r)) {
			return r
		}
		return '_'
	}, strings.Join(parts, "__"))
}

// checkAxes refuses axes without a unique folder name per combination.
func checkAxes(axes []results.SweepAxis) error {
	seen := map[string]bool{}
	names := map[string][]string{}
	for _, a := range axes {
		if seen[a.Key] {
			return fault.New(fault.Usage, "sweep", "axis "+a.Key,
				"is given twice").WithHint("put all its values into one axis")
		}
		seen[a.Key] = true
		if a.Key == "out" {
			return fault.New(fault.Usage, "sweep", "axis out", "each run has a folder of its own already")
		}
		if len(a.Values) == 0 {
			return fault.New(fault.Usage, "sweep", "axis "+a.Key, "has no values")
		}
	}
	if len(axes) == 0 {
		return fault.New(fault.Usage, "sweep", "",
			"nothing is varied").WithHint("give at least one axis, key=value,value")
	}
	for _, c := range combinations(axes) {
		name := nameOf(axes, c)
		if before := names[name]; before != nil {
			return fault.New(fault.Usage, "sweep", "axes", "%s and %s would have the same folder %s",
				fmt.Sprint(before), fmt.Sprint(c), name)
		}
		names[name] = c
	}
	return nil
}
