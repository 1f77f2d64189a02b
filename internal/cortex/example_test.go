package cortex_test

import (
	"fmt"

	"github.com/brainwavlm/bwlm/internal/cortex"
)

// Regions of a small atlas, combined; r says how well each vertex is predicted.
func ExampleSelector_Select() {
	atlas := &cortex.Atlas{
		Left: 4, Right: 4,
		Regions: []cortex.Region{
			{Name: "A1", FullName: "L_A1_ROI", Hemisphere: cortex.Left},
			{Name: "A4", FullName: "L_A4_ROI", Hemisphere: cortex.Left},
			{Name: "A1", FullName: "R_A1_ROI", Hemisphere: cortex.Right},
		},
		Labels: []int32{0, 0, 1, -1, 2, 2, 2, -1},
	}
	s := cortex.Selector{Atlas: atlas, Maps: map[string][]float32{"r": {.3, .1, .2, .4, .1, .2, .3, .4}}}
	for _, expression := range []string{"A1", "L:A1 | A4", "A* & r>=0.2", "R: - A1"} {
		mask, err := s.Select(expression)
		fmt.Println(expression, mask.Columns(), err)
	}
	_, err := s.Select("A2")
	fmt.Println(err)
	// Output:
	// A1 [0 1 4 5 6] <nil>
	// L:A1 | A4 [0 1 2] <nil>
	// A* & r>=0.2 [0 2 5 6] <nil>
	// R: - A1 [7] <nil>
	// select regions: there is no region "A2"; did you mean A1?
}

// A made-up brain of the size of fsaverage5, and a patch on it.
func ExampleSynthetic() {
	left, right := cortex.Synthetic(5)
	auditory := left.Patch([3]float64{1, .1, -.2}, 200)
	fmt.Println(len(left.Surface.Points), len(right.Surface.Faces), auditory.Count())
	// Output: 10242 20480 200
}

// Names of maps as BIDS derivatives have them.
func ExampleDerivative_Name() {
	d := cortex.Derivative{Subject: "01", Task: "alice", Hemisphere: cortex.Left, Space: "fsaverage5", Stat: "r",
		Desc: "tuned", Ext: ".func.gii"}
	name, err := d.Name()
	fmt.Println(d.Folder()+"/"+name, err)
	// Output: sub-01/func/sub-01_task-alice_hemi-L_space-fsaverage5_stat-r_desc-tuned_statmap.func.gii <nil>
}
