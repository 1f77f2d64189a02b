package ui_test

import (
	"os"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
)

func ExampleTable() {
	_ = ui.Table(os.Stdout, []string{"region", "base", "tuned"}, [][]string{
		{"auditory", "0.412", "0.431"},
		{"semantic", "0.205", "0.260"},
	})
	// Output:
	// region     base  tuned
	// auditory  0.412  0.431
	// semantic  0.205  0.260
}
