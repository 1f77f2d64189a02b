package experiment

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/internal/suggest"
)

// typeError is a value of the wrong form and where in the text it stands.
type typeError struct {
	node *yaml.Node
	why  string
}

func (t *typeError) Error() string { return t.why }

// decode puts the value of a node where dst points. A single value may stand for a list of one.
func decode(n *yaml.Node, dst any) *typeError {
	switch dst := dst.(type) {
	case *string:
		return word(n, dst)
	case *int:
		return number64(n, "a whole number", "!!int", dst)
	case *uint64:
		return number64(n, "a whole number from 0", "!!int", dst)
	case *float64:
		return number64(n, "a number", "!!float", dst)
	case *bool:
		v := resolve(n)
		if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!bool" || v.Decode(dst) != nil {
			return &typeError{n, "want true or false, got " + describe(v)}
		}
		return nil
	case *[]string:
		return list(n, dst, word)
	case *[]int:
		if resolve(n).Value == "auto" {
			*dst = nil
			return nil
		}
		return list(n, dst, func(n *yaml.Node, d *int) *typeError { return decode(n, d) })
	case *numbers:
		return list(n, (*[]int)(dst), func(n *yaml.Node, d *int) *typeError { return decode(n, d) })
	case *[]float64:
		if xs, ok := parseLogspace(resolve(n)); ok {
			*dst = xs
			return nil
		}
		return list(n, dst, func(n *yaml.Node, d *float64) *typeError { return decode(n, d) })
	case *[2]int:
		var xs []int
		if err := list(n, &xs, func(n *yaml.Node, d *int) *typeError { return decode(n, d) }); err != nil {
			return err
		}
		if len(xs) != 2 {
			return &typeError{n, fmt.Sprintf("want two whole numbers [a, b], got %d", len(xs))}
		}
		*dst = [2]int(xs)
		return nil
	case *Compat:
		return decodeCompat(n, dst)
	}
	enum := reflect.ValueOf(dst).Elem() // a type of enums.go
	var text string
	if err := word(n, &text); err != nil {
		return err
	}
	enum.SetString(text)
	return nil
}

// resolve follows an alias. What it leads to is as shallow as any other value, so a chain of aliases cannot grow.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// word takes any plain value by its letters: a subject named 01 is the text "01", not the number 1.
func word(n *yaml.Node, dst *string) *typeError {
	v := resolve(n)
	plainTags := []string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}
	if v.Kind == yaml.ScalarNode && slices.Contains(plainTags, v.ShortTag()) {
		*dst = v.Value
		return nil
	}
	return &typeError{n, "want a word, got " + describe(v)}
}

// number64 lets yaml read a number, so that 1_000, 0x10 and 1e-4 mean what YAML says. A whole number is a float too.
func number64[T any](n *yaml.Node, want, tag string, dst *T) *typeError {
	v := resolve(n)
	if v.Kind != yaml.ScalarNode || (v.ShortTag() != tag && v.ShortTag() != "!!int") {
		return &typeError{n, fmt.Sprintf("want %s, got %s", want, describe(v))}
	}
	if err := v.Decode(dst); err != nil {
		return &typeError{n, fmt.Sprintf("want %s, got %s", want, describe(v))}
	}
	return nil
}

func list[T any](n *yaml.Node, dst *[]T, one func(*yaml.Node, *T) *typeError) *typeError {
	items := []*yaml.Node{n}
	if v := resolve(n); v.Kind == yaml.SequenceNode {
		items = v.Content
	}
	out := make([]T, len(items))
	for i, item := range items {
		if err := one(item, &out[i]); err != nil {
			return err
		}
	}
	*dst = out
	return nil
}

func decodeCompat(n *yaml.Node, dst *Compat) *typeError {
	var given []string
	if err := list(n, &given, word); err != nil {
		return err
	}
	var c Compat
	for _, g := range given {
		if err := c.add(g); err != "" {
			return &typeError{n, err}
		}
	}
	*dst = c
	return nil
}

