package dataset

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// designOf finds the design before the other keys are read: it says what they may hold.
func (l *layout) designOf(n *yaml.Node) {
	events := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "design":
			l.spec.Design = follow(n.Content[i+1]).Value
		case "events":
			events = true
		}
	}
	l.clips = l.spec.Design == DesignEvent || l.spec.Design == DesignSeries && events
}

// keysOf are the keys that a design needs, those that it may have, of those that not all have.
var keysOf = map[string]struct{ needs, may []string }{
	designBOLD:   {[]string{"tr_seconds", "stories"}, []string{"row_time", "trimmed", "motion"}},
	DesignEvent:  {[]string{"clip_seconds", "events"}, nil},
	DesignSeries: {[]string{"step_ms", "stories"}, []string{"bin_ms", "channels"}},
	DesignSeries + " clips": {[]string{"step_ms", "clip_seconds", "events"},
		[]string{"bin_ms", "first_ms", "baseline_ms", "channels"}},
}

// checkDesign refuses keys of another design.
func (l *layout) checkDesign(n *yaml.Node) error {
	name := l.designName()
	own, known := keysOf[name]
	if !known {
		return nil // refused with the spec
	}
	if l.clips && name == DesignSeries {
		own = keysOf[name+" clips"]
	}
	for _, key := range layoutKeys[""] {
		its := false // a key of some designs
		for _, other := range keysOf {
			its = its || slices.Contains(other.needs, key) || slices.Contains(other.may, key)
		}
		if at := l.at[key]; at != nil && its && !slices.Contains(own.needs, key) && !slices.Contains(own.may, key) {
			return l.fail(at, "%s has no part in the design %s", key, name).
				WithHint("the keys of clips are clip_seconds and events, with design: event or series")
		}
	}
	for _, key := range append(own.needs[:len(own.needs):len(own.needs)], "subjects") {
		if l.at[key] == nil {
			return l.fail(n, "there is no %s", key)
		}
	}
	if l.at["bin_ms"] == nil && name == DesignSeries {
		l.spec.TR = l.spec.Series.Step
	}
	return nil
}

func (l *layout) designName() string { return cmp.Or(l.spec.Design, designBOLD) }

// milliseconds reads a time in milliseconds as seconds.
func (l *layout) milliseconds(path string, n *yaml.Node, to *float64) error {
	err := l.number(path, n, to)
	*to /= 1000
	return err
}

// baseline reads two times.
func (l *layout) baseline(path string, n *yaml.Node) error {
	var times []float64
	err := l.list(path, n, func(item *yaml.Node) error {
		times = append(times, 0)
		return l.milliseconds(path, item, &times[len(times)-1])
	})
	if err == nil && len(times) != 2 {
		return l.fail(n, "%s has %d times, want [FROM, TO]", path, len(times))
	}
	copy(l.spec.Series.Baseline[:], times)
	return err
}

// channels reads the names of channels: a list, or a text file with a line for each.
func (l *layout) channels(path string, n *yaml.Node) error {
	var file string
	if n.Kind != yaml.ScalarNode {
		return l.list(path, n, func(item *yaml.Node) error {
			l.spec.Channels = append(l.spec.Channels, "")
			return l.text(path, item, &l.spec.Channels[len(l.spec.Channels)-1])
		})
	}
	if err := l.text(path, n, &file); err != nil {
		return err
	}
	text, err := l.files.read(file)
	if err != nil {
		return err
	}
	l.tables = append(l.tables, l.files.join(file))
	for line := range strings.Lines(string(text)) {
		l.spec.Channels = append(l.spec.Channels, strings.TrimSpace(line))
	}
	return nil
}
