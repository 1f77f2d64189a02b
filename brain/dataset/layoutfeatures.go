package dataset

import "go.yaml.in/yaml/v3"

// features reads features of the stimuli: a file of each story, or one of all clips.
func (l *layout) features(name, path string, _, n *yaml.Node) error {
	f := Features{Name: name}
	one := func(story, path, keys string, n *yaml.Node) error {
		r, err := l.featureFile(path, keys, n)
		r.Story = story
		f.Stories = append(f.Stories, r)
		return err
	}
	var err error
	if l.clips {
		err = one("", path, "features/SPACE", n)
	} else {
		err = l.each(path, n, func(story, path string, _, v *yaml.Node) error {
			return one(story, path, "features/SPACE/STORY", v)
		})
	}
	l.spec.Features = append(l.spec.Features, f)
	return err
}

// featureFile reads the path of a matrix, or a file and the array in it.
func (l *layout) featureFile(path, keys string, n *yaml.Node) (r Response, err error) {
	var file, array string
	if n.Kind != yaml.MappingNode {
		err = l.text(path, n, &file)
		return l.opened(file, array), err
	}
	err = l.fields(path, n, layoutKeys[keys], func(name, path string, v *yaml.Node) error {
		if name == "file" {
			return l.text(path, v, &file)
		}
		return l.text(path, v, &array)
	})
	if err == nil && file == "" {
		err = l.fail(n, "%s needs file", path)
	}
	return l.opened(file, array), err
}
