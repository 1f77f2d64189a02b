package dataset

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// Features are features of the stimuli that the data set brings along, such as hidden states of a language model. Of a
// story there is a matrix (rows, columns) with the rows of its responses; of clips there is one, with a row for each
// clip, which need not name a story.
type Features struct {
	Name    string
	Stories []Response
}

// checkFeatures refuses names that cannot be, and features of stories that there are not.
func (s *Spec) checkFeatures(stories map[string]*Story) *fault.Error {
	seen := map[string]bool{}
	for _, f := range s.Features {
		where := key("features", f.Name)
		switch {
		case !usable(f.Name):
			return wrong(where, "%q cannot be the name of features", f.Name)
		case seen[f.Name]:
			return wrong(where, "the features have no name of their own")
		case len(f.Stories) == 0:
			return wrong(where, "there are none")
		}
		for _, e := range s.Events {
			if _, taken := e.Labels[f.Name]; taken {
				return wrong(where, "a column of the labels of clips has this name").
					WithHint("call the features otherwise")
			}
		}
		seen[f.Name] = true
		has := map[string]bool{}
		for _, r := range f.Stories {
			if err := r.check(where, stories, has); err != nil {
				return err
			}
			has[r.Story] = true
		}
	}
	return nil
}

// featureNames returns the names of the features of the data set, then the columns of the labels of clips, each of
// which stands for a feature of 0 and 1 for each label.
func (d *Dataset) featureNames() (out []string) {
	for _, f := range d.spec.Features {
		out = append(out, f.Name)
	}
	if d.IsEvents() {
		out = append(out, d.columns()...)
		if d.IsSeries() {
			out = append(out, timeCourse)
		}
	}
	return out
}

// Features returns the features of a name of a story, (rows, columns). What the name is of is for the caller to compare
// with the rows of responses.
func (d *Dataset) Features(ctx context.Context, name, story string) (*Matrix, error) {
	at := slices.IndexFunc(d.spec.Features, func(f Features) bool { return f.Name == name })
	if at < 0 {
		if d.IsEvents() && (slices.Contains(d.columns(), name) || d.IsSeries() && name == timeCourse) {
			return d.labelFeatures(name), nil
		}
		return nil, d.unknown("features", name, d.featureNames())
	}
	list := d.spec.Features[at].Stories
	i := slices.IndexFunc(list, func(r Response) bool { return r.Story == story })
	if i < 0 {
		return nil, fault.New(fault.Missing, "read features", d.spec.Name, "%s has none of story %s", name, story).
			WithHint("add features/%s/%s to the data set", name, story)
	}
	opened, err := list[i].open(ctx, fmt.Sprintf("features %s of %s", name, story))
	if err != nil {
		return nil, err
	}
	if opened.Repeats != 1 {
		return nil, fault.New(fault.BadData, "read features", opened.Where, "%d × %d × %d numbers, want rows × columns",
			opened.Repeats, opened.Rows, opened.Columns)
	}
	return opened.all(ctx)
}

// timeCourse names the features of one time course for all clips of the design series.
const timeCourse = "time"

// EachBin reports whether features have a column for each bin of a clip, so that they need no lags: labels in the
// design series, whose floor is a mean time course for each label.
func (d *Dataset) EachBin(name string) bool {
	own := slices.ContainsFunc(d.spec.Features, func(f Features) bool { return f.Name == name })
	return d.IsSeries() && d.IsEvents() && !own
}

// labelFeatures returns 1 for the label of each clip in a column and the bin of the clip, 0 for the others, (rows,
// labels × rows of a clip).
func (d *Dataset) labelFeatures(column string) *Matrix {
	var labels []string
	for _, e := range d.spec.Events {
		if label := e.Labels[column]; !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	slices.Sort(labels)
	bins := d.ClipRows()
	rows, columns := len(d.spec.Events)*bins, len(labels)*bins
	m := NewMatrix(rows, columns, make([]float32, rows*columns))
	for k := range rows {
		i, _ := slices.BinarySearch(labels, d.spec.Events[k/bins].Labels[column]) // "" of the one time course
		m.Row(0, k)[i*bins+k%bins] = 1
	}
	return m
}
