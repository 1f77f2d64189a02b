package rowsource

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// packed is an array that is compressed or in chunks. Each read unpacks what comes before its rows.
type packed struct{ arraySource }

// ReadRows fills out with rows. Where rows are spread over the file all of it is unpacked.
func (p *packed) ReadRows(_ context.Context, repeat, from, to int, out []float32) error {
	file, err := p.file()
	if err != nil {
		return err
	}
	defer file.Close()
	f, err := arrayfile.Open(p.path)
	if err != nil {
		return err
	}
	defer f.Close()
	a, err := stored.Choose(reading, p.path, p.array.Name, f.Arrays(), f.Others())
	if err != nil {
		return err
	}
	rows, err := arrayfile.Read(f, a, file, p.path, false)
	if err != nil {
		return err
	}
	step := min(to-from, max(rows.Step(), slab/8/p.columns/rows.Step()*rows.Step()))
	if rows.Spread() {
		step = to - from
	}
	wide := make([]float64, step*p.columns)
	for at := from; at < to; at += step {
		n := min(step, to-at)
		if err := rows.ReadRows(repeat, at, at+n, wide[:n*p.columns]); err != nil {
			return inputfile.Error(reading, p.path, err)
		}
		for i, x := range wide[:n*p.columns] {
			out[(at-from)*p.columns+i] = float32(x)
		}
	}
	return nil
}

// slab bounds what is unpacked at once.
const slab = 64 << 20
