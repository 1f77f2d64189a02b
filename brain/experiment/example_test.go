package experiment_test

import (
	"fmt"

	"github.com/brainwavlm/bwlm/brain/experiment"
)

const file = `
model: {path: models/wavlm-base-plus, layer: 6}
data: {path: data/alice, subjects: all, train: "alice[10:200]", val: "alice[210:240]", test: "alice[250:362]"}
out: runs/alice
`

func ExampleReadBytes() {
	e, err := experiment.ReadBytes("exp.yaml", []byte(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := e.Set("train.lr=1e-3"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("valid:", e.Validate() == nil)
	for s := range e.Settings() {
		if s.Origin == experiment.FromSet || s.Key == "model.layer" || s.Key == "train.epochs" {
			fmt.Printf("%s = %s (%s)\n", s.Key, s.Value, s.Origin)
		}
	}
	// Output:
	// valid: true
	// model.layer = 6 (file)
	// train.epochs = 20 (default)
	// train.lr = 0.001 (set)
}

func ExampleReadBytes_misspelled() {
	_, err := experiment.ReadBytes("exp.yaml", []byte("train:\n  epoch: 5\n"))
	fmt.Println(err)
	// Output:
	// experiment: exp.yaml:2:3: unknown key train.epoch; did you mean train.epochs?
}
