package hdf5

import (
	"slices"
	"strings"
)

// isGroup reports whether an object has links.
func (h header) isGroup() bool {
	return h.has(msgSymbols) != nil || h.has(msgLinkInfo) != nil || h.has(msgLink) != nil
}

// isDataset reports whether an object has data.
func (h header) isDataset() bool { return h.has(msgLayout) != nil }

// links returns the links of a group by their names.
func (s *source) links(group header) ([]Link, error) {
	var out []Link
	add := func(l Link) error {
		out = append(out, l)
		return nil
	}
	for _, m := range group {
		var err error
		switch m.kind {
		case msgSymbols:
			err = s.symbolTable(m, add)
		case msgLink:
			err = s.addLink(m.data, add)
		case msgLinkInfo:
			err = s.denseLinks(m, add)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b Link) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (s *source) addLink(data []byte, add func(Link) error) error {
	l, err := s.parseLink(data)
	if err != nil {
		return err
	}
	return add(l)
}

// Types of records in B-trees of version 2.
const (
	recordLinkName       = 5
	recordAttributeName  = 8
	recordChunk          = 10
	recordFilteredChunk  = 11
	linkHash             = 4 // bytes before the identifier of a link
	attributeIdentifiers = 8 // bytes of the identifier of an attribute
)

// denseLinks reads the links in a fractal heap, by the B-tree of their names.
func (s *source) denseLinks(m message, add func(Link) error) error {
	f := &fields{b: m.data}
	if err := f.version0("a link information message"); err != nil {
		return err
	}
	if flags := f.int(1); flags&1 != 0 {
		f.take(8) // the greatest creation order
	}
	return s.dense(f, recordLinkName, func(record []byte) []byte { return record[min(linkHash, len(record)):] },
		func(data []byte) error { return s.addLink(data, add) })
}

// dense reads the objects of a fractal heap whose address comes next, by the B-tree whose address follows.
// identifier finds an object's identifier in a record; nil passes the object over.
func (s *source) dense(f *fields, kind int, identifier func([]byte) []byte, visit func([]byte) error) error {
	address, tree := f.address(), f.address()
	if err := f.err("a message of dense storage"); err != nil || address == undefined {
		return err
	}
	h, err := s.heap(address)
	if err != nil || tree == undefined {
		return err
	}
	return s.walk2(tree, []int{kind}, func(record []byte) error {
		id := identifier(record)
		if id == nil {
			return nil
		}
		data, err := h.object(id)
		if err != nil {
			return err
		}
		return visit(data)
	})
}
