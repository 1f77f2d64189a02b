package peft

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// matcher finds the layers that a config targets, by PEFT's rules (peft 0.21,
// tuners/tuners_utils.py, check_target_module_exists, and utils/other.py, get_pattern_key).
type matcher struct {
	cfg     *Config
	target  *regexp.Regexp       // of target_modules as one string
	exclude *regexp.Regexp       // of exclude_modules as one string
	index   []*regexp.Regexp     // find a layer's number
	saves   []*regexp.Regexp     // modules_to_save, which are trained as a whole and so not adapted
	options []string             // options that have patterns, in order
	tables  map[string][]pattern // by option
	used    map[entry]bool
}

// entry is one item of an option.
type entry struct{ option, text string }

// pattern is an item of rank_pattern or alpha_pattern.
type pattern struct {
	entry
	expr  *regexp.Regexp
	value float64
}

// allLinear is the target that means every linear layer.
const allLinear = "all-linear"

func newMatcher(cfg *Config) (*matcher, error) {
	m := &matcher{cfg: cfg, used: map[entry]bool{}, tables: map[string][]pattern{}}
	var err error
	if t := cfg.TargetModules; t.Pattern != "" && !t.all() {
		if m.target, err = compile("target_modules", `^(?:`, t.Pattern, `)$`); err != nil {
			return nil, err
		}
	}
	if e := cfg.ExcludeModules.Pattern; e != "" {
		if m.exclude, err = compile("exclude_modules", `^(?:`, e, `)$`); err != nil {
			return nil, err
		}
	}
	m.index = []*regexp.Regexp{regexp.MustCompile(`^.*?\.[^.]*\.(?P<index>\d+)\.`)}
	if len(cfg.LayersPattern) > 0 {
		m.index = nil
		for _, p := range cfg.LayersPattern {
			// As in PEFT, the path's start is tried before the rest after a dot, and an alternative
			// in p is one of all.
			expr, err := compile("layers_pattern", `^(?:(?:|.*?\.)`, p, `\.(?P<index>\d+)\.)`)
			if err != nil {
				return nil, err
			}
			m.index = append(m.index, expr)
		}
	}
	for _, name := range cfg.ModulesToSave {
		expr, err := compile("modules_to_save", `^(?:|.*\.)`, name, `(?:$|\..*)`)
		if err != nil {
			return nil, err
		}
		m.saves = append(m.saves, expr)
	}
	for _, o := range cfg.Method.options(cfg) {
		entries, ok := o.at.(*[]Entry)
		if !ok {
			continue
		}
		if m.tables[o.key], err = patterns(o.key, *entries); err != nil {
			return nil, err
		}
		m.options = append(m.options, o.key)
	}
	return m, nil
}

// patterns compiles entries in the order of the file. The first one that matches a whole path, or
// the rest of a path after one of its dots, gives the value.
func patterns(option string, entries []Entry) (out []pattern, err error) {
	for _, e := range entries {
		expr, err := compile(option, `^(?:.*\.)?(?:`, e.Key, `)$`)
		if err != nil {
			return nil, err
		}
		out = append(out, pattern{entry{option, e.Key}, expr, e.Value})
	}
	return out, nil
}

// compile refuses expressions that RE2 does not know, those that are none without their
// surroundings, and the one construct that Python and RE2 read differently.
func compile(option, before, expr, after string) (*regexp.Regexp, error) {
	bad := func(why string) error {
		return fault.New(fault.BadData, readConfig, option, "%q: %s", expr, why).
			WithHint("use a regular expression of RE2, without look-around and back-references")
	}
	if strings.Contains(expr, "{,") { // up to n times in Python, the text itself in RE2
		return nil, bad("write {0,n} for {,n}")
	}
	if _, err := regexp.Compile(expr); err != nil {
		return nil, bad(err.Error())
	}
	whole, err := regexp.Compile(before + expr + after)
	if err != nil {
		return nil, bad(err.Error())
	}
	return whole, nil
}

// Select returns the linear layers of a model that the config targets, given the paths of all of
// them.
func (c Config) Select(linear []string) ([]string, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	m, err := newMatcher(&c)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(linear), func(path string) bool { return !m.targets(path) }), nil
}

// targets reports whether the layer at path is adapted.
func (m *matcher) targets(path string) bool {
	t := m.cfg.TargetModules
	switch {
	case m.excluded(path):
		return false
	case m.target != nil:
		return m.target.MatchString(path)
	case t.all():
		return true
	}
	found := false
	for _, name := range t.List {
		if name == path || ends(path, name) && m.layerWanted(path) { // a full path is exempt from the layer filter
			m.used[entry{"target_modules", name}] = true
			found = true
		}
	}
	return found
}

// saved reports whether the module at path, or one that it is in, is one of modules_to_save. As in
// PEFT, an entry matches every path that ends with it, even within a word.
func (m *matcher) saved(path string) bool {
	found := false
	for _, name := range m.cfg.ModulesToSave {
		for p := path; p != ""; p, _ = cutLast(p) {
			if strings.HasSuffix(p, name) {
				m.used[entry{"modules_to_save", name}] = true
				found = true
			}
		}
	}
	return found
}

func (m *matcher) excluded(path string) bool {
	for _, expr := range m.saves {
		if expr.MatchString(path) {
			return true
		}
	}
	e := m.cfg.ExcludeModules
	if m.exclude != nil && m.exclude.MatchString(path) {
		m.used[entry{"exclude_modules", e.Pattern}] = true
		return true
	}
	found := false
	for _, name := range e.List {
		if name == path || ends(path, name) {
			m.used[entry{"exclude_modules", name}] = true
			found = true
		}
	}
	return found
}

// ends reports whether name is the last segments of path.
func ends(path, name string) bool { return strings.HasSuffix(path, "."+name) }

// layerWanted reports whether layers_to_transform has the path's layer. An empty list is no filter.
func (m *matcher) layerWanted(path string) bool {
	if len(m.cfg.LayersToTransform) == 0 {
		return true
	}
	for _, expr := range m.index {
		if found := expr.FindStringSubmatch(path); found != nil {
			n, err := strconv.Atoi(found[expr.SubexpIndex("index")])
			return err == nil && slices.Contains(m.cfg.LayersToTransform, n)
		}
	}
	return false
}

// lookup returns the value of the option's first pattern that matches a targeted layer, or the
// value given.
func (m *matcher) lookup(option, path string, value float64) float64 {
	first := true
	for _, p := range m.tables[option] {
		if p.expr.MatchString(path) {
			m.used[p.entry] = true
			if first {
				value, first = p.value, false
			}
		}
	}
	return value
}

// unused lists the entries that have matched no layer so far.
func (m *matcher) unused() (out []string) {
	note := func(e entry) {
		if !m.used[e] {
			out = append(out, fmt.Sprintf("%s: %q fits no layer", e.option, e.text))
		}
	}
	for _, name := range m.cfg.TargetModules.List {
		note(entry{"target_modules", name})
	}
	for _, name := range m.cfg.ExcludeModules.entries() {
		note(entry{"exclude_modules", name})
	}
	for _, name := range m.cfg.ModulesToSave {
		note(entry{"modules_to_save", name})
	}
	for _, option := range m.options {
		for _, p := range m.tables[option] {
			note(p.entry)
		}
	}
	return out
}
