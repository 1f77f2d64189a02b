package ridge

import "github.com/brainwavlm/bwlm/torch"

// pass goes over the responses and takes their sums, a group of blocks at a time.
type pass struct {
	*fit
	directions *directions
	folds      int
	share      float64 // rows of all shares in relation to the rows
	has        []bool  // by share: it has rows

	arena    *torch.Arena      // of the group
	room     [][]*torch.Tensor // by block of a group, for those of the next one
	of       *responses
	from, to int
	group    []*block

	panelRows, standardRows, some []float32 // buffers
}

// groups yields the groups of columns whose sums are held at once.
func (p *pass) groups(y *responses) func(yield func(from, to int) bool) {
	return p.fit.groups(y, 4*(1+p.folds)*len(p.directions.size), sumVoxels)
}

// blocks returns the number of blocks of all responses.
func (p *pass) blocks() (n int) {
	for _, y := range p.ys {
		for range p.fit.blocks(0, y.Voxels, sumVoxels) {
			n++
		}
	}
	return n
}

func (p *pass) close() {
	if p.arena != nil {
		p.arena.Close()
	}
}

// eachBlock visits the sums of all voxels; first is the number of the first voxel among those of all responses.
func (p *pass) eachBlock(s *torch.Scope, do func(s *torch.Scope, k int, b *block, first int) error) error {
	for k, y := range p.ys {
		for from, to := range p.groups(y) {
			if err := p.take(s, y, from, to); err != nil {
				return err
			}
			for _, b := range p.group {
				if err := within(s, func(s *torch.Scope) error { return do(s, k, b, y.first+b.from) }); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// within runs do in a nested scope, which frees its tensors.
func within(s *torch.Scope, do func(s *torch.Scope) error) (err error) {
	s.Frozen(func(s *torch.Scope) *torch.Tensor {
		err = do(s)
		return s.Zeros()
	})
	return err
}

// take takes the sums of a group of columns, unless they are there.
func (p *pass) take(s *torch.Scope, y *responses, from, to int) error {
	if p.of == y && p.from == from && p.to == to {
		return nil
	}
	if p.arena == nil {
		p.arena = torch.NewArena()
	}
	p.of, p.from, p.to, p.group = y, from, to, nil
	for a, b := range p.fit.blocks(from, to, sumVoxels) {
		p.group = append(p.group, p.newBlock(s, len(p.group), a, b))
	}
	p.count(p.share, to-from, y.rows, len(p.directions.size))
	rows, ok := y.Reader.(RowReader)
	if !ok {
		return p.takeColumns(s, y)
	}
	y.bytes += 4 * int64(to-from) * int64(y.rows)
	width := to - from
	panelRows := reuse(&p.panelRows, min(sumRows, y.rows)*width)
	filled := 0 // rows
	return rows.EachRows(s.Context(), from, to, func(row int, x []float32) error {
		if i := notFinite(x); i < len(x) {
			return notFiniteError(row+i/width, from+i%width, x[i])
		}
		for len(x) > 0 {
			at := filled % sumRows
			n := min(len(x)/width, sumRows-at)
			copy(panelRows[at*width:], x[:n*width])
			x, filled = x[n*width:], filled+n
			if filled%sumRows > 0 && filled < y.rows {
				continue
			}
			p.addPanel(s, filled-at-n, filled, func(s *torch.Scope, pn *panel) {
				for _, b := range p.group {
					p.addBlock(s, pn, b, panelRows[b.from-from:], width)
				}
			})
		}
		return nil
	})
}

// newBlock makes room for the sums of block number n of a group, before anything that is freed again, so that it lies
// together. That of the block before in its place is taken again: what is freed and made anew lies in pieces.
func (p *pass) newBlock(s *torch.Scope, n, from, to int) *block {
	b := newBlock(from, to, p.folds)
	if n == len(p.room) {
		p.room = append(p.room, make([]*torch.Tensor, len(p.has)))
	}
	for i, has := range p.has {
		if !has {
			continue
		}
		_ = within(s, func(s *torch.Scope) error {
			zeros := s.Zeros(to-from, len(p.directions.size))
			if t := p.room[n][i]; t != nil && t.Dim(0) == to-from {
				t.CopyFrom(zeros)
			} else {
				p.room[n][i] = p.arena.Keep(zeros)
			}
			return nil
		})
		b.products[i] = p.room[n][i]
	}
	return b
}

// takeColumns is take for responses that are read by columns.
func (p *pass) takeColumns(s *torch.Scope, y *responses) error {
	for _, b := range p.group {
		if err := y.hold(s.Context(), b.from, b.to); err != nil {
			return err
		}
		width := b.to - b.from
		for from, to := range blocks(0, y.rows, sumRows) {
			rows := reuse(&p.panelRows, (to-from)*width)
			transpose(y.held[from:], width, to-from, y.rows, rows, width)
			p.addPanel(s, from, to, func(s *torch.Scope, pn *panel) { p.addBlock(s, pn, b, rows, width) })
		}
	}
	return nil
}

// addPanel adds the rows from ≤ k < to of the features with what do adds of the responses.
func (p *pass) addPanel(s *torch.Scope, from, to int, add func(s *torch.Scope, pn *panel)) {
	_ = within(s, func(s *torch.Scope) error {
		add(s, p.directions.panel(s, from, to, p.folds))
		return nil
	})
}

// addBlock adds the rows of a panel, of a stride, to a block.
func (p *pass) addBlock(s *torch.Scope, pn *panel, b *block, y []float32, stride int) {
	rows, width := pn.to-pn.from, b.to-b.from
	if pn.from == 0 {
		b.begin(y, rows, stride, p.x.centred)
	}
	standard := reuse(&p.standardRows, rows*width)
	b.standard(pn, y, stride, standard)
	b.multiply(s, pn, standard, reuse(&p.some, rows*width))
}
