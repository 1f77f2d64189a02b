// Package columns cuts the voxels of subjects into blocks, the units in which several processes share responses,
// readouts and scores by columns. Blocks do not depend on the number of processes, and what is added over voxels is
// added over blocks in their order, so that no result does either.
package columns

// Width is the number of voxels of a block; the last of a subject may have fewer. Tests make it smaller.
var Width = 4096

// Block is the voxels From ≤ v < To of a subject, by their places among those of the subject that are meant, such as
// the tuned ones.
type Block struct{ Subject, Number, From, To int }

// Len returns the number of voxels.
func (b Block) Len() int { return b.To - b.From }

// Blocks cuts the voxels of all subjects, whose numbers are given, into blocks. Those of a subject follow each other.
func Blocks(voxels []int) (out []Block) {
	for i, n := range voxels {
		for from := 0; from < n; from += Width {
			out = append(out, Block{i, from / Width, from, min(from+Width, n)})
		}
	}
	return out
}

// Share returns the blocks of one of several ranks: consecutive ones, none where there are more ranks than blocks.
func Share(blocks []Block, world, rank int) []Block {
	return blocks[len(blocks)*rank/world : len(blocks)*(rank+1)/world]
}

// Span returns the voxels of a subject in a share, which follow each other.
func Span(share []Block, subject int) (from, to int) {
	for _, b := range share {
		if b.Subject != subject {
			continue
		}
		if to == 0 {
			from = b.From
		}
		to = b.To
	}
	return from, to
}
