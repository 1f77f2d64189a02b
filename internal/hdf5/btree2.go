package hdf5

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// btree2 is a B-tree of version 2: records of one length in leaves and inner nodes.
type btree2 struct {
	s       *source
	kind    int
	node    uint64 // bytes of a node
	record  int    // bytes of a record
	most    []uint64
	totals  []uint64 // the most records below and in a node, by depth
	visit   func(record []byte) error
	visited uint64
}

// nodeHead is the number of bytes of a node beside records and pointers: signature, version, type, checksum.
const nodeHead = 4 + 1 + 1 + sumBytes

// maxDepth2 bounds the depth. Nodes hold at least two records, and depth 40 would be 2^40 of them.
const maxDepth2 = 40

// walk2 calls visit for each record of the tree at an address, in order. It returns the type of its records.
func (s *source) walk2(address uint64, kinds []int, visit func([]byte) error) error {
	const what = "a B-tree of version 2"
	f, err := s.structure(what, "BTHD", address, 38)
	if err != nil {
		return err
	}
	if err := f.version0(what); err != nil {
		return err
	}
	t := &btree2{s: s, visit: visit}
	t.kind, t.node, t.record = f.int(1), f.uint(4), f.int(2)
	depth := f.int(2)
	f.take(2)
	root, n, total := f.address(), f.uint(2), f.uint(8)
	if !slices.Contains(kinds, t.kind) {
		return fmt.Errorf("%s has records of type %d, want one of %v", what, t.kind, kinds)
	}
	if t.record == 0 || t.node <= nodeHead || depth > maxDepth2 {
		return fmt.Errorf("%s has records of %d bytes, nodes of %d and depth %d", what, t.record, t.node, depth)
	}
	if root == undefined {
		return nil
	}
	t.limits(depth)
	if err := t.walk(root, n, depth); err != nil {
		return err
	}
	if t.visited != total {
		return fmt.Errorf("%s has %d records, its header says %d", what, t.visited, total)
	}
	return nil
}

// width is the number of bytes that hold numbers up to n.
func width(n uint64) int { return (max(1, bits.Len64(n)) + 7) / 8 }

// limits computes how many records nodes of each depth can hold, on which the widths of pointers depend.
func (t *btree2) limits(depth int) {
	leaf := (t.node - nodeHead) / uint64(t.record)
	t.most, t.totals = []uint64{leaf}, []uint64{leaf}
	for d := 1; d <= depth; d++ {
		pointer := uint64(8 + t.counts(d))
		var n uint64
		if t.node > nodeHead+pointer {
			n = (t.node - nodeHead - pointer) / (uint64(t.record) + pointer)
		}
		below := t.totals[d-1]
		total := uint64(math.MaxUint64)
		if high, low := bits.Mul64(n+1, below); high == 0 && low <= math.MaxUint64-n {
			total = low + n
		}
		t.most, t.totals = append(t.most, n), append(t.totals, total)
	}
}

// counts is the number of bytes of the two counts in a pointer of a node of a depth.
func (t *btree2) counts(depth int) int {
	n := width(t.most[0])
	if depth > 1 {
		n += width(t.totals[depth-1])
	}
	return n
}

// walk visits the records of a node and of all below it.
func (t *btree2) walk(address, n uint64, depth int) error {
	magic := "BTIN"
	if depth == 0 {
		magic = "BTLF"
	}
	if n > t.most[depth] {
		return fmt.Errorf("a node of a B-tree holds %d records, at most %d fit", n, t.most[depth])
	}
	size := nodeHead + n*uint64(t.record)
	if depth > 0 {
		size += (n + 1) * uint64(8+t.counts(depth))
	}
	f, err := t.s.structure("a node of a B-tree", magic, address, size)
	if err != nil {
		return err
	}
	if err := f.version0("a node of a B-tree"); err != nil {
		return err
	}
	if kind := f.int(1); kind != t.kind {
		return fmt.Errorf("a node of a B-tree has records of type %d, want %d", kind, t.kind)
	}
	records := f.take(int(n) * t.record)
	for i := range int(n) + 1 {
		if depth > 0 {
			child, k := f.address(), f.uint(width(t.most[0]))
			f.take(t.counts(depth) - width(t.most[0]))
			if err := t.walk(child, k, depth-1); err != nil {
				return err
			}
		}
		if i < int(n) {
			t.visited++
			if err := t.visit(records[i*t.record : (i+1)*t.record]); err != nil {
				return err
			}
		}
	}
	return nil
}
