package bidsdata

import (
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// LePetitPrince are the volumes of the nine sections of Le Petit Prince (ds003643) by language, preprocessed, from the
// README of its version 2.0.6.
var LePetitPrince = map[string][]int{
	"EN": {282, 298, 340, 303, 265, 343, 325, 292, 368},
	"CN": {283, 322, 322, 307, 293, 392, 364, 293, 401},
	"FR": {309, 326, 354, 315, 293, 378, 332, 294, 336},
}

// Run is a run of a subject by its number in the names of files.
type Run struct {
	Number  int
	Volumes int
}

// Sections tells which section of a book each run of a subject is, where runs are numbered by session: the section is
// the rank of the run's number, from 0. The volumes of each run must be those of its section in the table. It returns
// the sections in the order of runs.
func Sections(subject string, runs []Run, table []int) ([]int, error) {
	bad := func(why string, args ...any) error {
		return fault.New(fault.BadData, "order runs", quote.OneLine(subject), why, args...).
			WithHint("compare the volumes of the runs with the table in the data set's README")
	}
	order := make([]int, len(runs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return runs[a].Number - runs[b].Number })
	if len(runs) != len(table) {
		return nil, bad("there are %d runs, want one for each of the %d sections", len(runs), len(table))
	}
	out := make([]int, len(runs))
	for rank, i := range order {
		if rank > 0 && runs[order[rank-1]].Number == runs[i].Number {
			return nil, bad("run %d occurs twice", runs[i].Number)
		}
		if runs[i].Volumes != table[rank] {
			return nil, bad("run %d is %s of %d, so section %d, which has %d volumes; it has %d", runs[i].Number,
				ordinal(rank+1), len(runs), rank+1, table[rank], runs[i].Volumes)
		}
		out[i] = rank
	}
	return out, nil
}

func ordinal(n int) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2 && n%100 != 12:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3 && n%100 != 13:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}
