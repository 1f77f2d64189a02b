package dataset

import (
	"crypto/sha256"
	"path"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
)

// A split of the design event names clips, by name or glob, or by labels: "category=music", "fold!=0", or both,
// as in "group=vocal&fold!=0".

// among returns the places of the events that an entry of a split names.
func (d *Dataset) among(entry SplitEntry) (places []int, err error) {
	fail := func(why string, args ...any) *fault.Error {
		return fault.New(fault.Usage, "resolve split", entry.String(), why, args...)
	}
	if !entry.Whole {
		return nil, fail("clips have names and labels, not rows").WithHint("write a name, or COLUMN=LABEL")
	}
	conditions := strings.Split(entry.Story, "&")
	for k, e := range d.spec.Events {
		fits := true
		for _, text := range conditions {
			ok, err := d.holds(e, text)
			if err != nil {
				return nil, err
			}
			fits = fits && ok
		}
		if fits {
			places = append(places, k)
		}
	}
	if len(places) > 0 {
		return places, nil
	}
	column, _, labelled := strings.Cut(entry.Story, "=")
	if labelled && len(conditions) == 1 && !strings.HasSuffix(column, "!") {
		return nil, d.unknown("label", entry.Story, d.labels(column))
	}
	if len(conditions) > 1 || strings.Contains(entry.Story, "=") {
		return nil, fail("no clip has these labels")
	}
	return nil, d.unknown("clip", entry.Story, names(d.spec.Events, func(e Event) string { return e.Name }))
}

// holds reports whether one condition is true of an event.
func (d *Dataset) holds(e Event, text string) (bool, error) {
	column, pattern, labelled := strings.Cut(text, "=")
	value, want := e.Name, true
	if labelled {
		column, want = strings.TrimSuffix(column, "!"), !strings.HasSuffix(column, "!")
		var known bool
		if value, known = e.Labels[column]; !known {
			return false, d.unknown("column", column, d.columns())
		}
	} else {
		pattern = text
	}
	fits, err := path.Match(pattern, value)
	if err != nil {
		return false, fault.New(fault.Usage, "resolve split", text, "%v", err)
	}
	return (fits || pattern == value) == want, nil
}

// columns returns the names of the labels of the events.
func (d *Dataset) columns() (out []string) {
	for column := range d.spec.Events[0].Labels {
		out = append(out, column)
	}
	slices.Sort(out)
	return out
}

// labels returns the labels in a column as entries of a split.
func (d *Dataset) labels(column string) (out []string) {
	for _, e := range d.spec.Events {
		if entry := column + "=" + e.Labels[column]; !slices.Contains(out, entry) {
			out = append(out, entry)
		}
	}
	return out
}

// Labels returns the labels in a column of the clips that the entries of a split name, each once, in the order of the
// table. An unknown column is an error.
func (d *Dataset) Labels(column string, entries []string) (out []string, err error) {
	parsed, err := ParseSplit(entries)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(d.columns(), column) {
		return nil, d.unknown("column", column, d.columns())
	}
	rows, err := d.resolveEvents(parsed)
	for _, r := range rows {
		for _, e := range d.ClipsIn(r) {
			if label := e.Labels[column]; !slices.Contains(out, label) {
				out = append(out, label)
			}
		}
	}
	return out, err
}

// resolveEvents turns the entries of a split into ranges of rows.
func (d *Dataset) resolveEvents(entries []SplitEntry) (out []design.Rows, err error) {
	in := make([]bool, len(d.spec.Events))
	for _, entry := range entries {
		places, err := d.among(entry)
		if err != nil {
			return nil, err
		}
		for _, k := range places {
			in[k] = true
		}
	}
	each := d.ClipRows()
	for k, named := range in {
		switch last := len(out) - 1; {
		case !named:
		case last >= 0 && out[last].To == k*each:
			out[last].To += each
		default:
			out = append(out, design.Rows{Story: EventStory, From: k * each, To: (k + 1) * each})
		}
	}
	return out, nil
}

// ClipsIn returns the clips of a range of rows, which has all rows of each.
func (d *Dataset) ClipsIn(rows design.Rows) []Event {
	each := d.ClipRows()
	return d.spec.Events[rows.From/each : rows.To/each]
}

// Arranged returns the data set with its clips in the order of splits, so that the rows of each split stand together:
// those of the first split that names them, then those of the next, then the others. Within a split they are in the
// order of the SHA-256 of their names, which has nothing to do with their categories: consecutive rows are tuned on
// together. A data set of another design is returned as it is.
func (d *Dataset) Arranged(splits ...[]string) (*Dataset, error) {
	if !d.IsEvents() {
		return d, nil
	}
	place := make([]int, len(d.spec.Events))
	for k := range place {
		place[k] = len(splits)
	}
	for i, entries := range slices.Backward(splits) {
		parsed, err := ParseSplit(entries)
		if err != nil {
			return nil, err
		}
		for _, entry := range parsed {
			places, err := d.among(entry)
			if err != nil {
				return nil, err
			}
			for _, k := range places {
				place[k] = i
			}
		}
	}
	order := make([]int, len(place))
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(a, b int) int {
		if place[a] != place[b] {
			return place[a] - place[b]
		}
		x, y := sha256.Sum256([]byte(d.spec.Events[a].Name)), sha256.Sum256([]byte(d.spec.Events[b].Name))
		return slices.Compare(x[:], y[:])
	})
	if slices.IsSorted(order) {
		return d, nil
	}
	spec := d.Spec()
	spec.Events, spec.Stories = make([]Event, len(order)), nil
	for k, from := range order {
		spec.Events[k] = d.spec.Events[from]
	}
	reorder := func(list []Response) []Response {
		list = slices.Clone(list)
		for k, r := range list {
			list[k] = r.ordered(spec.Events, d.ClipRows(), order)
		}
		return list
	}
	for _, subjects := range [][]Subject{spec.Subjects, spec.Derived} {
		for i := range subjects {
			subjects[i].Responses = reorder(subjects[i].Responses)
		}
	}
	spec.Features = slices.Clone(spec.Features)
	for i := range spec.Features {
		spec.Features[i].Stories = reorder(spec.Features[i].Stories)
	}
	out, err := New(spec)
	if err == nil {
		out.files = d.files
	}
	return out, err
}
