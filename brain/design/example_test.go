package design_test

import (
	"fmt"

	"github.com/brainwavlm/bwlm/brain/design"
)

// From 20 s of audio to what a readout sees of one made-up feature: the seconds that had passed at
// each window's end.
func Example() {
	clock := design.Clock{TR: 2, RowTime: .5}
	windows := design.Windows(20*16000, 16000, 4, .25)
	features := make([]float32, len(windows))
	for i, w := range windows {
		features[i] = float32(w.Time)
	}

	rows := design.Average(clock.Times(0, 10), design.FeatureTimes(windows), clock.TR, clock.RowTime).Apply(features, 1)
	delays, _ := design.Delays([]float64{2, 4}, clock.TR)
	fmt.Println("row 3:", rows[3])
	fmt.Println("what predicts row 3:", design.FIR(rows, 10, 1, delays)[3*2:4*2])
	// Output:
	// row 3: 7.125
	// what predicts row 3: [5.125 3.125]
}

func ExampleAudit() {
	clock := design.Clock{TR: 2}
	bold := design.BOLD{Delays: []int{1, 2, 3, 4}}
	window := bold.StimulusWindow(clock, design.StimulusWindow{Before: 4}) // of windows of 4 s
	use := func(split string, from, to int) design.Use {
		return design.Use{Split: split, Subject: "sub-18", Rows: design.Rows{Story: "alice", From: from, To: to}}
	}
	report, _ := design.Audit(window, []design.AuditStory{{Name: "alice", Clock: clock}},
		[]design.Use{use("train", 10, 200), use("val", 210, 240), use("test", 245, 362)})
	fmt.Print(report)
	// Output:
	// split  story  rows     subjects  stimulus window
	// train  alice  10:200   1         alice 2.0 to 402.0 s
	// val    alice  210:240  1         alice 402.0 to 482.0 s
	// test   alice  245:362  1         alice 472.0 to 726.0 s
	// LEAK  val alice[210:240] <-> test alice[245:362]  share 10.0 s of alice
}
