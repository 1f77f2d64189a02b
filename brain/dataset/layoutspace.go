package dataset

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// surface reads the surfaces and the vertices of the voxels, of all subjects or of each.
func (l *layout) surface(path string, n *yaml.Node) error {
	return l.spaces(path, n, layoutKeys["surface"], func(path string, n *yaml.Node, to *Space) error {
		return l.fields(path, n, layoutKeys["surface"], func(name, path string, v *yaml.Node) (err error) {
			switch name {
			case "left":
				return l.file(path, v, &to.Left)
			case "right":
				return l.file(path, v, &to.Right)
			default:
				to.Vertices, err = l.region(path, v)
				return err
			}
		})
	})
}

// mask reads the mask of all subjects or of each: a path, or a file and the order of its voxels.
func (l *layout) mask(path string, n *yaml.Node) error {
	return l.spaces(path, n, layoutKeys["mask"], func(path string, n *yaml.Node, to *Space) error {
		if n.Kind != yaml.MappingNode {
			return l.file(path, n, &to.Mask)
		}
		err := l.fields(path, n, layoutKeys["mask"], func(name, path string, v *yaml.Node) error {
			switch name {
			case "file":
				return l.file(path, v, &to.Mask)
			case "voxels":
				region, err := l.region(path, v)
				to.Vertices = region
				return err
			}
			var order string
			if err := l.text(path, v, &order); err != nil {
				return err
			}
			if to.XFastest = order == "x"; !to.XFastest && order != "z" {
				return l.fail(v, "%s is %q, want z (nilearn: z runs fastest) or x (pycortex: x does)", path, order)
			}
			return nil
		})
		if err == nil && to.Mask == "" {
			err = l.fail(n, "%s needs file", path)
		}
		return err
	})
}

// spaces reads a space of all subjects, or a mapping of subjects to theirs: one without a key of a space.
func (l *layout) spaces(path string, n *yaml.Node, keys []string,
	read func(path string, n *yaml.Node, to *Space) error) error {
	ofAll := n.Kind != yaml.MappingNode || len(n.Content) == 0
	for i := 0; i < len(n.Content); i += 2 {
		ofAll = ofAll || slices.Contains(keys, n.Content[i].Value)
	}
	if ofAll {
		return read(path, n, &l.spec.Space)
	}
	return l.each(path, n, func(subject, path string, _, v *yaml.Node) error {
		i := slices.IndexFunc(l.own, func(s Subject) bool { return s.Name == subject })
		if i < 0 {
			i, l.own = len(l.own), append(l.own, Subject{Name: subject, Space: &Space{}})
		}
		return read(path, v, l.own[i].Space)
	})
}

// assignSpaces gives subjects the spaces of their own.
func (l *layout) assignSpaces() error {
	for _, own := range l.own {
		subject := l.listed(own.Name)
		if subject == nil {
			at := l.at[key("mask", own.Name)]
			if at == nil {
				at = l.at[key("surface", own.Name)]
			}
			return l.fail(at, "there is no subject %q", own.Name)
		}
		subject.Space = own.Space
	}
	return nil
}
