package evaluate

import (
	"fmt"
	"io"
	"strings"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// byState returns the weights (voxels, hidden states) of a stack as those of all voxels for each state.
func byState(weights []float64, voxels int) [][]float64 {
	out := make([][]float64, len(weights)/voxels)
	for l := range out {
		for v := range voxels {
			out[l] = append(out[l], weights[v*len(out)+l])
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
		states := byState(weights, p.Voxels)
		for _, g := range e.Groups {
			name, columns := system, []int(nil)
			if g.Columns != nil {
				name, columns = system+":"+g.Name, g.Columns[i]
			}
			if g.Name == study.TunedGroup || g.Columns != nil && len(columns) == 0 {
				continue
			}
			mean, none := make([]float64, len(states)), make([]bool, p.Voxels) // constant voxels have weights, too
			for l := range mean {
				mean[l], _ = stats.Mean(states[l], none, columns)
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
