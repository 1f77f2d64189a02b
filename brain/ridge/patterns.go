package ridge

// pattern is the set of rows that the same folds hold out.
type pattern struct {
	held []bool // (folds) whether a fold holds the rows out
	rows []int  // ascending
}

// patternsOf groups rows by the folds that hold them out, in the order of their first rows.
func patternsOf(folds [][]int, rows int) (out []pattern) {
	held := make([][]bool, rows)
	for row := range held {
		held[row] = make([]bool, len(folds))
	}
	for f, list := range folds {
		for _, row := range list {
			held[row][f] = true
		}
	}
	at := map[string]int{}
	for row, mine := range held {
		key := make([]byte, len(mine))
		for f, yes := range mine {
			if yes {
				key[f] = 1
			}
		}
		p, known := at[string(key)]
		if !known {
			p = len(out)
			at[string(key)], out = p, append(out, pattern{held: mine})
		}
		out[p].rows = append(out[p].rows, row)
	}
	return out
}

// inOrder returns the rows of all patterns, one pattern after the other.
func inOrder(patterns []pattern) (rows []int) {
	for _, p := range patterns {
		rows = append(rows, p.rows...)
	}
	return rows
}
