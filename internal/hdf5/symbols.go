package hdf5

import (
	"errors"
	"fmt"
)

// maxDepth bounds the levels of trees and the nesting of groups.
const maxDepth = 64

// symbols is a group as a symbol table: a B-tree of version 1 whose leaves are nodes of entries, and a local
// heap with the names.
type symbols struct {
	s    *source
	heap []byte
	add  func(Link) error
}

// symbolTable reads the links of a symbol table message.
func (s *source) symbolTable(m message, add func(Link) error) error {
	f := &fields{b: m.data}
	tree, heap := f.address(), f.address()
	if err := f.err("a symbol table message"); err != nil {
		return err
	}
	const what = "a local heap"
	head, err := s.signed(what, "HEAP", heap, 32)
	if err != nil {
		return err
	}
	f = &fields{b: head[8:]}
	size, _, data := f.address(), f.address(), f.address()
	t := symbols{s: s, add: add}
	if t.heap, err = s.bytes(what, data, size); err != nil {
		return err
	}
	return t.node(tree, -1)
}

// treeNode reads the start of a node of a B-tree of version 1 and of a kind: its level, which must be the
// wanted one unless that is negative, and the number of its entries.
func (s *source) treeNode(address uint64, kind, level int) (int, int, error) {
	const what = "a node of a B-tree"
	head, err := s.signed(what, "TREE", address, 24)
	if err != nil {
		return 0, 0, err
	}
	f := &fields{b: head[4:]}
	if k := f.int(1); k != kind {
		return 0, 0, fmt.Errorf("%s has type %d, want %d", what, k, kind)
	}
	found, n := f.int(1), f.int(2)
	if level >= 0 && found != level || found > maxDepth {
		return 0, 0, fmt.Errorf("%s has level %d, want %d", what, found, min(max(level, 0), maxDepth))
	}
	return found, n, nil
}

// node reads a node of the tree and all below it.
func (t *symbols) node(address uint64, level int) error {
	level, n, err := t.s.treeNode(address, 0, level)
	if err != nil {
		return err
	}
	data, err := t.s.bytes("a B-tree of names", address+24, 8+uint64(n)*16)
	if err != nil {
		return err
	}
	f := &fields{b: data}
	for range n {
		f.take(8) // the least name
		child := f.address()
		if level > 0 {
			err = t.node(child, level-1)
		} else {
			err = t.leaf(child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaf reads the entries of a node of symbols.
func (t *symbols) leaf(address uint64) error {
	const what, entry = "a node of symbols", 40
	head, err := t.s.signed(what, "SNOD", address, 8)
	if err != nil {
		return err
	}
	n := (&fields{b: head[6:]}).uint(2)
	data, err := t.s.bytes(what, address+8, n*entry)
	if err != nil {
		return err
	}
	for f := (&fields{b: data}); len(f.b) > 0; {
		name, object, cached := f.address(), f.address(), f.int(4)
		f.take(4)
		scratch := f.uint(4)
		f.take(12)
		l := Link{address: object}
		if l.Name, err = t.text(name); err != nil {
			return err
		}
		if cached == 2 {
			l.Kind = Soft
			if l.Target, err = t.text(scratch); err != nil {
				return err
			}
		}
		if err := t.s.spend(int64(linkBytes + len(l.Name) + len(l.Target))); err != nil {
			return err
		}
		if err := t.add(l); err != nil {
			return err
		}
	}
	return nil
}

// text is the name at an offset of the heap.
func (t *symbols) text(offset uint64) (string, error) {
	if offset >= uint64(len(t.heap)) {
		return "", fmt.Errorf("a name begins at byte %d of a heap of %d", offset, len(t.heap))
	}
	name := text(t.heap[offset:])
	if name == "" {
		return "", errors.New("a link has no name")
	}
	return name, nil
}
