package hdf5

import (
	"fmt"
	"path"
	"strings"
)

// List returns the data sets of the file, each under every name that hard links give it, and the links that
// are not hard. Names are paths from the root, in their order. A group with several names is listed under
// one. A data set that cannot be read is listed, too: [Dataset.Err] says why.
func (f *File) List() ([]*Dataset, []Link, error) {
	f.src.begin()
	w := walker{s: f.src, seen: map[uint64]bool{}}
	if err := w.group("", f.root, 0); err != nil {
		return nil, nil, f.src.fault("", err)
	}
	return w.datasets, w.links, nil
}

type walker struct {
	s        *source
	seen     map[uint64]bool // groups
	datasets []*Dataset
	links    []Link
}

// group lists the group at an address and all below it; prefix is its path with a slash at the end.
func (w *walker) group(prefix string, address uint64, depth int) error {
	h, err := w.s.header(address)
	if err != nil {
		return err
	}
	return w.members(prefix, address, h, depth)
}

func (w *walker) members(prefix string, address uint64, group header, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("groups nest deeper than %d", maxDepth)
	}
	if w.seen[address] {
		return nil
	}
	w.seen[address] = true
	links, err := w.s.links(group)
	if err != nil {
		return err
	}
	for _, l := range links {
		l.Name = prefix + l.Name
		if err := w.s.named(l.Name); err != nil {
			return err
		}
		if l.Kind != Hard {
			w.links = append(w.links, l)
			continue
		}
		h, err := w.s.header(l.address)
		if err != nil {
			return err
		}
		switch {
		case h.isDataset():
			w.datasets = append(w.datasets, w.s.describe(l.Name, h))
		case h.isGroup():
			if err := w.members(l.Name+"/", l.address, h, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// datasetBytes is the memory of a data set, beside its name.
const datasetBytes = 1024

// named takes the memory of a path and of what it names from the budget.
func (s *source) named(path string) error {
	if len(path) > maxName {
		return fmt.Errorf("a path has %d bytes, at most %d are allowed", len(path), maxName)
	}
	return s.spend(int64(datasetBytes + len(path)))
}

// Dataset returns the data set at a path from the root. It follows hard and soft links.
func (f *File) Dataset(name string) (*Dataset, error) {
	f.src.begin()
	h, err := f.find(name, maxSoft)
	if err == nil && !h.isDataset() {
		err = &refusal{"is a group, not an array", "name an array in it"}
	}
	if err != nil {
		return nil, f.src.fault(name, err)
	}
	return f.src.describe(strings.Trim(path.Clean("/"+name), "/"), h), nil
}

// maxSoft bounds the soft links on the way to an object.
const maxSoft = 16

// find returns the object at a path from the root, through at most hops soft links.
func (f *File) find(name string, hops int) (header, error) {
	if len(name) > maxName {
		return nil, fmt.Errorf("the path has %d bytes, at most %d are allowed", len(name), maxName)
	}
	h, err := f.src.header(f.root)
	if err != nil {
		return nil, err
	}
	at := "/" // the group of h
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
	for i, part := range parts {
		if part == "." {
			continue
		}
		l, err := f.member(h, at, part)
		if err != nil {
			return nil, err
		}
		switch l.Kind {
		case Hard:
			if h, err = f.src.header(l.address); err != nil {
				return nil, err
			}
		case Soft:
			if hops == 0 {
				return nil, fmt.Errorf("%s leads through more than %d soft links", part, maxSoft)
			}
			target := l.Target
			if !strings.HasPrefix(target, "/") {
				target = at + target
			}
			return f.find(target+"/"+strings.Join(parts[i+1:], "/"), hops-1)
		case External:
			return nil, &refusal{fmt.Sprintf("%s is an external link to %s", part, l.Target),
				"name the array in that file"}
		default:
			return nil, unsupported("%s is %s", part, l.Kind)
		}
		at += part + "/"
	}
	return h, nil
}

// member finds a link of a group, whose path is for errors.
func (f *File) member(group header, path, name string) (Link, error) {
	links, err := f.src.links(group)
	if err != nil {
		return Link{}, err
	}
	var names []string
	for _, l := range links {
		if l.Name == name {
			return l, nil
		}
		names = append(names, l.Name)
	}
	if len(names) == 0 {
		return Link{}, &refusal{fmt.Sprintf("there is no %s in %s, which is empty", name, path), "check the name"}
	}
	return Link{}, &refusal{fmt.Sprintf("there is no %s in %s", name, path), "it has " + few(names)}
}

// few lists the first names.
func few(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
