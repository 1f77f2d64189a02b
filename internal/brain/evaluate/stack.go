package evaluate

import (
	"fmt"
	"io"
	"strings"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// transposed returns x (voxels, columns) as (columns, voxels).
func transposed(x []float64, voxels int) []float32 {
	out, columns := make([]float32, len(x)), len(x)/voxels
	for v := range voxels {
		for c := range columns {
			out[c*voxels+v] = float32(x[v*columns+c])
		}
	}
	return out
}

// stackTable writes stack.tsv of a subject: a line for each hidden state with its mean weight over all voxels, and
// those of each ROI, in the stacks of the untuned and the tuned model.
func (e *Evaluation) stackTable(dir string, i int) error {
	p := e.Study.Subjects[i]
	head, means := []string{"hidden_state"}, [][]float64{}
	add := func(system string, weights []float64) {
		states := len(weights) / p.Voxels
		for _, g := range e.Groups {
			name, columns := system, []int(nil)
			if g.Columns != nil {
				name, columns = system+":"+g.Name, g.Columns[i]
			}
			if g.Name == study.TunedGroup || g.Columns != nil && len(columns) == 0 {
				continue
			}
			if columns == nil {
				columns = upTo(p.Voxels)
			}
			mean := make([]float64, states)
			for _, v := range columns {
				for l := range mean {
					mean[l] += weights[v*states+l] / float64(len(columns))
				}
			}
			head, means = append(head, name), append(means, mean)
		}
	}
	add("base", e.Base[i].Stack)
	if e.Tuned != nil && e.Tuned[i].Stack != nil {
		add("tuned", e.Tuned[i].Stack)
	}
	r := rundir.Run{Dir: dir}
	path, err := r.Path("test", p.Name, "stack.tsv")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		fmt.Fprintln(w, strings.Join(head, "\t"))
		for l := range means[0] {
			fmt.Fprint(w, l)
			for _, mean := range means {
				fmt.Fprintf(w, "\t%.4f", mean[l])
			}
			fmt.Fprintln(w)
		}
		return nil
	})
}

// upTo returns the numbers from 0 to n-1.
func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
