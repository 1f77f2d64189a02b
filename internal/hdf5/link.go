package hdf5

import (
	"errors"
	"fmt"
)

// LinkKind tells where a link leads.
type LinkKind int

// The kinds of links. A hard link is a name of an object, a soft one of a path, an external one of a path in
// another file.
const (
	Hard LinkKind = iota
	Soft
	External
	Other // of a kind that a program defined for itself
)

// String names the kind, with its article.
func (k LinkKind) String() string {
	return [...]string{"a hard link", "a soft link", "an external link", "a user-defined link"}[k]
}

// Link is a name in a group.
type Link struct {
	Name   string // in a group; the path from the root where a whole file is listed
	Kind   LinkKind
	Target string // of soft and external links

	address uint64 // of the object, for hard links
}

// String describes the link on one line.
func (l Link) String() string {
	if l.Target == "" {
		return l.Name + ": " + l.Kind.String()
	}
	return l.Name + ": " + l.Kind.String() + " to " + l.Target
}

// maxName bounds names, paths and the targets of links.
const maxName = 4096

// linkBytes is the memory of a link, beside its texts.
const linkBytes = 64

// parseLink reads a link message.
func (s *source) parseLink(data []byte) (Link, error) {
	const what = "a link"
	f := &fields{b: data}
	if v := f.int(1); v != 1 {
		return Link{}, unsupported("a link of version %d", v)
	}
	flags, kind := f.int(1), 0
	if flags&8 != 0 {
		kind = f.int(1)
	}
	if flags&4 != 0 {
		f.take(8) // creation order
	}
	if flags&16 != 0 {
		f.take(1) // character set
	}
	size := f.uint(1 << (flags & 3))
	if size > maxName {
		return Link{}, fmt.Errorf("a link's name has %d bytes, at most %d are allowed", size, maxName)
	}
	l := Link{Name: string(f.take(int(size)))}
	switch kind {
	case 0:
		l.address = f.address()
	case 1:
		l.Kind, l.Target = Soft, text(f.take(f.int(2)))
	case 64:
		l.Kind, l.Target = External, externalTarget(f.take(f.int(2)))
	default:
		l.Kind = Other
	}
	if err := f.err(what); err != nil {
		return Link{}, err
	}
	if l.Name == "" {
		return Link{}, errors.New("a link has no name")
	}
	return l, s.spend(int64(linkBytes + len(l.Name) + len(l.Target)))
}

// text is the characters of data up to a zero byte, at most maxName.
func text(data []byte) string {
	for i, b := range data {
		if b == 0 {
			data = data[:i]
			break
		}
	}
	return string(data[:min(len(data), maxName)])
}

// externalTarget reads FILE:PATH from the value of an external link: a byte, and two texts that end with zero.
func externalTarget(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	file := text(data[1:])
	if rest := 1 + len(file) + 1; rest < len(data) {
		return file + ":" + text(data[rest:])
	}
	return file
}
