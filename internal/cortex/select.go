package cortex

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/suggest"
)

const selecting = "select regions"

// Selector evaluates expressions about regions. Atlas may be nil if Columns is given.
type Selector struct {
	Atlas   *Atlas
	Columns int                  // of Masks and Maps, if there is no atlas
	Masks   map[string]Mask      // regions from other files, by name
	Maps    map[string][]float32 // values for conditions, by name
}

// SelectHelp is the language of [Selector.Select] in a few lines, for the help of commands.
const SelectHelp = `  A1             region A1 on both sides; L_A1_ROI, lh.A1 and A1 are the same region
  L:A1 R:@LTC    only the left, only the right part of what follows; L: alone is the whole hemisphere
  STS* TE?a      every region whose name fits (*, ?, [a-c]); the medial wall fits none
  "9-46d" 9-46d  a name; quotes are needed only round blanks and | & ! ( ) ,
  @auditory      a preset: regions of Glasser's atlas under one name
  a | b   a, b   in either
  a & b          in both; binds more strongly than | and -
  a - b          in a and not in b; the blanks are needed, since names may have a hyphen
  !a             not in a
  ( )            what is in brackets first
  map>=0.1       where the values of a map satisfy it: > >= < <= (NaN satisfies none)`

// Select returns the columns that satisfy an expression in the language of [SelectHelp]. An
// expression that selects none is an error.
//
// Unknown names are a Usage fault that names the nearest known one.
func (s *Selector) Select(expression string) (Mask, error) {
	p := &parser{s: s, text: signs.ReplaceAllString(expression, "$1")}
	m, err := p.union(0)
	if err == nil && p.peek() != "" {
		err = p.fail("%q is left over", p.peek())
	}
	if err != nil {
		return nil, err
	}
	if m.Count() == 0 {
		return nil, fault.New(fault.BadData, selecting, expression, "it selects nothing among %d columns", s.columns())
	}
	return m, nil
}

func (s *Selector) columns() int {
	if s.Atlas != nil {
		return s.Atlas.Columns()
	}
	return s.Columns
}

// signs are those of conditions with the blanks around them.
var signs = regexp.MustCompile(`\s*([<>]=?)\s*`)

// parser parses an expression by recursive descent. text is the rest of the expression.
type parser struct {
	s      *Selector
	text   string
	quoted bool // the last token of peek is a name in quotes
}

const maxNesting = 100

func (p *parser) fail(why string, args ...any) error {
	return fault.New(fault.Usage, selecting, "", why, args...).WithHint("see the help on region expressions")
}

// peek returns the next token without taking it: an operator, a name, or "" at the end. A hyphen is
// an operator only between blanks.
func (p *parser) peek() string {
	p.text = strings.TrimLeft(p.text, " \t\r\n")
	p.quoted = false
	if p.text == "" {
		return ""
	}
	if strings.ContainsRune("|&!(),", rune(p.text[0])) {
		return p.text[:1]
	}
	if p.text[0] == '"' {
		if end := strings.IndexByte(p.text[1:], '"'); end >= 0 {
			p.quoted = true
			return p.text[:end+2]
		}
	}
	if p.text == "-" || strings.HasPrefix(p.text, "- ") {
		return "-"
	}
	if end := strings.IndexAny(p.text, " \t\r\n|&!(),\""); end > 0 {
		return p.text[:end]
	}
	return p.text
}

func (p *parser) take() string {
	token := p.peek()
	p.text = p.text[len(token):]
	return token
}

// union reads terms joined by | , or -.
func (p *parser) union(depth int) (Mask, error) {
	if depth > maxNesting {
		return nil, p.fail("brackets nest more than %d deep", maxNesting)
	}
	m, err := p.intersection(depth)
	for err == nil {
		op := p.peek()
		if op != "|" && op != "," && op != "-" {
			break
		}
		p.take()
		var other Mask
		if other, err = p.intersection(depth); err != nil {
			break
		}
		if op == "-" {
			m = m.minus(other)
		} else {
			m = m.or(other)
		}
	}
	return m, err
}

// intersection reads factors joined by &.
func (p *parser) intersection(depth int) (Mask, error) {
	m, err := p.factor(depth)
	for err == nil && p.peek() == "&" {
		p.take()
		var other Mask
		if other, err = p.factor(depth); err == nil {
			m = m.And(other)
		}
	}
	return m, err
}

