package sweep

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/brainwavlm/bwlm/fault"
)

// Axis is one setting with the values that it takes in turn.
type Axis struct {
	Key    string   `json:"key"`
	Values []string `json:"values"` // YAML
}

// ParseAxis reads "key=value,value,…". A comma inside brackets, braces or quotes does not end a value.
func ParseAxis(text string) (Axis, error) {
	key, list, ok := strings.Cut(text, "=")
	bad := func(why string) (Axis, error) {
		return Axis{}, fault.New(fault.Usage, "sweep", "--vary "+text, "%s", why).Advise("write key=value,value, such as train.lr=1e-4,3e-4")
	}
	if !ok || strings.TrimSpace(key) == "" {
		return bad("there is no key=")
	}
	a := Axis{Key: strings.TrimSpace(key)}
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

// seedKey is the axis over which a setting is averaged.
const seedKey = "train.seed"

// combinations are all choices of one value per axis, the last axis fastest.
func combinations(axes []Axis) [][]string {
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

// nameOf is the folder of a combination: its settings, in letters that any file system takes.
func nameOf(axes []Axis, values []string) string {
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

// checkAxes refuses what makes no table.
func checkAxes(axes []Axis) error {
	seen := map[string]bool{}
	names := map[string][]string{}
	for _, a := range axes {
		if seen[a.Key] {
			return fault.New(fault.Usage, "sweep", "--vary "+a.Key, "is given twice").Advise("put all its values into one")
		}
		seen[a.Key] = true
		if a.Key == "out" {
			return fault.New(fault.Usage, "sweep", "--vary out", "each run has a folder of its own already")
		}
	}
	if len(axes) == 0 {
		return fault.New(fault.Usage, "sweep", "", "nothing is varied").Advise("give --vary key=value,value")
	}
	for _, c := range combinations(axes) {
		name := nameOf(axes, c)
		if before := names[name]; before != nil {
			return fault.New(fault.Usage, "sweep", "--vary", "%s and %s would have the same folder %s", fmt.Sprint(before), fmt.Sprint(c), name)
		}
		names[name] = c
	}
	return nil
}
