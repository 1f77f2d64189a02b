// Command alice draws the README's picture of the Alice data: the score of each region beside the 95th percentile of
// the scores against shifted responses. It reads what bwlm eval examples/alice/group.yaml wrote.
//
//	go run ./tools/alice runs/alice-group/eval docs/results/alice.svg
package main

import (
	"fmt"
	"image/color"
	"log"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/npy"
)

// minShift is beyond the haemodynamic response: 20 s.
const minShift = 10

var regions = []string{"LATL", "RATL", "LPTL", "LIPL", "LPreM", "LIFG"}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: alice EVAL OUT.svg")
	}
	if err := draw(filepath.Join(os.Args[1], "test", "group"), os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func draw(dir, out string) error {
	read := func(name string) (*npy.Array, []float32, error) {
		a, err := npy.Read(filepath.Join(dir, name))
		if err != nil {
			return nil, nil, err
		}
		x, err := a.Float32()
		return a, x, err
	}
	a, want, err := read("responses.npy")
	if err != nil {
		return err
	}
	_, pred, err := read("base_pred.npy")
	if err != nil {
		return err
	}
	rows, voxels := a.Shape[0], a.Shape[1]
	scores, limits := make(plotter.Values, voxels), make(plotter.Values, voxels)
	for v := range voxels {
		n := stats.ShiftNull(pred, want, rows, voxels, []int{v}, minShift)
		scores[v], limits[v] = n.Observed, n.P95
		fmt.Printf("%-5s r %.3f, 95%% of shifts below %.3f, p %.3f\n", regions[v], n.Observed, n.P95, n.P)
	}
	all := stats.ShiftNull(pred, want, rows, voxels, nil, minShift)
	fmt.Printf("mean  r %.3f, 95%% of shifts below %.3f, p %.3f\n", all.Observed, all.P95, all.P)

	p := plot.New()
	p.Y.Label.Text = "r on held-out rows"
	p.Y.Min = 0
	p.NominalX(regions...)
	bars, err := plotter.NewBarChart(scores, vg.Points(16))
	if err != nil {
		return err
	}
	bars.Color, bars.Offset, bars.LineStyle.Width = color.RGBA{0x00, 0x72, 0xb2, 0xff}, -vg.Points(9), 0
	null, err := plotter.NewBarChart(limits, vg.Points(16))
	if err != nil {
		return err
	}
	null.Color, null.Offset, null.LineStyle.Width = color.RGBA{0xbb, 0xbb, 0xbb, 0xff}, vg.Points(9), 0
	p.Add(bars, null)
	p.Legend.Add("untuned nano WavLM", bars)
	p.Legend.Add("95 % of shifted responses stay below", null)
	p.Legend.Top = true
	p.Y.Max = .6
	return p.Save(16*vg.Centimeter, 8*vg.Centimeter, out)
}