// factor reads !factor, L:factor, a bracket, a condition or a name.
func (p *parser) factor(depth int) (Mask, error) {
	if depth > maxNesting {
		return nil, p.fail("brackets nest more than %d deep", maxNesting)
	}
	token := p.take()
	switch {
	case token == "!":
		m, err := p.factor(depth + 1)
		if err != nil {
			return nil, err
		}
		return m.not(), nil
	case token == "(":
		m, err := p.union(depth + 1)
		if err == nil && p.take() != ")" {
			err = p.fail("a bracket is not closed")
		}
		return m, err
	case p.quoted:
		return p.s.named(strings.Trim(token, `"`), true)
	case strings.HasPrefix(token, "L:"), strings.HasPrefix(token, "R:"):
		side := Left
		if token[0] == 'R' {
			side = Right
		}
		if p.s.Atlas == nil {
			return nil, p.fail("%s needs an atlas, which says which columns are left", token[:2])
		}
		half := p.s.Atlas.Side(side)
		p.text = token[2:] + p.text
		if next := p.peek(); len(token) == 2 && (next == "" || strings.Contains("|&,-)", next)) {
			return half, nil
		}
		m, err := p.factor(depth + 1)
		if err != nil {
			return nil, err
		}
		return m.And(half), nil
	case token == "" || strings.Contains("|&,-)\"", token):
		return nil, p.fail("a region is missing before %q", token+p.text)
	case strings.ContainsAny(token, "<>"):
		return p.condition(token)
	}
	return p.s.named(token, false)
}

// condition reads map>number.
func (p *parser) condition(token string) (Mask, error) {
	at := strings.IndexAny(token, "<>")
	name, sign, number := token[:at], token[at:at+1], token[at+1:]
	if rest, ok := strings.CutPrefix(number, "="); ok {
		sign, number = sign+"=", rest
	}
	values, known := p.s.Maps[name]
	if !known {
		return nil, p.s.unknown("map", name, sortedKeys(p.s.Maps)).WithHint("name it in Maps")
	}
	limit, err := strconv.ParseFloat(number, 32)
	if err != nil {
		return nil, p.fail("%q is no condition: want a number after the sign", token)
	}
	x := float32(limit)
	return threshold(values, map[string]func(float32) bool{
		">": func(v float32) bool { return v > x }, ">=": func(v float32) bool { return v >= x },
		"<": func(v float32) bool { return v < x }, "<=": func(v float32) bool { return v <= x },
	}[sign]), nil
}

// named returns the columns of a name: a mask from another file, a preset, a region, or all regions
// that match a pattern.
func (s *Selector) named(name string, literal bool) (Mask, error) {
	if m, ok := s.Masks[name]; ok {
		return m, nil
	}
	if s.Atlas == nil {
		return nil, s.unknown("region", name, sortedKeys(s.Masks))
	}
	if preset, ok := strings.CutPrefix(name, "@"); ok && !literal {
		return s.preset(preset)
	}
	return s.regions(name, !literal && strings.ContainsAny(name, "*?["))
}

// regions is the union of the regions with a name, or of those that match a pattern.
func (s *Selector) regions(name string, pattern bool) (Mask, error) {
	m := make(Mask, s.columns())
	chosen := make([]bool, len(s.Atlas.Regions))
	found := false
	for i, r := range s.Atlas.Regions {
		fits := r.Name == name || r.FullName == name
		if pattern && !fits && !r.Background {
			ok, err := path.Match(name, r.Name)
			if err != nil {
				return nil, fault.New(fault.Usage, selecting, "", "%q is no pattern: %v", name, err)
			}
			fits = ok
		}
		chosen[i], found = fits, found || fits
	}
	if !found {
		return nil, s.unknown("region", name, s.names())
	}
	for c, l := range s.Atlas.Labels {
		m[c] = l >= 0 && chosen[l]
	}
	return m, nil
}

func (s *Selector) preset(name string) (Mask, error) {
	var known []string
	for _, p := range Presets() {
		if p.Name != name {
			known = append(known, "@"+p.Name)
			continue
		}
		out := make(Mask, s.columns())
		for _, region := range p.Regions {
			m, err := s.regions(region, false)
			if err != nil {
				return nil, fault.New(fault.BadData, selecting, "@"+name, "region %s is not in the atlas", region).
					WithHint("presets are of Glasser's atlas (HCP-MMP1): give that one, or list your atlas's regions")
			}
			out = out.or(m)
		}
		return out, nil
	}
	return nil, s.unknown("preset", "@"+name, known)
}

// names returns the names of regions, once each.
func (s *Selector) names() []string {
	names := sortedKeys(s.Masks)
	for _, r := range s.Atlas.Regions {
		if !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

func (s *Selector) unknown(what, name string, known []string) *fault.Error {
	e := fault.New(fault.Usage, selecting, "", "there is no %s %q", what, quote.OneLine(quote.Short(name)))
	if near := suggest.Nearest(name, slices.Values(known)); near != "" {
		return e.WithHint("did you mean %s?", near)
	}
	few := known[:min(len(known), 12)]
	if len(few) == 0 {
		return e.WithHint("none is given")
	}
	more := ""
	if len(known) > len(few) {
		more = fmt.Sprintf(" and %d more", len(known)-len(few))
	}
	return e.WithHint("there are %s%s", strings.Join(few, ", "), more)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
