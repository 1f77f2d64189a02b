package dataset

import (
	"context"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/fault"
)

// empty reads which columns of a subject hold no values.
func (l *layout) empty(subject, path string, _, n *yaml.Node) error {
	region, err := l.region(path, n)
	l.emptied = append(l.emptied, Subject{Name: subject, Empty: region})
	return err
}

// assignEmpty gives subjects their empty columns.
func (l *layout) assignEmpty() error {
	for _, from := range l.emptied {
		to := l.listed(from.Name)
		if to == nil {
			return l.fail(l.at[key("empty", from.Name)], "there is no subject %q", from.Name)
		}
		to.Empty = from.Empty
	}
	return nil
}

// listed returns a subject of the description, real or derived; nil if none has the name.
func (l *layout) listed(name string) *Subject {
	for _, subjects := range [][]Subject{l.spec.Subjects, l.spec.Derived} {
		for i := range subjects {
			if subjects[i].Name == name {
				return &subjects[i]
			}
		}
	}
	return nil
}

// emptyOf returns the empty columns of a subject, ascending, among some number of columns.
func (d *Dataset) emptyOf(ctx context.Context, s *Subject, columns int) ([]int, error) {
	if s.Empty.Absent() {
		return nil, nil
	}
	region, err := s.Empty.Load(ctx)
	if err != nil {
		return nil, err
	}
	where := d.spec.Name + ": " + key("empty", s.Name)
	if s.Empty.Path != "" {
		where += ", " + s.Empty.Path
	}
	out, err := region.in("list of empty columns", columns, where)
	if err == nil && len(out) == columns {
		return nil, fault.New(fault.BadData, "read responses", where, "it has all %d voxels", columns)
	}
	return out, err
}