func (c *Compat) add(name string) (why string) {
	switch name {
	case "none":
		return ""
	case "release":
		*c = Release()
		return ""
	}
	for _, s := range switches {
		if s.name == name {
			*s.flag(c) = true
			return ""
		}
	}
	if is := successor("compat", name); is != "" {
		return retiredName{name, is}.Error()
	}
	known := append([]string{"none", "release"}, switchNames()...)
	if n := suggest.Nearest(name, slices.Values(known)); n != "" {
		return fmt.Sprintf("no switch %s; did you mean %s?", short(name), n)
	}
	return fmt.Sprintf("no switch %s; there are %s", short(name), strings.Join(known, ", "))
}

var logspaceForm = regexp.MustCompile(`^logspace\( *([-+.0-9eE]+) *, *([-+.0-9eE]+) *, *([0-9]{1,4}) *\)$`)

// parseLogspace reads logspace(FROM, TO, N).
func parseLogspace(n *yaml.Node) ([]float64, bool) {
	m := logspaceForm.FindStringSubmatch(n.Value)
	if m == nil {
		return nil, false
	}
	from, err1 := strconv.ParseFloat(m[1], 64)
	to, err2 := strconv.ParseFloat(m[2], 64)
	count, err3 := strconv.Atoi(m[3])
	if err1 != nil || err2 != nil || err3 != nil {
		return nil, false
	}
	return logspace(from, to, count), true
}

// describe returns the kind of a node in words.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!str":
		return "the text " + short(n.Value)
	case "!!int", "!!float", "!!bool", "!!timestamp":
		return shorten(n.Value)
	}
	return "a value with the tag " + short(n.Tag)
}

func short(s string) string { return strconv.Quote(shorten(s)) }

// shorten keeps a piece of the user's text on one line of bounded length.
func shorten(s string) string {
	r := []rune(s[:min(len(s), 400)])
	for i := range r {
		if unicode.IsControl(r[i]) {
			r[i] = ' '
		}
	}
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return string(r)
}

// numbers is a list that may be empty: nil is [], where it is auto in a []int.
type numbers []int

// encode gives the value that v points to as YAML on one line, which decode reads back to the same value.
func encode(v any) string {
	switch v := v.(type) {
	case *string:
		return plainOrQuoted(*v)
	case *int:
		return strconv.Itoa(*v)
	case *uint64:
		return strconv.FormatUint(*v, 10)
	case *float64:
		return number(*v)
	case *bool:
		return strconv.FormatBool(*v)
	case *[]string:
		return bracket(*v, plainOrQuoted)
	case *[]int:
		if *v == nil {
			return "auto"
		}
		return bracket(*v, strconv.Itoa)
	case *numbers:
		return bracket(*v, strconv.Itoa)
	case *[]float64:
		return bracket(*v, number)
	case *[2]int:
		return bracket(v[:], strconv.Itoa)
	case *Compat:
		return v.String()
	}
	return plainOrQuoted(textOf(v))
}

// textOf returns the text behind v, a pointer to a string or to a type of enums.go.
func textOf(v any) string {
	text := reflect.ValueOf(v).Elem()
	if text.Kind() != reflect.String {
		panic(fmt.Sprintf("experiment: no text in %T", v))
	}
	return text.String()
}

func bracket[T any](xs []T, one func(T) string) string {
	var parts []string
	for _, x := range xs {
		parts = append(parts, one(x))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// number gives the shortest digits that read back to the same float.
func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return ".nan"
	case math.IsInf(x, 1):
		return ".inf"
	case math.IsInf(x, -1):
		return "-.inf"
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// plain matches text that YAML reads as itself, in a list too.
var plain = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./+-]*(:[A-Za-z0-9]+)?$`)

// plainOrQuoted quotes when in doubt. Go's escapes of printable UTF-8 text are among YAML's.
func plainOrQuoted(s string) string {
	reserved := []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
	if plain.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(s)
}
