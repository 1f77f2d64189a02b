package dataset

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// motion reads the head motion of a subject.
func (l *layout) motion(name, path string, _, n *yaml.Node) error {
	moved := Subject{Name: name}
	err := l.each(path, n, func(story, path string, _, v *yaml.Node) error {
		r, err := l.motionFile(path, v)
		r.Story = story
		moved.Motion = append(moved.Motion, r)
		return err
	})
	l.moved = append(l.moved, moved)
	return err
}

// motionFile reads the file of the motion during a story: a matrix, or a table of confounds with its columns.
func (l *layout) motionFile(path string, n *yaml.Node) (r Response, err error) {
	var file string
	var columns []string
	if n.Kind == yaml.MappingNode {
		known := append(slices.Clone(layoutKeys["motion/SUBJECT/STORY"]), "rows") // which gets words of its own
		err = l.fields(path, n, known, func(name, path string, v *yaml.Node) error {
			switch name {
			case "file":
				return l.text(path, v, &file)
			case "rows":
				return l.fail(l.at[path], "motion has the rows of its responses: rows belongs there")
			}
			return l.list(path, v, func(item *yaml.Node) error {
				columns = append(columns, "")
				return l.text(path, item, &columns[len(columns)-1])
			})
		})
		if err == nil && l.at[path+"/file"] == nil {
			err = l.fail(n, "%s needs file", path)
		}
	} else {
		err = l.text(path, n, &file)
	}
	switch {
	case err != nil:
	case l.at[path+"/columns"] != nil && len(columns) == 0:
		err = l.fail(l.at[path+"/columns"], "%s/columns is empty", path)
	case isTable(file):
		r.Matrix = fromFile(l.files, file, confounds(columns))
	case columns != nil:
		err = l.fail(l.at[path+"/columns"], "%s/columns: %s has no names of columns, which a .tsv has", path, file)
	case isNPY(file):
		r.Source = fromFile(l.files, file, folder.source)
	default:
		r.Matrix = fromFile(l.files, file, folder.matrix)
	}
	return r, err
}

// assignMotion moves the motion to its subjects.
func (l *layout) assignMotion() error {
	for _, m := range l.moved {
		i := slices.IndexFunc(l.spec.Subjects, func(p Subject) bool { return p.Name == m.Name })
		if i < 0 {
			where := key("motion", m.Name)
			return l.fail(l.at[where], "%s: there is no subject %q", where, m.Name)
		}
		l.spec.Subjects[i].Motion = m.Motion
	}
	return nil
}
